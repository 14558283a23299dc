"""What an API's clients want to know of its policies, and a request that each of them allows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from corsguard.fetch_spec import DEFAULT_MAX_AGE, MAX_AGE_CAPS, SAFELISTED_METHODS
from corsguard.guard import Guard
from corsguard.origin import OriginPattern
from corsguard.policy import Policy

__all__ = ["ANY_API", "described", "example_of", "snippet"]

Document = dict[str, Any]

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_VALUES = {"content-type": "application/json", "authorization": "Bearer ..."}
_EXAMPLE_PAGE = "https://app.example.com"
ANY_API = "https://your-api.example"
"""What stands in the examples for the address of an API, where that is not known."""


def described(policies: Mapping[str, Policy | None], guard: Guard, api: str | None) -> Document:
    """The policies by route prefix as a dict that `json.dumps` takes. Its shape is stable.

    `api` is where the API answers, None where that is not known; the prefixes follow it.
    """
    at = api or ANY_API
    return {
        "api": api,
        "enforce": guard.enforce,
        "enforce_exempt": list(guard.enforce_exempt),
        "policies": [_described(prefix, policy, at) for prefix, policy in policies.items()],
    }


def _described(prefix: str, policy: Policy | None, api: str) -> Document:
    if policy is None:
        return {"path": prefix or None, "cors": False}
    example = example_of(prefix, policy, api)
    return {
        "path": prefix or None,
        "cors": True,
        "origins": [str(entry) for entry in policy.allow_origins],
        "credentials": policy.allow_credentials,
        "methods": list(dict.fromkeys((*SAFELISTED_METHODS, *policy.allow_methods))),
        "headers": list(policy.allow_headers),
        "exposed": list(policy.expose_headers),
        "max_age": policy.max_age,
        "cached": {
            browser: min(DEFAULT_MAX_AGE if policy.max_age is None else policy.max_age, cap)
            for browser, cap in MAX_AGE_CAPS.items()
        },
        "example": {**example, "fetch": snippet(example)},
    }


def example_of(prefix: str, policy: Policy, api: str) -> Document:
    """A request that policy allows, of a page that it lists: what a script passes to `fetch()`."""
    method = next((name for name in policy.allow_methods if name != "*"), "")
    if not method:
        method = "PUT" if policy.allow_methods else "GET"
    headers = _headers(policy, method)
    path = quote(prefix or "/")
    return {
        "page": _page(str(policy.allow_origins[0])),
        "url": f"{api}{path}",
        "method": method,
        "headers": headers,
        "body": "{}" if "Content-Type" in headers else None,
        "credentials": "include" if policy.allow_credentials else "same-origin",
    }


def _headers(policy: Policy, method: str) -> dict[str, str]:
    """The headers that most scripts set, else one of those that are listed, if there is any."""
    listed = {name.lower(): name for name in policy.allow_headers}
    headers = {}
    if method not in _BODILESS and ("content-type" in listed or "*" in listed):
        headers["Content-Type"] = _VALUES["content-type"]
    if "authorization" in listed:
        headers["Authorization"] = _VALUES["authorization"]
    if not headers:
        rest = [name for lower, name in listed.items() if lower not in {"*", "content-type"}]
        headers = dict.fromkeys(rest[:1], "...")
    return headers


def _page(entry: str) -> str:
    """An origin that an entry of a policy covers."""
    if entry == "null":
        return entry
    pattern = OriginPattern.parse(entry)
    if pattern.any_origin:
        return _EXAMPLE_PAGE
    port = {"*": "", "": ""}.get(pattern.port, f":{pattern.port}")
    return f"{pattern.scheme}://{'www.' if pattern.subdomains else ''}{pattern.host}{port}"


def snippet(example: Mapping[str, Any]) -> str:
    """The JavaScript that sends a request."""
    lines = []
    if example["method"] != "GET":
        lines.append(f"method: {_js(example['method'])},")
    if example["credentials"] == "include":
        lines.append('credentials: "include",')
    if example["headers"]:
        fields = (f"{_js(name)}: {_js(value)}" for name, value in example["headers"].items())
        lines.append(f"headers: {{ {', '.join(fields)} }},")
    if example["body"] is not None:
        lines.append(f"body: JSON.stringify({example['body']}),")
    options = f", {{{_block(lines)}\n}}" if lines else ""
    return f"const response = await fetch({_js(example['url'])}{options});"


def _block(lines: Iterable[str]) -> str:
    return "".join(f"\n  {line}" for line in lines)


def _js(text: str) -> str:
    return json.dumps(text)  # JSON is JavaScript (ECMA-262)
