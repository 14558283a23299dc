"""The syntax tree of a regular expression, parsed by the standard library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = [
    "REPEATS",
    "UNSUPPORTED_CONSTRUCTS",
    "combine_flags",
    "find_matching_characters",
    "has_bare_dot",
    "has_letters_of_other_case",
    "keep_ascii",
    "list_inexact_constructs",
    "parse_pattern",
]

REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
"""The repeats, as the standard library's parser names them."""

_TYPES = re.ASCII | re.LOCALE | re.UNICODE
_CONSTRUCT_NAMES = {
    "GROUPREF": "a back-reference",
    "GROUPREF_EXISTS": "a conditional",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive repeat",
}
UNSUPPORTED_CONSTRUCTS = frozenset({"a back-reference", "a conditional", "a look-behind"})
"""Constructs that depend on the text read before, which an automaton does not store."""
_BOUNDARY_NAMES = {"AT_BOUNDARY": r"a \b", "AT_NON_BOUNDARY": r"a \B"}
_LOOK_AROUNDS = frozenset({"ASSERT", "ASSERT_NOT"})


@lru_cache(64)
def has_bare_dot(pattern: re.Pattern[str]) -> bool:
    """Return True if pattern has a `.` that is neither escaped nor in a class."""
    return any(operation.name == "ANY" for operation, _ in _walk_operations(parse_pattern(pattern)))


def has_letters_of_other_case(pattern: re.Pattern[str]) -> bool:
    """Return True if IGNORECASE may change what pattern matches in a text in lower case.

    It does for characters with another case: those in upper case, and those outside ASCII, of
    which some have an ASCII letter as their other case. A range may contain them without naming
    them, such as `[@-_]`.
    """
    for operation, argument in _walk_operations(parse_pattern(pattern)):
        for each, value in argument if operation.name == "IN" else [(operation, argument)]:
            if each.name in {"RANGE", "LITERAL", "NOT_LITERAL"}:
                first, last = value if each.name == "RANGE" else (value, value)
                if last > 127 or (first <= ord("Z") and last >= ord("A")):
                    return True
    return False


def list_inexact_constructs(pattern: re.Pattern[str]) -> list[str]:
    """Return the names of the constructs in pattern that an automaton can't read exactly."""
    named = (_name_construct(*each) for each in _walk_operations(parse_pattern(pattern)))
    return list(dict.fromkeys(filter(None, named)))


def parse_pattern(pattern: re.Pattern[str]) -> Any:
    """Return the syntax tree of pattern, a list of pairs of an operation and its argument."""
    return import_module("re._parser").parse(pattern.pattern, pattern.flags & ~re.DEBUG)


def combine_flags(flags: int, added: int, removed: int) -> int:
    """Return the flags that apply in a group such as `(?i-s:...)`."""
    if added & _TYPES:  # these exclude each other
        flags &= ~_TYPES
    return (flags | added) & ~removed


def find_matching_characters(item: Any, flags: int, alphabet: Iterable[str]) -> frozenset[str]:
    """Return the characters of alphabet that one item of a parsed pattern reads."""
    operation, argument = item
    if operation.name == "LITERAL" and not flags & re.IGNORECASE:
        return frozenset(chr(argument)).intersection(alphabet)
    if operation.name == "IN" and not argument:  # which `re` does not compile
        return frozenset()
    parser = import_module("re._parser")
    node = parser.SubPattern(parser.State(), [item])
    return frozenset(filter(import_module("re._compiler").compile(node, flags).fullmatch, alphabet))


def keep_ascii(items: list[Any], flags: int) -> list[Any]:
    """Return the items of a class that can match ASCII characters."""
    if flags & re.IGNORECASE:  # some other letters have an ASCII letter as their other case
        return items
    return [
        (operation, value)
        for operation, value in items
        if operation.name not in {"LITERAL", "RANGE"} or _first_code_point(value) < 128
    ]


def _first_code_point(value: int | tuple[int, int]) -> int:
    return value if isinstance(value, int) else value[0]


def _name_construct(operation: Any, argument: Any) -> str | None:
    name: str = operation.name
    if name in _LOOK_AROUNDS:
        return "a look-ahead" if argument[0] > 0 else "a look-behind"
    if name == "AT":
        return _BOUNDARY_NAMES.get(argument.name)
    return _CONSTRUCT_NAMES.get(name)


def _walk_operations(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each operation in a parsed pattern, with its argument."""
    for operation, argument in node:
        yield operation, argument
        for child in _find_subpatterns(argument):
            yield from _walk_operations(child)


def _find_subpatterns(argument: Any) -> Iterator[Any]:
    if isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _find_subpatterns(part)
    elif hasattr(argument, "data"):
        yield argument
