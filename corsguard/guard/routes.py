"""The table of routes: literal path prefixes, matched by whole segments, the longest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from corsguard.errors import Problem
from corsguard.escaping import show_value

__all__ = ["NOT_LITERAL", "Routes", "is_canonical", "validate_prefixes"]

Entry = TypeVar("Entry")

# A literal prefix has no wildcard, no placeholder of a router, no query and no fragment, and no
# percent-encoding: servers decode the path before it is matched.
NOT_LITERAL = frozenset("*<>{}?#%\\")

_CONTROLS = frozenset(map(chr, (*range(0x20), 0x7F)))
_UNDECODABLE = "\ufffd"  # servers decode invalid UTF-8 to it


class Routes(Generic[Entry]):
    """An immutable table from route prefix to entry."""

    __slots__ = ("_longest", "_table")

    def __init__(self, table: Mapping[str, Entry]) -> None:
        # prefix without its last slash -> (prefix as configured, entry)
        self._table = {prefix.rstrip("/"): (prefix, entry) for prefix, entry in table.items()}
        self._longest = max(map(len, self._table), default=0)

    def find(self, path: str) -> tuple[str, Entry] | None:
        """Return (prefix, entry) of the longest prefix that matches a path, or None.

        The prefix is as it was configured. Paths that routers may normalise differently match no
        prefix, not even `/`. An empty path is `/`.
        """
        path = path or "/"
        if not is_canonical(path):
            return None
        end = len(path)
        if end > self._longest:
            end = path.rfind("/", 0, self._longest + 1)
        while end > 0:
            found = self._table.get(path[:end])
            if found is not None:
                return found
            end = path.rfind("/", 0, end)
        return self._table.get("")


def is_canonical(path: str) -> bool:
    """Return True for an absolute path that every router reads in the same way.

    It has no `.` or `..`, no empty inner segment, no backslash, no control character and no
    invalid UTF-8: routers may drop or rewrite these.
    """
    if not path.startswith("/") or "//" in path or "\\" in path or _UNDECODABLE in path:
        return False
    if not path.isprintable() and not _CONTROLS.isdisjoint(path):
        return False
    return "/." not in path or not {".", ".."} & set(path.split("/"))


def validate_prefixes(field: str, prefixes: Iterable[object]) -> list[Problem]:
    """Return the problems of route prefixes; `field` is where they are configured."""
    problems = []
    seen: dict[str, str] = {}
    given = list(prefixes)
    taken = {prefix.rstrip("/") for prefix in given if isinstance(prefix, str)}
    for prefix in given:
        if not isinstance(prefix, str):
            message = f"{show_value(prefix)} is not a str"
            suggestion = "a str such as '/api'"
            problems.append(Problem("type-invalid", field, prefix, message, suggestion))
            continue
        if prefix.strip() != prefix or not is_canonical(prefix) or NOT_LITERAL & set(prefix):
            from corsguard.policy.origin_fixes import fix_prefix

            message = f"{prefix!r} is not a literal path prefix, such as /api"
            meant = fix_prefix(prefix)
            suggestion = meant
            if meant.rstrip("/") in taken - {prefix.rstrip("/")}:
                suggestion = f"remove it: {meant} is listed already"
            taken.add(meant.rstrip("/"))
            problems.append(Problem("route-invalid", field, prefix, message, suggestion))
        earlier = seen.setdefault(prefix.rstrip("/"), prefix)
        if earlier != prefix:
            message = f"{prefix!r} and {earlier!r} are the same prefix"
            problems.append(Problem("route-duplicate", field, prefix, message, f"keep {earlier}"))
    return problems
