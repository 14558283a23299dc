"""The candidate in the text of a document: put it there, make it the policy, or remove it.

The text is cut at the headers of its tables, so that every comment stays with what it is about.
Each result is read again, and compared with what it must mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from corsguard.guard.origin_sets import read_set
from corsguard.sources.toml_text import Statement, iter_statements, quote_key

__all__ = ["EditError", "add_candidate", "discard_candidate", "promote_candidate"]

_CANDIDATE = "candidate"
_SETS = "origin_sets"
_BESIDE = (_CANDIDATE, _SETS)


class EditError(ValueError):
    """A text that can't be edited. The message says what to write instead."""


class _Section(NamedTuple):
    """The text of a table, with its header and the comments directly above that."""

    path: tuple[str, ...]
    """The keys of the table; empty for what is before the first header."""
    comments: str
    is_list: bool
    """True for an entry of a list of tables, `[[...]]`."""
    rest: str
    """All after the header."""

    def format_as(self, path: tuple[str, ...]) -> str:
        """Return the text with the header of another table; none for the top level."""
        if not path:
            return self.comments + self.rest.removeprefix("\n")
        left, right = ("[[", "]]") if self.is_list else ("[", "]")
        header = f"{left}{'.'.join(map(quote_key, path))}{right}"
        return f"{self.comments}{header}{self.rest}"

    @property
    def text(self) -> str:
        return self.format_as(self.path)


def promote_candidate(text: str) -> str:
    """Return a document in which the candidate is the policy. Its sets stay as they are.

    Raises EditError if it has no candidate, or one that is no table of its own.
    """
    mapping, sections = _read_with_candidate(text)
    parts = [_find_title(sections[0].rest)]
    parts += [each.format_as(()) for each in sections if each.path == (_CANDIDATE,)]
    for section in sections:
        if section.path[:1] == (_SETS,):
            parts.append(section.text)
        elif section.path[:1] == (_CANDIDATE,) and len(section.path) > 1:
            parts.append(section.format_as(section.path[1:]))
    sets = {_SETS: mapping[_SETS]} if _SETS in mapping else {}
    return _join(parts, {**mapping[_CANDIDATE], **sets})


def discard_candidate(text: str) -> str:
    """Return a document without its candidate.

    Raises EditError if it has none, or one that is no table of its own.
    """
    mapping, sections = _read_with_candidate(text)
    parts = [each.text for each in sections if each.path[:1] != (_CANDIDATE,)]
    return _join(parts, _leave_out(mapping, _CANDIDATE))


def add_candidate(text: str, candidate: str) -> str:
    """Return a document with another document as its candidate, in place of one that it has.

    The sets of the candidate that the document lacks are added to those of the document. Raises
    EditError if it has others by the same name, or if the candidate has a candidate.
    """
    given, sections = _read(candidate)
    if _CANDIDATE in given:
        raise EditError("the candidate has a candidate itself: remove its table [candidate]")
    base = discard_candidate(text) if _CANDIDATE in _read(text)[0] else text
    base = _add_sets(base, candidate, given.get(_SETS, {}))
    parts = [base, f"[{_CANDIDATE}]\n{sections[0].rest}"]
    parts += [
        each.format_as((_CANDIDATE, *each.path)) for each in sections[1:] if each.path[0] != _SETS
    ]
    return _join(parts, {**tomllib.loads(base), _CANDIDATE: _leave_out(given, _SETS)})


def _read_with_candidate(text: str) -> tuple[dict[str, Any], Sequence[_Section]]:
    mapping, sections = _read(text)
    if _CANDIDATE not in mapping:
        raise EditError("the document has no candidate")
    return mapping, sections


def _leave_out(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _add_sets(text: str, candidate: str, sets: Mapping[str, Any]) -> str:
    """Return a document with the sets of a candidate that it lacks."""
    mapping, sections = _read(text)
    there = mapping.get(_SETS, {})
    for name, value in sets.items():
        if name in there and read_set(there[name]) != read_set(value):
            raise EditError(
                f"the set {name} has other origins than the published one, which a candidate"
                " shares: give --keep-sets, or change it with --add and --remove"
            )
    lines = "".join(
        f"{candidate[each.start : each.end]}\n"
        for each in iter_statements(candidate)
        if each.path[0] == _SETS and len(each.path) == 2 and each.path[1] not in there
    )
    if not lines:
        return text
    if there:
        parts = [
            f"{each.text.rstrip()}\n{lines}" if each.path == (_SETS,) else each.text
            for each in sections
        ]
    else:
        parts = [*(each.text for each in sections if each.path != (_SETS,)), f"[{_SETS}]\n{lines}"]
    return _join(parts, {**mapping, _SETS: {**sets, **there}})


def _iter_sections(text: str, statements: Sequence[Statement]) -> Iterator[_Section]:
    indices = [index for index, each in enumerate(statements) if each.is_header]
    starts = [
        _find_comments(text, statements[index - 1].end if index else 0, statements[index].start)
        for index in indices
    ]
    ends = [*starts, len(text)]
    yield _Section((), "", False, text[: ends[0]])
    for index, start, end in zip(indices, starts, ends[1:], strict=True):
        header = statements[index]
        line = text.rfind("\n", 0, header.start) + 1
        is_list = text.startswith("[[", header.start)
        yield _Section(header.path, text[start:line], is_list, text[header.end : end])


def _find_comments(text: str, after: int, header: int) -> int:
    """Return the start of the comment lines directly above a header.

    `after` is the end of the statement before it.
    """
    start = text.rfind("\n", 0, header) + 1
    while start > after:
        line = text.rfind("\n", 0, start - 1) + 1
        if line < after or not text[line:start].lstrip().startswith("#"):
            break
        start = line
    return start


def _find_title(text: str) -> str:
    """Return the comment that a document begins with, up to an empty line; empty without one."""
    title, separator, _ = text.partition("\n\n")
    lines = title.splitlines()
    return title + separator if separator and all(line.startswith("#") for line in lines) else ""


def _read(text: str) -> tuple[dict[str, Any], Sequence[_Section]]:
    """Return what a document means, and its sections; the first is what is before any header.

    Raises EditError if its candidate, or its sets, are no tables of their own.
    """
    mapping, statements = tomllib.loads(text), [*iter_statements(text)]
    keys = {each.path[0] for each in takewhile(lambda each: not each.is_header, statements)}
    for name in _BESIDE:
        if name in keys or not isinstance(mapping.get(name, {}), dict):
            raise EditError(f"the document has {name} as a key: write it as a table, [{name}]")
    return mapping, [*_iter_sections(text, statements)]


def _join(parts: Sequence[str], expected: Mapping[str, Any]) -> str:
    """Return the text of a document, once it is certain that it means what is expected."""
    stripped = (each.strip("\n") for each in parts)
    text = "\n\n".join(each for each in stripped if each) + "\n"
    if tomllib.loads(text) != expected:
        raise EditError("the tables of the document can't be moved: write each as [table]")
    return text
