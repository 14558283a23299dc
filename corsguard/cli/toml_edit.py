"""Edits of a configuration file that keep its comments, its order and its layout.

An edit is made twice: in what the text means, and in the text. Its result is returned only if the
new text means just that.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from corsguard.explain.changes import Change

__all__ = ["EditError", "apply_changes", "parse_document", "set_option"]

_BOM = "\ufeff"

Table = MutableMapping[str, Any]
"""A table of tomlkit, or a dict of tomllib."""


class _Style(NamedTuple):
    """The forms of the tables that an edit adds: each a function that returns an empty one."""

    implicit: Callable[[], Table]
    """A table without a header, which only contains other tables."""
    table: Callable[[], Table]
    inline: Callable[[], Table]


_MEANING = _Style(dict, dict, dict)
_STYLES = (
    _Style(partial(tomlkit.table, is_super_table=True), tomlkit.table, tomlkit.inline_table),
    # Where keys with dots define the table above, no header can follow them.
    _Style(*[tomlkit.inline_table] * 3),
)
_Edit = Callable[[Table, _Style], None]
"""Edits a document, and adds tables in a style."""


class EditError(ValueError):
    """A text that is not TOML, or that can't be edited without writing some of it anew."""


def apply_changes(text: str, changes: Iterable[Change]) -> str:
    """Return the text of a configuration file with changes made, in the order given.

    New entries of a list go to its end. The list is written anew only where entries have to go.
    Raises EditError for a text that is not TOML, and for a change of a view's policy, which is in
    no file.
    """
    for change in changes:
        text = _edit(text, partial(_apply, change=change))
    return text


def set_option(text: str, name: str, value: bool | str) -> str:
    """Return the text of a configuration file with an option at its top level. Raises EditError."""

    def edit(document: Table, _style: _Style) -> None:
        document[name] = value

    return _edit(text, edit)


def parse_document(text: str) -> tomlkit.TOMLDocument:
    """Return a text as a document that remembers its layout. Raises EditError."""
    try:
        return tomlkit.parse(text.removeprefix(_BOM))
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise EditError(f"it can't be parsed: {error}") from None


def _edit(text: str, edit: _Edit) -> str:
    """Return the text after an edit. Raises EditError."""
    bare = text.removeprefix(_BOM)
    try:
        meaning = tomllib.loads(bare)
        edit(meaning, _MEANING)
        for style in _STYLES:
            document = parse_document(bare)
            edit(document, style)
            edited = tomlkit.dumps(document)
            if _means(edited, meaning):
                return text[: len(text) - len(bare)] + edited
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise EditError(str(error)) from None
    raise EditError("its layout leaves no place for the change")


def _means(text: str, meaning: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == meaning
    except tomllib.TOMLDecodeError:
        return False


def _apply(document: Table, style: _Style, *, change: Change) -> None:
    """Make a change in a document."""
    place = change.place
    if place.kind == "view":
        raise EditError(f"the policy of {place.holder} is in no file")
    table = document
    if place.kind == "route":
        table = _find_route(document, place.name, place.position or 0, style)
    _set_field(table, change)


def _find_route(document: Table, prefix: str, position: int, style: _Style) -> Table:
    """Return the table of the policy of a route, which is added where there is none."""
    if "routes" not in document:
        document["routes"] = style.implicit()
    routes: Table = document["routes"]
    found = routes.get(prefix)
    if isinstance(found, list):
        found = found[position]
    elif prefix not in routes:
        routes[prefix] = style.table()
    elif not isinstance(found, MutableMapping):  # false: no CORS there
        routes[prefix] = style.inline()
    table: Table = found if isinstance(found, MutableMapping) else routes[prefix]
    return table


def _set_field(table: Table, change: Change) -> None:
    if isinstance(change.value, bool):
        table[change.field] = change.value
        return
    values = [value for value in change.value if isinstance(value, str)]
    if len(values) < len(change.value):
        raise EditError(f"{change.field} has entries that no file can hold")
    before = getattr(change.place.policy, change.field, ())
    written = table.get(change.field)
    if isinstance(written, list) and change.value[: len(before)] == before:
        # Only what is new: the entries of a set of origins are elsewhere in the file.
        for value in values[len(before) :]:
            written.append(value)
    else:
        table[change.field] = values
