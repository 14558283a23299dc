"""Telling, before a policy starts, which regular expressions cover more or cost more than meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

__all__ = ["has_bare_dot", "has_nested_repeat", "invented_match"]

# Origins that nobody has, in the shapes that attackers can get: other names under the suffixes
# where names are sold or given away, addresses, single labels, other schemes and ports.
_LABELS = ("corsguard", "corsguard-invented", "corsguard7")
_SUFFIXES = """
    com net org io dev app co info xyz me co.uk com.au de fr cn invalid test
    github.io gitlab.io netlify.app vercel.app pages.dev workers.dev herokuapp.com web.app
    firebaseapp.com onrender.com fly.dev azurewebsites.net cloudfront.net s3.amazonaws.com
""".split()
_HOSTS = (
    *_LABELS,
    *(f"{label}.{suffix}" for suffix in _SUFFIXES for label in _LABELS),
    *(f"www.{label}.{suffix}" for suffix in _SUFFIXES for label in _LABELS),
    "203.0.113.7",
    "[2001:db8::7]",
)
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_INVENTED = tuple(
    f"{scheme}://{host}{port}"
    for scheme in ("https", "http")
    for port in ("", ":8443", ":1")
    for host in _HOSTS
)


def invented_match(pattern: re.Pattern[str]) -> str | None:
    """An origin nobody has that pattern covers all the same, or None."""
    return next((origin for origin in _INVENTED if pattern.fullmatch(origin)), None)


def has_bare_dot(pattern: re.Pattern[str]) -> bool:
    """Whether a `.` stands in pattern that is neither escaped nor in a class."""
    return any(name == "ANY" for name, _, _ in _operations(pattern))


def has_nested_repeat(pattern: re.Pattern[str]) -> bool:
    """Whether an unbounded repeat stands inside another one: exponential time on a mismatch."""
    return any(unbounded and inside for _, unbounded, inside in _operations(pattern))


def _operations(pattern: re.Pattern[str]) -> Iterator[tuple[str, bool, bool]]:
    """Each operation's name, whether it repeats without bound, and whether it is in one that does.

    Read by the standard library's own parser: the syntax of `re` is not for us to read again.
    """
    parser = import_module("re._parser")
    return _walk(parser.parse(pattern.pattern, pattern.flags), parser.MAXREPEAT, inside=False)


def _walk(node: Any, unlimited: int, *, inside: bool) -> Iterator[tuple[str, bool, bool]]:
    for operation, argument in node:
        unbounded = operation.name in _REPEATS and argument[1] == unlimited
        yield operation.name, unbounded, inside
        for child in _children(argument):
            yield from _walk(child, unlimited, inside=inside or unbounded)


def _children(argument: Any) -> Iterator[Any]:
    if isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _children(part)
    elif hasattr(argument, "data"):
        yield argument
