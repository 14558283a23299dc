"""The description of an API's policies, with a request that each of them allows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from corsguard.cli.route_policies import RoutePolicy, iter_route_policies
from corsguard.fetch_spec import DEFAULT_MAX_AGE, MAX_AGE_CAPS, SAFELISTED_METHODS
from corsguard.guard import Guard
from corsguard.origin import OriginPattern
from corsguard.policy import Policy
from corsguard.policy.origin_entry import unwrap

__all__ = ["API_PLACEHOLDER", "build_description", "build_example", "build_snippet"]

Document = dict[str, Any]

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_HEADER_VALUES = {"content-type": "application/json", "authorization": "Bearer ..."}
_EXAMPLE_PAGE = "https://app.example.com"
API_PLACEHOLDER = "https://your-api.example"
"""The URL of the API in the examples, where that is not known."""


def build_description(guard: Guard, api: str | None) -> Document:
    """Return the description of a guard's policies as a dict for `json.dumps`.

    Its shape is stable. `api` is the URL of the API, without a final slash; None
    where that is not known.
    """
    base = api or API_PLACEHOLDER
    return {
        "api": api,
        "enforce": guard.enforce,
        "enforce_exempt": list(guard.enforce_exempt),
        "policies": [_describe_policy(each, base) for each in iter_route_policies(guard.policies)],
    }


def _describe_policy(given: RoutePolicy, api: str) -> Document:
    """Return the description of one policy. It has an index where it is in a list."""
    prefix, policy, position = given
    if policy is None:
        return {"path": prefix or None, "cors": False}
    example = build_example(prefix, policy, api)
    return {
        "path": prefix or None,
        **({} if position is None else {"index": position}),
        "cors": True,
        "origins": [str(unwrap(entry)) for entry in policy.allow_origins],
        "credentials": policy.allow_credentials,
        "methods": list(dict.fromkeys((*SAFELISTED_METHODS, *policy.allow_methods))),
        "headers": list(policy.allow_headers),
        "exposed": list(policy.expose_headers),
        "max_age": policy.max_age,
        "cached": {
            browser: min(DEFAULT_MAX_AGE if policy.max_age is None else policy.max_age, cap)
            for browser, cap in MAX_AGE_CAPS.items()
        },
        "example": {**example, "fetch": build_snippet(example)},
    }


def build_example(prefix: str, policy: Policy, api: str) -> Document:
    """Return a request that policy allows, from a page that it lists, as arguments of `fetch()`."""
    method = next((name for name in policy.allow_methods if name != "*"), "")
    if not method:
        method = "PUT" if policy.allow_methods else "GET"
    headers = _choose_headers(policy, method)
    path = quote(prefix or "/")
    return {
        "page": _choose_page(str(unwrap(policy.allow_origins[0]))),
        "url": f"{api}{path}",
        "method": method,
        "headers": headers,
        "body": "{}" if "Content-Type" in headers else None,
        "credentials": "include" if policy.allow_credentials else "same-origin",
    }


def _choose_headers(policy: Policy, method: str) -> dict[str, str]:
    """Return the headers that most scripts set, or else one that is listed."""
    listed = {name.lower(): name for name in policy.allow_headers}
    headers = {}
    if method not in _BODILESS and ("content-type" in listed or "*" in listed):
        headers["Content-Type"] = _HEADER_VALUES["content-type"]
    if "authorization" in listed:
        headers["Authorization"] = _HEADER_VALUES["authorization"]
    if not headers:
        others = [name for lower, name in listed.items() if lower not in {"*", "content-type"}]
        headers = dict.fromkeys(others[:1], "...")
    return headers


def _choose_page(entry: str) -> str:
    """Return an origin that an entry of a policy allows."""
    if entry == "null":
        return entry
    pattern = OriginPattern.parse(entry)
    if pattern.any_origin:
        return _EXAMPLE_PAGE
    port = {"*": "", "": ""}.get(pattern.port, f":{pattern.port}")
    label = "www." if pattern.subdomains else ""
    if pattern.label:
        label = f"{pattern.label.replace('*', '1')}."
    return f"{pattern.scheme}://{label}{pattern.host}{port}"


def build_snippet(example: Mapping[str, Any]) -> str:
    """Return the JavaScript that sends a request."""
    lines = []
    if example["method"] != "GET":
        lines.append(f"method: {_quote_js(example['method'])},")
    if example["credentials"] == "include":
        lines.append('credentials: "include",')
    if example["headers"]:
        fields = (
            f"{_quote_js(name)}: {_quote_js(value)}" for name, value in example["headers"].items()
        )
        lines.append(f"headers: {{ {', '.join(fields)} }},")
    if example["body"] is not None:
        lines.append(f"body: JSON.stringify({example['body']}),")
    options = f", {{{_indent(lines)}\n}}" if lines else ""
    return f"const response = await fetch({_quote_js(example['url'])}{options});"


def _indent(lines: Iterable[str]) -> str:
    return "".join(f"\n  {line}" for line in lines)


def _quote_js(text: str) -> str:
    return json.dumps(text)  # JSON is JavaScript (ECMA-262)
