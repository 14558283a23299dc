"""The phrases of a description, for every format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = [
    "INTRODUCTION",
    "Row",
    "describe_enforcement",
    "describe_placeholder",
    "describe_scope",
    "format_heading",
    "list_rows",
]

INTRODUCTION = (
    "The requests that a page of another origin may send to this API, and the responses that a "
    "script on that page may read. Browsers enforce it (CORS); other clients are not affected."
)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Row(NamedTuple):
    """One property of a policy: a label, and its value as code, as words, or both."""

    label: str
    names: tuple[str, ...] = ()
    """Names that are formatted as code."""
    words: str = ""


def format_heading(document: Mapping[str, Any]) -> str:
    """Return the heading of the page."""
    return f"CORS of {document['api'] or 'this API'}"


def describe_placeholder(document: Mapping[str, Any]) -> str:
    """Return the text that follows API_PLACEHOLDER; empty if the URL of the API is known."""
    if document["api"]:
        return ""
    return "is a placeholder for the URL of this API in the examples. Set it with --url."


def describe_scope(policy: Mapping[str, Any]) -> tuple[str, str]:
    """Return the path that a policy applies to, as code, and the text after it."""
    path = policy["path"]
    code, text = ("", "Every path") if path is None else (path, "and below")
    if policy.get("index"):
        text += ": other pages, which no policy above covers"
    return code, text


def describe_enforcement(document: Mapping[str, Any]) -> str:
    """Return what happens to requests that no policy allows; empty if nothing does."""
    if document["enforce"] is not True:
        return ""
    exempt = ", ".join(document["enforce_exempt"])
    return (
        "Requests from other origins with a method other than GET, HEAD and OPTIONS get a 403 "
        f"response where no policy allows them{f', except below {exempt}' * bool(exempt)}."
    )


def list_rows(policy: Mapping[str, Any]) -> list[Row]:
    """Return the properties of a policy, the most important first."""
    any_origin = policy["origins"] == ["*"]
    anyone = "any other origin" if policy.get("index") else "any origin"
    return [
        Row("Pages of", () if any_origin else tuple(policy["origins"]), any_origin * anyone),
        Row("Methods", *_describe_methods(policy)),
        Row("Headers", *_describe_headers(policy)),
        Row("Cookies", (), _describe_cookies(policy)),
        Row("Readable headers", *_describe_exposed(policy)),
        Row("Preflight cached for", (), _describe_cache(policy["cached"])),
    ]


def _describe_methods(policy: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    names = tuple(policy["methods"])
    return ((), "any method") if "*" in names else (names, "")


def _describe_headers(policy: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    names = tuple(name for name in policy["headers"] if name != "*")
    if "*" not in policy["headers"]:
        return names, "" if names else "only those that are always allowed, such as Accept"
    if names:  # Authorization: no other name is valid beside `*`
        return names, "and any header"
    # Fetch, "CORS non-wildcard request-header name": `*` does not cover it. With credentials, the
    # requested names are sent instead.
    return (), "any header" if policy["credentials"] else "any header but Authorization"


def _describe_cookies(policy: Mapping[str, Any]) -> str:
    if policy["credentials"]:
        return "sent where a script asks for it with credentials: include"
    return "never: with credentials: include, the browser hides the response from the script"


def _describe_exposed(policy: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    if policy["exposed"] == ["*"]:
        return (), "all but Set-Cookie"
    names = tuple(policy["exposed"])
    return names, f"{'and ' if names else ''}the usual ones, such as Content-Type"


def _describe_cache(cached: Mapping[str, int]) -> str:
    if not any(cached.values()):
        return "no time: the browser sends one before each request that needs it"
    return ", ".join(
        f"{_format_duration(seconds)} in {browser}" for browser, seconds in cached.items()
    )


def _format_duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0 or size == 1)
    number = seconds // size
    return f"{number} {unit}{'' if number == 1 else 's'}"
