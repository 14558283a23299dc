"""The statements and values in a text of TOML: where they are.

tomllib says what a text means, but not where that is written. The text must be valid TOML: of any
other, some statements are left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from corsguard.escaping import quote

__all__ = [
    "BLOCK_QUOTES",
    "Statement",
    "iter_statements",
    "iter_tokens",
    "quote_key",
    "quote_text",
]

BLOCK_QUOTES = ("'''", '"""')
"""What a multi-line string begins and ends with."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_HEADER = re.compile(rf"\[\[?[ \t]*({_KEY})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"({_KEY})[ \t]*=[ \t]*")
_TOKEN = re.compile(
    r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\[\]{},]|#[^\n]*|[ \t\r]+|\n|[^"'\[\]{},# \t\r\n]+"""
)
_REST_OF_LINE = re.compile(r"[^#\n]*")
_DEPTHS = {"[": 1, "{": 1, "]": -1, "}": -1}


class Statement(NamedTuple):
    """The header of a table, or an assignment."""

    path: tuple[str, ...]
    """The keys, from the top level on."""
    is_header: bool
    start: int
    value: int
    """The start of the value; that of a header is its end."""
    end: int


def iter_statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a text in order. Those in an inline table are a part of its value."""
    table: tuple[str, ...] = ()
    at = 0
    while (at := _match_end(_SPACE, text, at)) < len(text):
        start = at
        if header := _HEADER.match(text, at):
            table, at = _read_key(header[1]), header.end()
            yield Statement(table, True, start, at, at)
        elif assignment := _ASSIGNMENT.match(text, at):
            value = assignment.end()
            at = _find_value_end(text, value)
            yield Statement((*table, *_read_key(assignment[1])), False, start, value, at)
        else:
            return


def iter_tokens(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each token of a value, up to one that is not TOML.

    A token is a string, a bracket, a comma, white space, a comment or a bare word.
    """
    while (end := _find_token_end(text, at)) > at:
        yield at, end
        at = end


def _find_token_end(text: str, at: int) -> int:
    """Return the end of the token at a place, or the place if there is none."""
    if text.startswith(BLOCK_QUOTES, at):
        return _find_block_end(text, at)
    return _match_end(_TOKEN, text, at)


def quote_text(text: str) -> str:
    """Return a string in TOML."""
    return quote(text).replace("\x7f", "\\u007f")  # which JSON does not escape


def quote_key(name: str) -> str:
    """Return a key in TOML, in quotes if it needs them."""
    return name if _BARE_KEY.fullmatch(name) else quote_text(name)


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _read_key(key: str) -> tuple[str, ...]:
    """Return the parts of a dotted key."""
    parts: list[str] = []
    table: object = tomllib.loads(f"{key} = 0")
    while isinstance(table, dict):
        ((part, table),) = table.items()
        parts.append(part)
    return tuple(parts)


def _find_value_end(text: str, start: int) -> int:
    """Return the end of the value that begins at start."""
    if text[start : start + 1] not in ("[", "{", '"', "'"):
        return _match_end(_REST_OF_LINE, text, start)
    depth = 0
    for at, end in iter_tokens(text, start):
        depth += _DEPTHS.get(text[at:end], 0)
        if not depth:
            return end
    return len(text)


def _find_block_end(text: str, start: int) -> int:
    """Return the end of the multi-line string at start."""
    quotes = text[start : start + 3]
    at = text.find(quotes, start + 3)
    while at > 0 and quotes == '"""' and _is_escaped(text, at):
        at = text.find(quotes, at + 1)
    if at < 0:
        return len(text)
    at += 3
    while text.startswith(quotes[0], at):  # up to two quotes may come before the end
        at += 1
    return at


def _is_escaped(text: str, at: int) -> bool:
    """Return True if an odd number of backslashes is before a place."""
    start = at
    while text[start - 1] == "\\":
        start -= 1
    return (at - start) % 2 == 1
