"""The words of a description, whatever it is written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["INTRODUCTION", "Row", "enforced", "heading", "placeholder", "rows", "title"]

INTRODUCTION = (
    "What a page of another origin may ask of this API, and which of its answers a script on that "
    "page may read. Browsers enforce it (CORS); other clients are not concerned."
)
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Row(NamedTuple):
    """One thing that a policy says."""

    label: str
    names: tuple[str, ...] = ()
    """To be set as code."""
    words: str = ""


def heading(document: Mapping[str, Any]) -> str:
    """Whose policies these are."""
    return f"CORS of {document['api'] or 'this API'}"


def placeholder(document: Mapping[str, Any]) -> str:
    """What to say of ANY_API, where it stands in the examples."""
    if document["api"]:
        return ""
    return "stands in the examples for the address of this API, which --url puts in its place."


def title(policy: Mapping[str, Any]) -> tuple[str, str]:
    """What a policy holds for: a path set as code, and words after it."""
    path = policy["path"]
    return ("", "Every path") if path is None else (path, "and below")


def enforced(document: Mapping[str, Any]) -> str:
    """What happens to requests that no policy allows."""
    if document["enforce"] is not True:
        return ""
    exempt = ", ".join(document["enforce_exempt"])
    return (
        "Requests from other origins that could change something, all but GET, HEAD and OPTIONS, "
        f"are answered 403 where no policy allows them{f', but not under {exempt}' * bool(exempt)}."
    )


def rows(policy: Mapping[str, Any]) -> list[Row]:
    """What a policy says, in the order in which a client asks."""
    any_origin = policy["origins"] == ["*"]
    return [
        Row("Pages of", () if any_origin else tuple(policy["origins"]), any_origin * "any origin"),
        Row("Methods", *_methods(policy)),
        Row("Headers", *_headers(policy)),
        Row("Cookies", (), _cookies(policy)),
        Row("Readable headers", *_exposed(policy)),
        Row("Preflight kept for", (), _cached(policy["cached"])),
    ]


def _methods(policy: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    names = tuple(policy["methods"])
    return ((), "any method") if "*" in names else (names, "")


def _headers(policy: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    names = tuple(name for name in policy["headers"] if name != "*")
    if "*" not in policy["headers"]:
        return names, "" if names else "only those that need no preflight, such as Accept"
    if names:  # it is Authorization: nothing else stands beside `*`
        return names, "and any header"
    # Fetch, "CORS non-wildcard request-header name": `*` does not cover it. With credentials, the
    # names that are asked for are sent instead.
    return (), "any header" if policy["credentials"] else "any header but Authorization"


def _cookies(policy: Mapping[str, Any]) -> str:
    if policy["credentials"]:
        return "sent where a script asks for it with credentials: include"
    return "never: with credentials: include, the browser keeps the answer from the script"


def _exposed(policy: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    if policy["exposed"] == ["*"]:
        return (), "all but Set-Cookie"
    names = tuple(policy["exposed"])
    return names, f"{'and ' if names else ''}the usual ones, such as Content-Type"


def _cached(cached: Mapping[str, int]) -> str:
    if not any(cached.values()):
        return "no time: the browser asks before each request that needs one"
    return ", ".join(f"{_duration(seconds)} in {browser}" for browser, seconds in cached.items())


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0 or size == 1)
    number = seconds // size
    return f"{number} {unit}{'' if number == 1 else 's'}"
