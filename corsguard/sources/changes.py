"""Changes of the origin sets of a document, as a revision of their own.

    [changes.partners]
    add = ["https://new.example"]
    remove = ["https://old.example"]

In each set, `remove` is applied before `add`. Long lists are multi-line literal strings with one
origin a line, as in a document.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.sources.set_text import edit_set, find_sets
from corsguard.sources.toml_text import quote_key, quote_text

__all__ = ["SetChange", "apply_changes", "format_changes", "merge_changes", "parse_changes"]

_MAX_LISTED = 100
"""Entries of a list. tomllib reads a longer one much faster from a literal string."""
_NEVER_IN_ORIGINS = frozenset(""" '"\\""")
_EXAMPLE = '[changes.partners] add = ["https://new.example"]'
_EXAMPLE_LIST = '["https://app.example.com"]'


class SetChange(NamedTuple):
    """The changes of one origin set."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def parse_changes(text: str) -> dict[str, SetChange]:
    """Return the changes in a text: name of a set -> its changes. Raises PolicyError."""
    try:
        mapping = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = Problem("type-invalid", "changes", None, f"not TOML: {error}", _EXAMPLE)
        raise PolicyError([problem]) from None
    problems = [_reject_key(key, mapping[key]) for key in mapping if key != "changes"]
    tables = mapping.get("changes", {})
    if not isinstance(tables, dict) or not (tables or problems):
        message = f"{show_value(tables)} is not a table from the names of sets to their changes"
        problems.append(Problem("type-invalid", "changes", tables, message, _EXAMPLE))
        tables = {}
    changes = {name: _read_change(name, table, problems) for name, table in tables.items()}
    if problems:
        raise PolicyError(problems)
    return changes


def format_changes(changes: Mapping[str, SetChange]) -> str:
    """Return the text of changes, which `parse_changes` reads."""
    lines: list[str] = []
    for name, change in changes.items():
        lines += ["", f"[changes.{quote_key(name)}]"]
        lines += [
            f"{field} = {_format_entries(entries)}"
            for field, entries in change._asdict().items()
            if entries
        ]
    return "\n".join([*lines[1:], ""])


def merge_changes(
    changes: Iterable[Mapping[str, SetChange]],
) -> dict[str, SetChange]:
    """Return changes that do the same at once as all of changes in their order."""
    merged: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for each in changes:
        for name, change in each.items():
            add, remove = merged.setdefault(name, ({}, {}))
            for entry in change.remove:
                add.pop(entry, None)
                remove[entry] = None
            add.update(dict.fromkeys(change.add))
    return {name: SetChange(tuple(add), tuple(remove)) for name, (add, remove) in merged.items()}


def apply_changes(text: str, changes: Mapping[str, SetChange]) -> str:
    """Return the text of a document with changes of its sets. All else stays, comments included.

    Removing an entry that a set does not have, or adding one that it has, changes nothing. Raises
    PolicyError for a set that the document does not have, and for an entry that might end the
    string that it is written into. Otherwise entries are not validated.
    """
    places = find_sets(text)
    problems: list[Problem] = []
    edits: list[tuple[int, int, str]] = []
    for name, change in changes.items():
        problems += [_reject_entry(name, each) for each in change.add if not _is_line(each)]
        start, end = places.get(name, (0, 0))
        edited = edit_set(text[start:end], dict.fromkeys(change.add), frozenset(change.remove))
        if edited is None:
            problems.append(_reject_set(name, is_there=name in places))
        else:
            edits.append((start, end, edited))
    if problems:
        raise PolicyError(problems)
    for start, end, edited in sorted(edits, reverse=True):
        text = text[:start] + edited + text[end:]
    return text


def _format_entries(entries: tuple[str, ...]) -> str:
    if len(entries) > _MAX_LISTED and all(_is_line(entry) for entry in entries):
        return "\n".join(["'''", *entries, "'''"])
    return f"[{', '.join(quote_text(entry) for entry in entries)}]"


def _is_line(entry: str) -> bool:
    """Return True if an entry can be a line of a string, as every valid origin can."""
    return bool(entry) and entry.isprintable() and _NEVER_IN_ORIGINS.isdisjoint(entry)


def _reject_entry(name: str, entry: str) -> Problem:
    message = f"{show_value(entry)} is not a valid origin"
    return Problem("origin-invalid", f"changes.{quote_key(name)}.add", entry, message, "remove it")


def _reject_key(key: str, value: object) -> Problem:
    message = "unknown field: changes apply to origin sets only"
    return Problem("unknown-field", key, value, message, "publish the whole document instead")


def _reject_set(name: str, *, is_there: bool) -> Problem:
    place = f"origin_sets.{quote_key(name)}"
    if is_there:
        message = "the set is neither a list nor a multi-line literal string"
        return Problem("type-invalid", place, None, message, "write '''...''', one origin a line")
    message = "the document has no such set in its table [origin_sets]"
    return Problem(
        "set-unknown", place, None, message, f"add [origin_sets] {quote_key(name)} = [...]"
    )


def _read_change(name: str, table: object, problems: list[Problem]) -> SetChange:
    place = f"changes.{quote_key(name)}"
    if not isinstance(table, dict):
        message = f"{show_value(table)} is not a table with add and remove"
        problems.append(Problem("type-invalid", place, table, message, _EXAMPLE))
        return SetChange()
    problems.extend(
        Problem("unknown-field", f"{place}.{key}", value, "unknown field", "add or remove")
        for key, value in table.items()
        if key not in SetChange._fields
    )
    return SetChange(
        *(
            _read_entries(f"{place}.{key}", table.get(key, []), problems)
            for key in SetChange._fields
        )
    )


def _read_entries(place: str, given: object, problems: list[Problem]) -> tuple[str, ...]:
    if isinstance(given, str):
        lines = (line.strip() for line in given.split("\n"))
        return tuple(dict.fromkeys(line for line in lines if line))
    if isinstance(given, list) and all(isinstance(entry, str) for entry in given):
        return tuple(dict.fromkeys(given))
    message = f"{show_value(given)} is neither a list of origins nor a text with one a line"
    problems.append(Problem("type-invalid", place, given, message, _EXAMPLE_LIST))
    return ()
