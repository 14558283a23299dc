"""Reading a regular expression: what it repeats, how long it may take, and what it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from typing import Any, NamedTuple

from corsguard.origin import MAX_LENGTH

__all__ = ["Piece", "has_adjacent_repeats", "has_bare_dot", "has_nested_repeat", "shapes"]

_SHORT = 9  # times that a repeat may take without being a long one
_MOST_SHAPES = 64
_MOST_ADJACENT = 3
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


def has_bare_dot(pattern: re.Pattern[str]) -> bool:
    """Whether a `.` stands in pattern that is neither escaped nor in a class."""
    return any(name == "ANY" for name, _, _ in _operations(pattern))


def has_nested_repeat(pattern: re.Pattern[str]) -> bool:
    """Whether a long repeat or a choice stands in a long repeat: exponential time on a mismatch."""
    return any(inside and (long or name == "BRANCH") for name, long, inside in _operations(pattern))


def has_adjacent_repeats(pattern: re.Pattern[str]) -> bool:
    """Whether more than three long repeats stand side by side: n of them take the length to the
    power of n."""
    return any(
        repeated and len(list(pieces)) > _MOST_ADJACENT
        for shape in shapes(pattern)
        for repeated, pieces in groupby(shape, lambda piece: piece.repeated)
    )


def _operations(pattern: re.Pattern[str]) -> Iterator[tuple[str, bool, bool]]:
    """Each operation's name, whether it is a long repeat, and whether it is in one."""
    return _walk(_parsed(pattern), inside=False)


def _parsed(pattern: re.Pattern[str]) -> Any:
    """Read by the standard library's own parser: the syntax of `re` is not for us to read again."""
    return import_module("re._parser").parse(pattern.pattern, pattern.flags)


def _walk(node: Any, *, inside: bool) -> Iterator[tuple[str, bool, bool]]:
    for operation, argument in node:
        long = operation.name in _REPEATS and argument[1] > _SHORT
        yield operation.name, long, inside
        for child in _children(argument):
            yield from _walk(child, inside=inside or long)


def _children(argument: Any) -> Iterator[Any]:
    if isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _children(part)
    elif hasattr(argument, "data"):
        yield argument


class Piece(NamedTuple):
    """A part of what a pattern matches, and whether a long repeat stands there."""

    text: str
    repeated: bool


def shapes(pattern: re.Pattern[str]) -> list[tuple[Piece, ...]]:
    """The shapes of what pattern matches, optional parts left out and put in; 64 at most."""
    return _shapes(_parsed(pattern))


def _shapes(node: Any) -> list[tuple[Piece, ...]]:
    shapes: list[tuple[Piece, ...]] = [()]
    for operation, argument in node:
        parts = _parts(operation.name, argument)
        shapes = [(*shape, *part) for shape in shapes for part in parts][:_MOST_SHAPES]
    return shapes


def _parts(name: str, argument: Any) -> list[tuple[Piece, ...]]:
    if name == "LITERAL":
        return [(Piece(chr(argument), repeated=False),)]
    if name in {"IN", "NOT_LITERAL", "CATEGORY"}:
        return [(Piece(_sample(name, argument), repeated=False),)]
    if name in _REPEATS:
        least, most, child = argument
        inner = [(shape * min(max(least, 1), MAX_LENGTH))[:MAX_LENGTH] for shape in _shapes(child)]
        if most > _SHORT:
            inner = [(Piece("".join(p.text for p in shape), repeated=True),) for shape in inner]
        return inner if least else [*inner, ()]
    if name == "BRANCH":
        return [shape for branch in argument[1] for shape in _shapes(branch)]
    if name == "SUBPATTERN":
        return _shapes(argument[-1])
    return _shapes(argument) if name == "ATOMIC_GROUP" else [()]


def _sample(name: str, argument: Any) -> str:
    """A character that a class matches, for the usual ones."""
    if name != "IN":
        return "a"
    first, value = argument[0]
    if first.name in {"LITERAL", "RANGE"}:
        return chr(value if first.name == "LITERAL" else value[0])
    return "7" if first.name == "CATEGORY" and value.name == "CATEGORY_DIGIT" else "a"
