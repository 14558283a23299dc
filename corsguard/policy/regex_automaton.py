"""The position automaton of a regular expression (Glushkov): read once, asked about many texts.

A place is an item of the expression that reads a character; place 0 stands before the first one. An
edge leads to a place that may read the next character, and knows in how many ways it can be taken.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from corsguard.origin import MAX_LENGTH
from corsguard.policy.regex_ast import REPEATS, in_ascii, parsed, read_by, scoped

__all__ = [
    "ALPHABET",
    "Automaton",
    "Budget",
    "TooMuchError",
    "Ways",
    "automaton_of",
    "characters_of",
]

ALPHABET = string.ascii_lowercase + string.digits + string.ascii_uppercase + "-.+_:/[]"
"""The characters of valid origins: no others are passed to a regular expression."""

_MOST_WORK = 100_000  # steps to build an automaton, so that it takes a tenth of a second at most
_LEAVES = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})

Ways = Mapping[int, int]
"""Place -> the number of ways that lead there."""


class _Part(NamedTuple):
    """A part of an expression: the ways to read nothing with it, to begin it and to end it."""

    empty: int
    first: Ways
    last: Ways


_NOTHING = _Part(1, {}, {})
_NEVER = _Part(0, {}, {})


class TooMuchError(Exception):
    """The expression can't be examined within the steps of a Budget."""


class Budget:
    """The steps that an examination may take, so that start-up never takes long."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self.renew()

    def renew(self) -> None:
        """Allow all steps again."""
        self._left = self._steps

    def spend(self, steps: int) -> None:
        """Take steps off; raise TooMuchError where none are left."""
        self._left -= steps
        if self._left < 0:
            raise TooMuchError


class Automaton:
    """The automaton of one expression.

    It accepts every text over ALPHABET that `re` matches as a whole. It may accept others where
    the expression has look-arounds, word boundaries, anchors in its middle, back-references,
    conditionals, or repeats that don't give back: what it can't read exactly may match anything.
    """

    def __init__(self, pattern: re.Pattern[str], budget: Budget) -> None:
        self._budget = budget
        self.edges: list[dict[int, int]] = [{}]
        """From a place to those that may follow, and in how many ways."""
        self.reads = [frozenset(ALPHABET)]
        """What each place reads."""
        self.groups: dict[int, range] = {}
        """The places of each group, where no repeat has written it out several times."""
        self._known: dict[tuple[Any, Any, int], frozenset[str]] = {}
        self._classes: dict[int, Any] = {}
        start = _Part(0, {}, {0: 1})
        tree = parsed(pattern)
        whole = self._sequence(tree, pattern.flags & ~re.DEBUG)
        self._joined(start, whole)
        self.empty = whole.empty
        """The ways to read nothing."""
        self.ends = frozenset(whole.last)
        """The places where a text may end."""
        self._known.clear()  # what was parsed may be large, and is not needed again
        self._classes.clear()

    def masks(self) -> list[int]:
        """What each place reads, as the bits of a number, in the order of ALPHABET."""
        bits = {character: 1 << at for at, character in enumerate(ALPHABET)}
        known: dict[frozenset[str], int] = {}
        for read in self.reads:
            if read not in known:
                known[read] = sum(map(bits.__getitem__, read))
        return [known[read] for read in self.reads]

    def _sequence(self, node: Any, flags: int) -> _Part:
        whole = _NOTHING
        for item in node:
            self._budget.spend(1)
            whole = self._joined(whole, self._part(item, flags))
        return whole

    def _part(self, item: Any, flags: int) -> _Part:
        operation, argument = item
        name: str = operation.name
        if name in _LEAVES:
            return self._place(self._characters(item, flags))
        if name in REPEATS:
            return self._repeat(argument, flags)
        if name == "SUBPATTERN":
            return self._group(argument, flags)
        if name == "ATOMIC_GROUP":  # tries less than a group, so what holds for a group will do
            return self._sequence(argument, flags)
        if name == "BRANCH":
            return self._either([self._sequence(node, flags) for node in argument[1]])
        if name == "GROUPREF_EXISTS":
            _, *nodes = argument
            return self._either([self._sequence(node or (), flags) for node in nodes])
        if name in {"ASSERT", "ASSERT_NOT"}:
            return self._looked_around(argument, flags)
        if name == "GROUPREF":  # reads what a group did, which may be anything
            return self._again(self._place(frozenset(ALPHABET)))
        return _NEVER if name == "FAILURE" else _NOTHING

    def _group(self, argument: tuple[int | None, int, int, Any], flags: int) -> _Part:
        number, added, removed, node = argument
        before = len(self.reads)
        part = self._sequence(node, scoped(flags, added, removed))
        if number is not None:
            self.groups[number] = range(before, len(self.reads))
        return part

    def _place(self, characters: frozenset[str]) -> _Part:
        self.edges.append({})
        self.reads.append(characters)
        ways = {len(self.reads) - 1: 1}
        return _Part(0, ways, ways)

    def _characters(self, item: Any, flags: int) -> frozenset[str]:
        operation, argument = item
        if isinstance(argument, list):  # a class is looked through once, however often it repeats
            if id(argument) not in self._classes:
                self._classes[id(argument)] = argument, tuple(in_ascii(argument, flags))
            argument = self._classes[id(argument)][1]
        key = operation, argument, flags
        if key not in self._known:
            self._known[key] = read_by((operation, argument), flags, ALPHABET)
        return self._known[key]

    def _joined(self, left: _Part, right: _Part) -> _Part:
        """One part behind the other."""
        self._budget.spend(len(left.last) * len(right.first) + len(left.first) + len(right.last))
        for place, ways in left.last.items():
            edges = self.edges[place]
            for following, each in right.first.items():
                edges[following] = edges.get(following, 0) + ways * each
        return _Part(
            left.empty * right.empty,
            _sum(left.first, right.first, left.empty),
            _sum(right.last, left.last, right.empty),
        )

    def _either(self, parts: list[_Part]) -> _Part:
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for part in parts:
            self._budget.spend(len(part.first) + len(part.last))
            _add(first, part.first)
            _add(last, part.last)
        return _Part(sum(part.empty for part in parts), first, last)

    def _again(self, part: _Part) -> _Part:
        """The part any number of times."""
        self._joined(part, part)
        return part._replace(empty=part.empty + 1)

    def _repeat(self, argument: tuple[int, int, Any], flags: int) -> _Part:
        least, most, node = argument
        whole = _NOTHING
        if most > MAX_LENGTH:  # no origin is longer
            whole = self._again(self._sequence(node, flags))
            least, most = min(least, MAX_LENGTH), 0
        for _ in range(most - least):  # the last time comes only after those before it
            self._budget.spend(1)
            once_more = self._joined(self._sequence(node, flags), whole)
            whole = once_more._replace(empty=once_more.empty + 1)
        for _ in range(least):
            self._budget.spend(1)
            whole = self._joined(self._sequence(node, flags), whole)
        return whole

    def _looked_around(self, argument: tuple[int, Any], flags: int) -> _Part:
        """What looks ahead begins to read, and its end leads nowhere."""
        direction, node = argument
        before = len(self.reads)
        looking = self._sequence(node, flags)
        if direction < 0:  # it has read what came before, which may be anything
            self.reads[before:] = [frozenset(ALPHABET)] * (len(self.reads) - before)
        return _Part(max(1, looking.empty), looking.first, {})


@lru_cache(1)
def automaton_of(pattern: re.Pattern[str]) -> Automaton:
    """Return the automaton of pattern, which several questions are put to in turn.

    Raises TooMuchError and RecursionError where it is too large.
    """
    return Automaton(pattern, Budget(_MOST_WORK))


def characters_of(mask: int) -> Iterator[str]:
    """Yield what the bits of a mask stand for, in the order of ALPHABET."""
    while mask:
        bit = mask & -mask
        mask ^= bit
        yield ALPHABET[bit.bit_length() - 1]


def _sum(one: Ways, other: Ways, times: int = 1) -> Ways:
    if not times or not other:
        return one
    ways = dict(one)
    _add(ways, other, times)
    return ways


def _add(ways: dict[int, int], other: Ways, times: int = 1) -> None:
    for place, each in other.items():
        ways[place] = ways.get(place, 0) + each * times
