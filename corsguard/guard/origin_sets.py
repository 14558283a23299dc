"""Sets of origins: named lists in a configuration, to which policies refer by `{ set = "NAME" }`.

`corsguard publish --add` changes them one origin at a time. A long one is a multi-line literal
string with one origin a line, which a TOML parser reads much faster than a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from corsguard.errors import Problem
from corsguard.escaping import show_value

__all__ = ["OriginSets", "SetUse", "read_set"]

_SOME_ORIGIN = "https://app.example.com"
_TABLE = '{"partners": ["https://app.example.com"]}'


class SetUse(NamedTuple):
    """A policy whose `allow_origins` refer to sets."""

    prefix: str
    """The route prefix of the policy; empty for every path."""
    position: int | None
    """The index of the policy in a list of policies; None if it is not in one."""
    names: tuple[str, ...]
    """The names of its sets."""
    others: frozenset[str]
    """The entries beside them."""


class OriginSets:
    """The table `origin_sets` of a configuration. `problems` are those found so far."""

    def __init__(self, given: object = None) -> None:
        self.problems: list[Problem] = []
        self.uses: list[SetUse] = []
        self._sets: dict[str, list[str]] = {}
        if given is None:
            return
        if not isinstance(given, Mapping):
            message = f"{show_value(given)} is not a table of lists of origins"
            self.problems.append(Problem("type-invalid", "origin_sets", given, message, _TABLE))
            return
        for name, value in given.items():
            self._sets[name] = list(self._read(name, value))

    def _read(self, name: str, value: object) -> Iterator[str]:
        entries = read_set(value)
        if entries is None:
            message = f"{show_value(value)} is neither a list of origins nor a text with one a line"
            self._add_problem(name, value, message)
            return
        for entry in entries:
            if isinstance(entry, str):
                yield entry
            else:
                self._add_problem(name, entry, f"{show_value(entry)} is not a str")

    def _add_problem(self, name: str, value: object, message: str) -> None:
        place = f"origin_sets.{show_value(name, str)}"
        suggestion = '["https://app.example.com"]'
        self.problems.append(Problem("type-invalid", place, value, message, suggestion))

    def expand(self, table: object, prefix: str = "", index: int | None = None) -> object:
        """Return a table of a policy's fields with the origins of the sets that it refers to.

        `prefix` and `index` say where the policy is; see SetUse. Anything else is returned as it
        is: it is validated later.
        """
        if not isinstance(table, Mapping):
            return table
        listed = table.get("allow_origins")
        if not isinstance(listed, (list, tuple)) or not any(map(_is_reference, listed)):
            return table
        entries: list[object] = []
        names: list[str] = []
        count = len(self.problems)
        for entry in listed:
            if not _is_reference(entry):
                entries.append(entry)
            elif name := self._find_set(entry):
                names.append(name)
                entries.extend(self._sets[name])
        others = frozenset(each for each in listed if isinstance(each, str))
        self.uses.append(SetUse(prefix, index, tuple(names), others))
        if not entries and len(self.problems) > count:
            entries = [_SOME_ORIGIN]  # no second problem for an unknown set
        return {**table, "allow_origins": entries}

    def _find_set(self, reference: Mapping[str, object]) -> str | None:
        """Return the name of the set that an entry refers to, None if there is a problem."""
        name = reference["set"]
        if isinstance(name, str) and name in self._sets and len(reference) == 1:
            return name
        if len(reference) > 1:
            message = f"{show_value(reference)} has other keys beside `set`"
            suggestion = '{"set": "NAME"}'
            code = "type-invalid"
        else:
            code = "set-unknown"
            message = f"{show_value(name)} is not a set of this configuration"
            known = ", ".join(show_value(each, str) for each in self._sets)
            suggestion = f"one of {known}" if known else "add the table `origin_sets`"
        self.problems.append(Problem(code, "allow_origins", reference, message, suggestion))
        return None

    def find_unused(self) -> Iterator[Problem]:
        """Yield a warning for each set that no policy refers to."""
        used = {name for use in self.uses for name in use.names}
        for name in self._sets:
            if name not in used:
                message = "no policy refers to this set, so it has no effect"
                suggestion = f'put {{"set": "{show_value(name, str)}"}} into allow_origins'
                place = f"origin_sets.{show_value(name, str)}"
                yield Problem("set-unused", place, None, message, suggestion)


def read_set(value: object) -> list[object] | None:
    """Return the entries of a set: a list, or a text with one origin a line; None for neither.

    In a text, empty lines and those that begin with `#` are left out.
    """
    if isinstance(value, (list, tuple)):
        return list(value)
    if not isinstance(value, str):
        return None
    lines = map(str.strip, value.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _is_reference(entry: object) -> bool:
    return isinstance(entry, Mapping) and "set" in entry
