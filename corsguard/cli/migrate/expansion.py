"""The alternatives of a regular expression, written out, where these are few."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

from corsguard.policy.regex_ast import REPEATS, parse_pattern

__all__ = ["ANY", "DIGITS", "FEW_DIGITS", "SLASHES", "compile_text", "expand", "is_anchored"]

ANY = "\x00"
"""In an alternative: any characters, of any number (`.*`)."""
DIGITS = "\x01"
"""In an alternative: digits, of any number (`[0-9]+`)."""
FEW_DIGITS = "\x02"
"""In an alternative: digits, of a limited number (`[0-9]{4}`)."""
SLASHES = "\x03"
"""In an alternative: slashes, of any number (`/*`)."""

_MOST = 32
"""More alternatives are not written out."""
_UNLIMITED = 1_000
"""A repeat of more than this is one without a limit."""
_ENDS = {"AT_BEGINNING": 0, "AT_BEGINNING_STRING": 0, "AT_END": 1, "AT_END_STRING": 1}
"""Anchor -> the end of the expression where it says nothing: 0 for the first, 1 for the last."""


def compile_text(text: str, flags: int = 0) -> re.Pattern[str] | None:
    """Compile a regular expression, without the warnings of `re`; None if it is not one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(text, flags)
    except (re.error, OverflowError, RecursionError):
        return None


def expand(pattern: re.Pattern[str]) -> list[str] | None:
    """Return texts that together say what a pattern says, or None if that takes more.

    The texts contain ANY, DIGITS, FEW_DIGITS and SLASHES besides characters that are read as they
    are. Anchors at the ends of the pattern are left out.
    """
    found = _expand_sequence(list(parse_pattern(pattern)), (True, True))
    return None if found is None else list(dict.fromkeys(found))


def is_anchored(pattern: re.Pattern[str]) -> bool:
    """Return True if a pattern ends with an anchor, so that a prefix match is one as a whole."""
    items = list(parse_pattern(pattern))
    return bool(items) and _ends_anchored(items[-1])


def _ends_anchored(item: Any) -> bool:
    operation, argument = item
    if operation.name == "AT":
        return _ENDS.get(argument.name) == 1
    if operation.name == "BRANCH":
        return all(each and _ends_anchored(list(each)[-1]) for each in map(list, argument[1]))
    if operation.name == "SUBPATTERN":
        inner = list(argument[-1])
        return bool(inner) and _ends_anchored(inner[-1])
    return False


def _expand_sequence(items: Sequence[Any], at_ends: tuple[bool, bool]) -> list[str] | None:
    """Return the alternatives of items one after the other.

    `at_ends` says if the first and the last are those of the whole expression.
    """
    texts = [""]
    for index, item in enumerate(items):
        at = (at_ends[0] and index == 0, at_ends[1] and index == len(items) - 1)
        following = _expand_item(item, at)
        if following is None or len(texts) * len(following) > _MOST:
            return None
        texts = [text + each for text in texts for each in following]
    return texts


def _expand_item(item: Any, at_ends: tuple[bool, bool]) -> list[str] | None:
    operation, argument = item
    name: str = operation.name
    if name == "LITERAL":
        return [chr(argument)] if argument > ord(SLASHES) else None
    if name == "AT":
        end = _ENDS.get(argument.name)
        return [""] if end is not None and at_ends[end] else None
    if name == "IN":  # of alternatives too that are one character each
        return _list_literals(argument)
    if name == "BRANCH":
        found: list[str] = []
        for each in argument[1]:
            texts = _expand_sequence(list(each), at_ends)
            if texts is None:
                return None
            found += texts
        return found
    if name == "SUBPATTERN":
        group, added, removed, inner = argument
        del group
        return None if added or removed else _expand_sequence(list(inner), at_ends)
    return _expand_repeat(*argument) if name in REPEATS else None


def _expand_repeat(least: int, most: int, repeated: Any) -> list[str] | None:
    items = list(repeated)
    name, argument = items[0][0].name, items[0][1]
    is_unlimited = least <= 1 and most > _UNLIMITED
    if len(items) == 1 and most > 1:
        if name == "ANY":
            return [ANY] if is_unlimited else None
        if name == "IN" and _is_digits(argument):
            return [DIGITS if is_unlimited else FEW_DIGITS]
        if name == "LITERAL" and chr(argument) == "/" and is_unlimited:
            return [SLASHES if least == 0 else f"/{SLASHES}"]
    if (least, most) != (0, 1):
        return None
    found = _expand_sequence(items, (False, False))
    return None if found is None else [*found, ""]


def _list_literals(items: Any) -> list[str] | None:
    """Return the characters of a class that lists them one by one, or None."""
    if any(operation.name != "LITERAL" or value <= ord(SLASHES) for operation, value in items):
        return None
    return [chr(value) for _, value in items]


def _is_digits(items: Any) -> bool:
    r"""Return True for the classes `[0-9]` and `\d`."""
    named = [(operation.name, getattr(value, "name", value)) for operation, value in items]
    return named in ([("RANGE", (48, 57))], [("CATEGORY", "CATEGORY_DIGIT")])
