"""Reading a regular expression: what is in it, and what the texts that it covers look like."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from corsguard.origin import MAX_LENGTH

__all__ = ["REPEATS", "Piece", "has_bare_dot", "parsed", "read_by", "shapes"]

REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
"""What the standard library's parser calls a repeat."""

_SHORT = 9  # times that a repeat may take without being a long one
_MOST_SHAPES = 64
_USUAL = frozenset(string.ascii_lowercase + string.digits)


def has_bare_dot(pattern: re.Pattern[str]) -> bool:
    """Whether a `.` stands in pattern that is neither escaped nor in a class."""
    return "ANY" in _names(parsed(pattern))


def parsed(pattern: re.Pattern[str]) -> Any:
    """Read by the standard library's own parser: the syntax of `re` is not for us to read again."""
    return import_module("re._parser").parse(pattern.pattern, pattern.flags)


def read_by(item: Any, flags: int, alphabet: Iterable[str]) -> frozenset[str]:
    """The characters of alphabet that one item of a parsed pattern reads, as `re` itself says."""
    parser = import_module("re._parser")
    node = parser.SubPattern(parser.State(), [item])
    return frozenset(filter(import_module("re._compiler").compile(node, flags).fullmatch, alphabet))


def _names(node: Any) -> Iterator[str]:
    """The name of each operation in a parsed pattern."""
    for operation, argument in node:
        yield operation.name
        for child in _children(argument):
            yield from _names(child)


def _children(argument: Any) -> Iterator[Any]:
    if isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _children(part)
    elif hasattr(argument, "data"):
        yield argument


class Piece(NamedTuple):
    """A part of what a pattern matches, and whether a long repeat of it stands there."""

    text: str
    other: str = ""
    """Another text that may stand there, unless all that may are written out in the pattern."""
    repeated: bool = False


def shapes(pattern: re.Pattern[str]) -> list[tuple[Piece, ...]]:
    """The shapes of what pattern matches, optional parts left out and put in; 64 at most."""
    return _shapes(parsed(pattern))


def _shapes(node: Any) -> list[tuple[Piece, ...]]:
    shapes: list[tuple[Piece, ...]] = [()]
    for operation, argument in node:
        parts = _parts(operation, argument)
        shapes = [(*shape, *part) for shape in shapes for part in parts][:_MOST_SHAPES]
    return shapes


def _parts(operation: Any, argument: Any) -> list[tuple[Piece, ...]]:
    name: str = operation.name
    if name == "LITERAL":
        return [(Piece(chr(argument)),)]
    if name in {"IN", "NOT_LITERAL"}:
        return [(Piece(*_samples((operation, argument))),)]
    if name in REPEATS:
        least, most, child = argument
        inner = [(shape * min(max(least, 1), MAX_LENGTH))[:MAX_LENGTH] for shape in _shapes(child)]
        if most > _SHORT:
            inner = [(_joined(shape),) for shape in inner]
        return inner if least else [*inner, ()]
    if name == "BRANCH":
        return [shape for branch in argument[1] for shape in _shapes(branch)]
    if name == "SUBPATTERN":
        return _shapes(argument[-1])
    return _shapes(argument) if name == "ATOMIC_GROUP" else [()]


def _joined(shape: tuple[Piece, ...]) -> Piece:
    other = "".join(piece.other or piece.text for piece in shape)
    return Piece("".join(piece.text for piece in shape), other, repeated=True)


def _samples(item: Any) -> tuple[str, str]:
    """Two characters that a class matches, for the usual ones; the second is empty where the class
    lists its members one by one."""
    operation, argument = item
    if operation.name != "IN" or argument[0][0].name == "NEGATE":
        read = sorted(read_by(item, 0, _USUAL)) or ["a"]
        return read[0], read[-1]
    for operation, value in argument:
        if operation.name == "RANGE":
            first, last = value
            return chr(first).lower(), chr(last).lower()
        if operation.name == "CATEGORY":
            return ("7", "3") if value.name == "CATEGORY_DIGIT" else ("a", "b")
    return chr(argument[0][1]), ""
