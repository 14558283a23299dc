"""Edits of a configuration file that keep its comments, its order and its layout.

Each edit is made twice: in what the text means, and in the text. The new text is returned only if
it means just that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import Any, NamedTuple

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable, Item, Table

from corsguard.explain.changes import Change
from corsguard.sources.set_text import edit_set

__all__ = ["EditError", "apply_changes", "parse_text", "set_option"]

_BOM = "\ufeff"
_BARE_NEWLINE = re.compile(r"(?<!\r)\n")


class EditError(ValueError):
    """A text that is not TOML, or that can't be edited without writing some of it anew."""


class _Edit(NamedTuple):
    """A new value of one field of one table."""

    path: tuple[str | int, ...]
    """The keys that lead to the table, and its index in a list; empty for the top level."""
    field: str
    value: bool | str | list[str]
    """All of the value, for a field that is missing."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    """What is new in a list that is there, and what has to go."""


def apply_changes(text: str, changes: Iterable[Change]) -> str:
    """Return the text of a configuration file with changes made, in the order given.

    New entries of a list go to its end. A route without a policy gets a table at the end of the
    file. Raises EditError for a text that is not TOML, and for a change that no file can hold, such
    as that of a view's policy.
    """
    for change in changes:
        text = _make_edit(text, _plan_edit(change))
    return text


def set_option(text: str, name: str, value: bool | str) -> str:
    """Return the text of a configuration file with an option at its top level. Raises EditError."""
    return _make_edit(text, _Edit((), name, value))


def parse_text(text: str) -> tomlkit.TOMLDocument:
    """Return a text as a document that keeps its layout. Raises EditError."""
    try:
        return tomlkit.parse(text.removeprefix(_BOM))
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise EditError(str(error)) from None


def _plan_edit(change: Change) -> _Edit:
    place, field, value = change.place, change.field, change.value
    path: tuple[str | int, ...] = ()
    if place.kind == "view":
        raise EditError(f"the policy of {place.holder} is in no file")
    if place.kind == "route":
        path = ("routes", place.name, *(() if place.position is None else (place.position,)))
    if isinstance(value, bool):
        return _Edit(path, field, value)
    values = [entry for entry in value if isinstance(entry, str)]
    if len(values) < len(value):
        raise EditError(f"{field} has entries that no file can hold")
    before = getattr(place.policy, field, ())
    # Only what differs: the entries of a set of origins are elsewhere in the file.
    add = tuple(entry for entry in values if entry not in before)
    remove = tuple(entry for entry in before if entry not in values)
    return _Edit(path, field, values, add, remove)


def _make_edit(text: str, edit: _Edit) -> str:
    """Return the text after an edit. Raises EditError."""
    bare = text.removeprefix(_BOM)
    try:
        meaning = tomllib.loads(bare)
        _edit_meaning(meaning, edit)
    except (ValueError, RecursionError) as error:
        raise EditError(str(error)) from None
    for way in _WAYS:
        try:
            edited = _match_newlines(way(bare, edit), bare)
            if tomllib.loads(edited) == meaning:
                return text[: len(text) - len(bare)] + edited
        except (TOMLKitError, ValueError, RecursionError, LookupError):
            continue  # this way is not for this layout
    raise EditError(f"its layout leaves no place for {edit.field}")


def _match_newlines(edited: str, text: str) -> str:
    """Return an edited text with the line ends of the text before, if that has one kind."""
    is_windows = "\r\n" in text and not _BARE_NEWLINE.search(text)
    return _BARE_NEWLINE.sub("\r\n", edited) if is_windows else edited


def _edit_meaning(meaning: dict[str, Any], edit: _Edit) -> None:
    """Make the edit in a document of tomllib. Raises EditError where its path leads nowhere."""
    missing = EditError(f"it has no table for {edit.field}")
    table: Any = meaning
    for depth, key in enumerate(edit.path):
        if isinstance(table, dict) and isinstance(key, str):
            if key not in table or (depth and table[key] is False):  # false: no CORS there
                table[key] = {}
            table = table[key]
        elif isinstance(table, list) and isinstance(key, int) and key < len(table):
            table = table[key]
        else:
            raise missing
    if not isinstance(table, dict):
        raise missing
    written = table.get(edit.field)
    if isinstance(written, list) and isinstance(edit.value, list):
        kept = [entry for entry in written if entry not in edit.remove]
        table[edit.field] = kept + [entry for entry in edit.add if entry not in kept]
    else:
        table[edit.field] = edit.value


def _append_table(text: str, edit: _Edit) -> str:
    """Return a text with a table for the edit at its end. It means too much if there was one."""
    name, prefix = edit.path  # ValueError for the top level, or for a list of policies
    table = tomlkit.dumps({str(name): {str(prefix): {edit.field: edit.value}}})
    start = f"{text.rstrip()}\n\n" if text.strip() else ""
    return start + table


def _edit_document(text: str, edit: _Edit, *, by_line: bool = True) -> str:
    """Return a text with the edit made in the table that is there.

    A field that is missing gets a line behind the others, or else whatever tomlkit writes: that is
    right for keys with dots.
    """
    document = parse_text(text)
    if not edit.path:
        _edit_table(document, edit, by_line=by_line)
        return tomlkit.dumps(document)
    parent: Any = document
    for key in edit.path[:-1]:
        parent = parent[key]
    last: Any = edit.path[-1]
    table = parent[last] if isinstance(parent, list) else parent.get(last)
    line = _write_line(edit)
    if isinstance(table, InlineTable) and edit.field not in table:
        parent[last] = _extend_inline(table, line)
    elif isinstance(table, MutableMapping):
        _edit_table(table, edit, by_line=by_line)
    elif isinstance(parent, InlineTable) and last not in parent:
        key = tomlkit.key(last).as_string()
        document[str(edit.path[0])] = _extend_inline(parent, f"{key} = {{ {line} }}")
    else:
        parent[last] = tomlkit.value(f"{{ {line} }}")
    return tomlkit.dumps(document)


def _extend_inline(table: InlineTable, line: str) -> Item:
    """Return an inline table with one more assignment, as people write it."""
    inside = table.as_string()[1:-1].strip()
    return tomlkit.value(f"{{ {inside}{', ' if inside else ''}{line} }}")


def _edit_ended_document(text: str, edit: _Edit) -> str:
    """Return a text with the edit made, and with an end of its last line, which tomlkit needs."""
    return _edit_document(f"{text}\n", edit)


_WAYS: tuple[Callable[[str, _Edit], str], ...] = (
    _append_table,
    _edit_document,
    partial(_edit_document, by_line=False),
    _edit_ended_document,
)


def _edit_table(table: MutableMapping[str, Any], edit: _Edit, *, by_line: bool) -> None:
    """Make the edit in a table, or at the top level."""
    written = table.get(edit.field)
    last = _find_last_line(table) if by_line else None
    if isinstance(written, Array) and isinstance(edit.value, list):
        value = edit_set(written.as_string(), edit.add, edit.remove)
        table[edit.field] = tomlkit.value(value or "")
    elif written is None and last is not None:
        line = f"{last.trivia.indent}{_write_line(edit)}\n"
        # Right behind the other fields: a comment further down is about what follows it.
        last.trivia.trail = (last.trivia.trail or "\n") + line
    else:
        table[edit.field] = edit.value


def _find_last_line(table: MutableMapping[str, Any]) -> Item | None:
    """Return the last field of a table that is on lines of its own; None if there is none."""
    container = table.value if isinstance(table, Table) else table
    if not isinstance(container, Container):
        return None
    fields = [
        item
        for key, item in container.body
        if key is not None and not key.is_dotted() and not isinstance(item, (Table, AoT))
    ]
    return fields[-1] if fields else None


def _write_line(edit: _Edit) -> str:
    return tomlkit.dumps({edit.field: edit.value}).rstrip()
