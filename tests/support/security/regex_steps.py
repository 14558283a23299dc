"""A regular expression that counts its steps: a backtracking matcher, as `re` is one, but slower.

It takes every way that `re` could, in the same order and without any of its short cuts, so what
is linear here is linear there; and steps are the same on every machine, unlike seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Program(NamedTuple):
    """A regular expression as text, and as the instructions of a backtracking machine.

    An instruction is the characters that it reads, or how far ahead to go on, in turn.
    """

    text: str
    code: tuple[frozenset[str] | tuple[int, ...], ...]
    reads_nothing: bool = False
    """Whether it covers the empty text."""


def character_class(text: str, characters: Iterable[str]) -> Program:
    return Program(text, (frozenset(characters),))


def literal(text: str) -> Program:
    return Program(text.replace(".", r"\."), tuple(frozenset(character) for character in text))


def concatenate(parts: Iterable[Program]) -> Program:
    whole = Program("", (), reads_nothing=True)
    for part in parts:
        whole = Program(
            whole.text + part.text,
            whole.code + part.code,
            whole.reads_nothing and part.reads_nothing,
        )
    return whole


def alternate(one: Program, other: Program) -> Program:
    text = f"(?:{one.text}|{other.text})"
    match one.code, other.code:
        case (frozenset(first),), (frozenset(second),):  # `re` makes them one class, too
            return character_class(text, first | second)
    skip = (len(other.code) + 1,)
    code = ((1, len(one.code) + 2), *one.code, skip, *other.code)
    empty = one.reads_nothing or other.reads_nothing
    return Program(text, code, empty)


def repeat(part: Program, least: int, most: int | None) -> Program:
    """Return `part{least,most}`; part must read something, as `re` stops an empty repeat."""
    assert not part.reads_nothing
    size = len(part.code)
    code = part.code * least
    if most is None:
        code += ((1, size + 2), *part.code, (-size - 1,))
    else:
        for left in range(most - least, 0, -1):
            code += ((1, left * (size + 1)), *part.code)
    return Program(f"(?:{part.text}){{{least},{'' if most is None else most}}}", code, not least)


def count_steps(shown: Program, text: str, most: int) -> int:
    """Return the steps until a match or a failure; counting stops soon after most."""
    taken, waiting = 0, [(0, 0)]
    while waiting and taken <= most:
        at, place = waiting.pop()
        taken += 1
        if at == len(shown.code):
            if place == len(text):
                break
            continue
        instruction = shown.code[at]
        if isinstance(instruction, tuple):
            waiting.extend((at + ahead, place) for ahead in reversed(instruction))
        elif place < len(text) and text[place] in instruction:
            waiting.append((at + 1, place + 1))
    return taken


def growth_factor(
    shown: Program, text: Callable[[int], str], size: int, most: int = 2_000_000
) -> float:
    """Return the growth of the steps as a text doubles: 2 if linear, 4 if quadratic.

    Compared are the differences, which have no constant part.
    """
    short, middle, long = (count_steps(shown, text(size * times), most) for times in (1, 2, 4))
    return (long - middle) / max(middle - short, 1)
