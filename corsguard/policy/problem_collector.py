"""The problems found so far, and what all validators do: read lists, and refuse other types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from re import Pattern
from typing import Protocol

from corsguard.errors import Problem
from corsguard.escaping import show_value
from corsguard.policy.origin_entry import FlaggedEntry

__all__ = [
    "AcceptanceTest",
    "ProblemCollector",
    "accept_anything",
    "add_wildcard_not_alone",
    "add_wrong_type",
    "list_entries",
    "validate_strings",
]


class AcceptanceTest(Protocol):
    """A function that returns True if a field accepts a value, when the flags named are set too."""

    def __call__(self, field: str, value: object, /, *flags: str) -> bool: ...


def accept_anything(*_: object) -> bool:
    """Return True: the test of a collector whose suggestions are not shown."""
    return True


class ProblemCollector:
    """The problems found so far.

    `is_accepted` tests a suggestion before it is shown.
    """

    def __init__(self, is_accepted: AcceptanceTest = accept_anything) -> None:
        self.problems: list[Problem] = []
        self.is_accepted = is_accepted

    def add(self, code: str, field: str, value: object, message: str, suggestion: str) -> None:
        """Add a problem. The parameters are the attributes of Problem."""
        self.problems.append(Problem(code, field, value, message, suggestion))


def validate_strings(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the str entries of a list, without duplicates."""
    strings: dict[str, None] = {}
    for entry in list_entries(found, field, value):
        if isinstance(entry, str):
            strings[entry] = None
        else:
            add_wrong_type(found, field, entry, f"{show_value(entry)} is not a str")
    return tuple(strings)


_LIST_EXAMPLES = {"allow_origins": '["https://app.example.com"]'}
"""Field -> the list to suggest in place of another type, where an empty list is refused."""


def list_entries(found: ProblemCollector, field: str, value: object) -> Sequence[object]:
    """Return the entries of value, or value itself as the one entry where it is not a list."""
    if isinstance(value, (str, bytes, Pattern, FlaggedEntry)) or callable(value):
        from corsguard.policy.suggestions import suggest_list

        parts = value.split(",") if isinstance(value, str) else [value]
        entries = [part.strip() if isinstance(part, str) else part for part in parts]
        suggestion = suggest_list(
            field, entries, found.is_accepted, _LIST_EXAMPLES.get(field, "a list")
        )
        found.add("not-a-list", field, value, f"{show_value(value)} is not a list", suggestion)
        return entries
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        suggestion = _LIST_EXAMPLES.get(field, "[]")
        found.add("type-invalid", field, value, f"{show_value(value)} is not a list", suggestion)
        return []
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (set, frozenset)):  # the same policy sends the same headers on every run
        return sorted(value, key=show_value)
    return list(value)


def add_wrong_type(found: ProblemCollector, field: str, entry: object, message: str) -> None:
    """Add the problem of an entry of a list that has another type."""
    from corsguard.policy.suggestions import suggest_entries

    suggestion = suggest_entries(field, entry, found.is_accepted)
    found.add("type-invalid", field, entry, message, suggestion)


def add_wildcard_not_alone(found: ProblemCollector, field: str, entries: Iterable[object]) -> None:
    """Add the problem of `*` beside other entries."""
    from corsguard.policy.suggestions import suggest_wildcard_choice

    message = "`*` covers everything, so the other entries have no effect"
    suggestion = suggest_wildcard_choice(field, entries, found.is_accepted)
    found.add("wildcard-not-alone", field, tuple(entries), message, suggestion)
