"""The policies of a configuration as plain lists, read without validating them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard

from corsguard.guard.origin_sets import read_set
from corsguard.policy.origin_entry import FlaggedEntry

__all__ = ["Entry", "PolicyTable", "find_table", "read_tables"]

Entry = str | re.Pattern[str]
"""An origin, a pattern such as `https://*.example.com`, or a regular expression."""


class PolicyTable(NamedTuple):
    """The names that the policies of one route list."""

    prefix: str
    """The path prefix of the route; `/` for a configuration without routes."""
    origins: tuple[Entry, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()


def read_tables(mapping: Mapping[str, Any]) -> list[PolicyTable]:
    """Return the policies of a configuration, those of one route as one table.

    `mapping` has the shape that Guard.from_mapping takes. It may be invalid: what has the wrong
    type is left out, and so are callables, which name no origin.
    """
    sets = mapping.get("origin_sets", {})
    routes = mapping.get("routes", {"/": mapping})
    return [_read_table(prefix, given, sets) for prefix, given in routes.items()]


def find_table(tables: Iterable[PolicyTable], path: str) -> PolicyTable | None:
    """Return the table of the longest prefix that covers path, or None where none does."""
    covering = [
        table
        for table in tables
        if f"{path.rstrip('/')}/".startswith(f"{table.prefix.rstrip('/')}/")
    ]
    return max(covering, key=lambda table: len(table.prefix), default=None)


def _read_table(prefix: str, given: object, sets: Mapping[str, object]) -> PolicyTable:
    policies = given if isinstance(given, (list, tuple)) else [given]
    tables = [policy for policy in policies if isinstance(policy, Mapping)]
    return PolicyTable(
        prefix,
        tuple(dict.fromkeys(entry for table in tables for entry in _list_origins(table, sets))),
        *(
            tuple(dict.fromkeys(name for table in tables for name in _list_names(table, field)))
            for field in ("allow_methods", "allow_headers", "expose_headers")
        ),
    )


def _list_origins(table: Mapping[str, Any], sets: Mapping[str, object]) -> Iterator[Entry]:
    for given in _list_entries(table, "allow_origins"):
        entry = given
        if isinstance(entry, Mapping) and "set" in entry:
            yield from filter(_is_entry, read_set(sets.get(entry["set"])) or ())
            continue
        if isinstance(entry, Mapping):
            entry = entry.get("origin")
        if isinstance(entry, FlaggedEntry):
            entry = entry.origin
        if _is_entry(entry):
            yield entry


def _is_entry(value: object) -> TypeGuard[Entry]:
    is_regex = isinstance(value, re.Pattern) and isinstance(value.pattern, str)
    return is_regex or isinstance(value, str)


def _list_names(table: Mapping[str, Any], field: str) -> Iterator[str]:
    return (name for name in _list_entries(table, field) if isinstance(name, str) and name != "*")


def _list_entries(table: Mapping[str, Any], field: str) -> Iterable[Any]:
    given = table.get(field)
    return given if isinstance(given, (list, tuple, set, frozenset)) else ()
