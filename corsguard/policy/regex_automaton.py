"""The position automaton of a regular expression (Glushkov).

A position is an item of the expression that reads a character. Position 0 is before the first one.
An edge leads to a position that may read the next character, and has the number of ways to take it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from corsguard.origin import MAX_LENGTH
from corsguard.policy.regex_ast import (
    REPEATS,
    combine_flags,
    find_matching_characters,
    keep_ascii,
    parse_pattern,
)

__all__ = [
    "ALPHABET",
    "Automaton",
    "Budget",
    "BudgetExceededError",
    "Ways",
    "build_automaton",
    "decode_mask",
]

ALPHABET = string.ascii_lowercase + string.digits + string.ascii_uppercase + "-.+_:/[]"
"""The characters of valid origins: no others are passed to a regular expression."""

_MAX_STEPS = 100_000  # to build an automaton: a tenth of a second at most
_LEAVES = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})

Ways = Mapping[int, int]
"""Position -> the number of ways that lead there."""


class _Fragment(NamedTuple):
    """A part of an expression, with the ways to skip it, to begin it and to end it."""

    empty: int
    first: Ways
    last: Ways


_NOTHING = _Fragment(1, {}, {})
_NEVER = _Fragment(0, {}, {})


class BudgetExceededError(Exception):
    """The expression can't be analysed within the steps of a Budget."""


class Budget:
    """The steps that an analysis may take, which limit the time of start-up."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self.renew()

    def renew(self) -> None:
        """Allow all steps again."""
        self._left = self._steps

    def spend(self, steps: int) -> None:
        """Subtract steps. Raises BudgetExceededError where none are left."""
        self._left -= steps
        if self._left < 0:
            raise BudgetExceededError


class Automaton:
    """The automaton of one expression.

    It accepts every text over ALPHABET that `re` matches as a whole. It may accept others where
    the expression has look-arounds, word boundaries, anchors in its middle, back-references,
    conditionals, or repeats that don't give back: what it can't read exactly may match anything.
    """

    def __init__(self, pattern: re.Pattern[str], budget: Budget) -> None:
        self._budget = budget
        self.edges: list[dict[int, int]] = [{}]
        """Position -> the positions that may follow it -> the number of ways."""
        self.reads: list[frozenset[str]] = [frozenset(ALPHABET)]
        """Position -> the characters that it reads."""
        self.groups: dict[int, range] = {}
        """Number of a group -> its positions, unless a repeat has copied the group."""
        self._read_cache: dict[tuple[Any, Any, int], frozenset[str]] = {}
        self._class_cache: dict[int, Any] = {}
        start = _Fragment(0, {}, {0: 1})
        tree = parse_pattern(pattern)
        whole = self._build_sequence(tree, pattern.flags & ~re.DEBUG)
        self._concatenate(start, whole)
        self.empty: int = whole.empty
        """The number of ways to read nothing."""
        self.ends: frozenset[int] = frozenset(whole.last)
        """The positions where a text may end."""
        self._read_cache.clear()  # the parsed items may be large, and are not needed again
        self._class_cache.clear()

    def build_masks(self) -> list[int]:
        """Return position -> the characters that it reads, as bits in the order of ALPHABET."""
        bits = {character: 1 << at for at, character in enumerate(ALPHABET)}
        known: dict[frozenset[str], int] = {}
        for read in self.reads:
            if read not in known:
                known[read] = sum(map(bits.__getitem__, read))
        return [known[read] for read in self.reads]

    def _build_sequence(self, node: Any, flags: int) -> _Fragment:
        whole = _NOTHING
        for item in node:
            self._budget.spend(1)
            whole = self._concatenate(whole, self._build_item(item, flags))
        return whole

    def _build_item(self, item: Any, flags: int) -> _Fragment:
        operation, argument = item
        name: str = operation.name
        if name in _LEAVES:
            return self._add_position(self._find_characters(item, flags))
        if name in REPEATS:
            return self._build_repeat(argument, flags)
        if name == "SUBPATTERN":
            return self._build_group(argument, flags)
        if name == "ATOMIC_GROUP":  # it matches no more than a group
            return self._build_sequence(argument, flags)
        if name == "BRANCH":
            return self._alternate([self._build_sequence(node, flags) for node in argument[1]])
        if name == "GROUPREF_EXISTS":
            _, *nodes = argument
            return self._alternate([self._build_sequence(node or (), flags) for node in nodes])
        if name in {"ASSERT", "ASSERT_NOT"}:
            return self._look_around(argument, flags)
        if name == "GROUPREF":  # reads the text of a group, which may be anything
            return self._loop(self._add_position(frozenset(ALPHABET)))
        return _NEVER if name == "FAILURE" else _NOTHING

    def _build_group(self, argument: tuple[int | None, int, int, Any], flags: int) -> _Fragment:
        number, added, removed, node = argument
        before = len(self.reads)
        part = self._build_sequence(node, combine_flags(flags, added, removed))
        if number is not None:
            self.groups[number] = range(before, len(self.reads))
        return part

    def _add_position(self, characters: frozenset[str]) -> _Fragment:
        self.edges.append({})
        self.reads.append(characters)
        ways = {len(self.reads) - 1: 1}
        return _Fragment(0, ways, ways)

    def _find_characters(self, item: Any, flags: int) -> frozenset[str]:
        operation, argument = item
        if isinstance(argument, list):  # a class is parsed once, however often it repeats
            if id(argument) not in self._class_cache:
                self._class_cache[id(argument)] = argument, tuple(keep_ascii(argument, flags))
            argument = self._class_cache[id(argument)][1]
        key = operation, argument, flags
        if key not in self._read_cache:
            self._read_cache[key] = find_matching_characters((operation, argument), flags, ALPHABET)
        return self._read_cache[key]

    def _concatenate(self, left: _Fragment, right: _Fragment) -> _Fragment:
        """Return the fragment of left followed by right, and add the edges between them."""
        self._budget.spend(len(left.last) * len(right.first) + len(left.first) + len(right.last))
        for position, ways in left.last.items():
            edges = self.edges[position]
            for following, each in right.first.items():
                edges[following] = edges.get(following, 0) + ways * each
        return _Fragment(
            left.empty * right.empty,
            _merge_ways(left.first, right.first, left.empty),
            _merge_ways(right.last, left.last, right.empty),
        )

    def _alternate(self, parts: list[_Fragment]) -> _Fragment:
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for part in parts:
            self._budget.spend(len(part.first) + len(part.last))
            _add_ways(first, part.first)
            _add_ways(last, part.last)
        return _Fragment(sum(part.empty for part in parts), first, last)

    def _loop(self, part: _Fragment) -> _Fragment:
        """Return the fragment of part any number of times, and add the edges back to its start."""
        self._concatenate(part, part)
        return part._replace(empty=part.empty + 1)

    def _build_repeat(self, argument: tuple[int, int, Any], flags: int) -> _Fragment:
        least, most, node = argument
        whole = _NOTHING
        if most > MAX_LENGTH:  # no origin is longer
            whole = self._loop(self._build_sequence(node, flags))
            least, most = min(least, MAX_LENGTH), 0
        for _ in range(most - least):  # the last time comes only after those before it
            self._budget.spend(1)
            once_more = self._concatenate(self._build_sequence(node, flags), whole)
            whole = once_more._replace(empty=once_more.empty + 1)
        for _ in range(least):
            self._budget.spend(1)
            whole = self._concatenate(self._build_sequence(node, flags), whole)
        return whole

    def _look_around(self, argument: tuple[int, Any], flags: int) -> _Fragment:
        """Return the fragment of a look-around.

        A look-ahead begins to read, but its end leads to no other position.
        """
        direction, node = argument
        before = len(self.reads)
        looking = self._build_sequence(node, flags)
        if direction < 0:  # it reads the text before, which may be anything
            self.reads[before:] = [frozenset(ALPHABET)] * (len(self.reads) - before)
        return _Fragment(max(1, looking.empty), looking.first, {})


@lru_cache(1)
def build_automaton(pattern: re.Pattern[str]) -> Automaton:
    """Return the automaton of pattern, cached for the analyses that follow each other.

    Raises BudgetExceededError and RecursionError where it is too large.
    """
    return Automaton(pattern, Budget(_MAX_STEPS))


def decode_mask(mask: int) -> Iterator[str]:
    """Yield the characters of a mask, in the order of ALPHABET."""
    while mask:
        bit = mask & -mask
        mask ^= bit
        yield ALPHABET[bit.bit_length() - 1]


def _merge_ways(one: Ways, other: Ways, times: int = 1) -> Ways:
    if not times or not other:
        return one
    ways = dict(one)
    _add_ways(ways, other, times)
    return ways


def _add_ways(ways: dict[int, int], other: Ways, times: int = 1) -> None:
    for position, each in other.items():
        ways[position] = ways.get(position, 0) + each * times
