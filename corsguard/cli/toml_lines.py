"""The lines of a configuration file that its problems are about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import tomlkit
from tomlkit.items import AoT, Array, InlineTable, Item, Key, Table

from corsguard.cli.toml_edit import EditError, parse_text
from corsguard.errors import Problem
from corsguard.escaping import show_value
from corsguard.guard.options import name_place
from corsguard.guard.policy_list import name_entry

__all__ = ["find_lines"]

_MARK = re.compile("\0([0-9]+)\0")
"""Put in front of what is looked for. No text of TOML contains it (TOML 1.0, "String")."""
_LINE_OF_ERROR = re.compile(r"\(at line ([0-9]+)")


class _Named(NamedTuple):
    """A field or a table of a document."""

    name: str
    """The name that problems give it, such as `routes."/api".max_age`."""
    item: Item


def find_lines(text: str, problems: Sequence[Problem]) -> list[int | None]:
    """Return the line in a text that each of its problems is about, counted from 1.

    For a value in a list that is the line of the value, else that of the field, or of its table
    where the field is missing. None where there is neither.
    """
    try:
        document = parse_text(text)
        named = list(_list_named(document.body, ""))
        for number, (_, item) in enumerate(named):
            item.trivia.indent += _write_mark(number)
        values = _mark_values(named, problems)
        lines = _find_marks(tomlkit.dumps(document))
    except (EditError, RecursionError):
        return [_read_line(text, problem) for problem in problems]
    names = _find_names(named, lines)
    return [
        lines.get(values.get(index, -1)) or _find_nearest(problem, names)
        for index, problem in enumerate(problems)
    ]


def _mark_values(named: Sequence[_Named], problems: Sequence[Problem]) -> dict[int, int]:
    """Mark the value of each problem in its list; return index of a problem -> its mark."""
    arrays = {name: item for name, item in named if isinstance(item, Array)}
    marks: dict[int, int] = {}
    for index, problem in enumerate(problems):
        array = arrays.get(problem.field)
        for at, entry in enumerate(array or ()):
            if array is not None and isinstance(entry, Item) and _is_value(entry, problem.value):
                marks[index] = len(named) + index
                array[at] = _MarkedItem(marks[index], entry)
                break
    return marks


def _is_value(entry: Item, value: object) -> bool:
    """Return True if an entry of a list is the value of a problem, which has its origin alone."""
    written = entry.unwrap()
    if isinstance(written, dict) and isinstance(value, str):
        return written.get("origin") == value.partition(" (dangerously: ")[0]
    return bool(written == value)


class _MarkedItem(Item):
    """A value of a list with a mark in front."""

    def __init__(self, number: int, item: Item) -> None:
        super().__init__(item.trivia)
        self._number = number
        self._item = item

    def unwrap(self) -> object:
        return self._item.unwrap()

    def as_string(self) -> str:
        return f"{_write_mark(self._number)}{self._item.as_string()}"


def _write_mark(number: int) -> str:
    return f"\0{number}\0"


def _find_marks(text: str) -> dict[int, int]:
    """Return number of a mark -> its line."""
    lines: dict[int, int] = {}
    line, end = 1, 0
    for mark in _MARK.finditer(text):
        line += text.count("\n", end, mark.start())
        end = mark.start()
        lines[int(mark[1])] = line
    return lines


def _find_names(named: Sequence[_Named], lines: dict[int, int]) -> dict[str, int]:
    """Return name -> line. That of a table without a header is the line of the first in it.

    An empty table in a list has neither.
    """
    names: dict[str, int] = {}
    marked, line = "", 0
    for number in reversed(range(len(named))):
        name = named[number].name
        if number in lines:
            marked, line = name, lines[number]
        if marked.startswith(name):
            names[name] = line
    return names


def _find_nearest(problem: Problem, names: dict[str, int]) -> int | None:
    """Return the line of a key that is wrong, else of the field, else of the table it is in."""
    field = problem.field
    if isinstance(problem.value, str) and (key := _join_name(field, problem.value)) in names:
        return names[key]
    inner = [name for name in names if field == name or field.startswith((f"{name}.", f"{name}["))]
    return names[max(inner, key=len)] if inner else None


def _read_line(text: str, problem: Problem) -> int | None:
    """Return the line that the message about a text that is not TOML names."""
    if problem.message.endswith("(at end of document)"):
        return text.rstrip().count("\n") + 1
    match = _LINE_OF_ERROR.search(problem.message)
    return int(match[1]) if match else None


def _list_named(body: Sequence[tuple[Key | None, Item]], place: str) -> Iterator[_Named]:
    """Yield what is in a table, in order, and what is in that."""
    for key, item in body:
        if key is None:  # a comment, or white space
            continue
        yield from _list_item(_join_name(place, key.key), item)


def _list_item(name: str, item: Item) -> Iterator[_Named]:
    yield _Named(name, item)
    match item:
        case Table() | InlineTable():
            yield from _list_named(item.value.body, name)
        case AoT():
            for index, table in enumerate(item.body):
                yield from _list_item(name_entry(name, index), table)
        case Array():
            for index, entry in enumerate(item):
                if isinstance(entry, InlineTable):
                    yield from _list_item(name_entry(name, index), entry)


def _join_name(place: str, key: str) -> str:
    """Return the name of what a key of a table holds."""
    if place == "routes":
        return name_place(key)
    if place.endswith(".routes"):
        return f"{place.removesuffix('routes')}{name_place(key)}"
    return f"{place}.{show_value(key, str)}" if place else show_value(key, str)
