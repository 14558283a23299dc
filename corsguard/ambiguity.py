"""How much `re` may have to try: whether a regular expression answers in linear time.

And what the same automaton tells besides: whether there is an origin that it matches.

`re` backtracks: where a text does not match, it tries every way in which the pattern reads any
beginning of it. So the time is linear exactly where the number of these ways has a bound, whatever
the text is. The pattern is turned into a position automaton (Glushkov), where a state is a place
that reads a character and an edge knows in how many ways it can be taken. It is then run on all
texts at once, counting the ways that lead to each state.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from corsguard.origin import MAX_LENGTH
from corsguard.regex import REPEATS, parsed, read_by

__all__ = ["MOST_WAYS", "is_linear", "may_match"]

MOST_WAYS = 32
"""Ways in which a pattern may read one and the same text, besides its alternatives: enough for
what overlaps by a few characters, and soon passed by what grows with the text."""

_MOST_WORK = 100_000  # steps, so that judging takes a tenth of a second at most
_ALPHABET = frozenset(string.ascii_letters + string.digits + "+-._:/[]")
"""All characters of origins that are valid, and no others are handed to a regular expression."""
_SCHEME = frozenset(string.ascii_lowercase + string.digits + "+-.")
_BEHIND = _ALPHABET - {"/"}
_ORIGIN: tuple[tuple[tuple[frozenset[str], int], ...], ...] = (
    ((frozenset(string.ascii_lowercase), 1),),
    ((_SCHEME, 1), (frozenset(":"), 2)),
    ((frozenset("/"), 3),),
    ((frozenset("/"), 4),),
    ((_BEHIND, 5),),
    ((_BEHIND, 5),),
)
"""A scheme, `://` and what is no path, as every origin is: for each state, what leads where. The
last one is the end."""
_SECURE = (
    r"(?:[a-gi-z]S*|h(?:[a-su-z0-9+.\-]S*|t(?:[a-su-z0-9+.\-]S*|t(?:[a-oq-z0-9+.\-]S*|pS+)?)?)?)"
    r"://[^/]{2,}|http://(?:(?:[a-z0-9_.\-]+\.)?localhost\.?|127\.[0-9.]+|\[::1\])(?::[0-9]+)?"
).replace("S", r"[a-z0-9+.\-]")
"""What no one on the network can pose as: any scheme but http, and http of this machine."""
_LEAVES = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})

_Ways = Mapping[int, int]
"""From places to the number of ways that lead there."""


class _Part(NamedTuple):
    """A part of a pattern: the ways to read nothing with it, to begin it and to end it."""

    empty: int
    first: _Ways
    last: _Ways


_NOTHING = _Part(1, {}, {})
_NEVER = _Part(0, {}, {})


class _TooMuchError(Exception):
    """It can't be judged within `_MOST_WORK`."""


def is_linear(pattern: re.Pattern[str]) -> bool:
    """Whether pattern answers any origin in time that is linear in the origin's length.

    False as well where it is too large to tell.
    """
    most = MOST_WAYS + pattern.pattern.count("|")  # a list of names is tried one by one
    try:
        return all(sum(held.values()) <= most for held in _Automaton(pattern).run())
    except (_TooMuchError, RecursionError):  # `re` itself reads a little deeper than this can
        return False


def may_match(pattern: re.Pattern[str], *, secure_only: bool = False) -> bool:
    """Whether pattern may match an origin: False only where it is sure to match none.

    With `secure_only`, plain http that leaves this machine does not count.
    """
    try:
        automaton = _Automaton(pattern)
        if secure_only:
            return automaton.meets(_Automaton(re.compile(_SECURE)))
        return automaton.meets_an_origin()
    except (_TooMuchError, RecursionError):
        return True


class _Automaton:
    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._work = 0
        self._edges: list[dict[int, int]] = [{}]
        self._reads = [_ALPHABET]
        self._known: dict[tuple[str, int], frozenset[str]] = {}
        start = _Part(0, {}, {0: 1})
        whole = self._sequence(parsed(pattern), pattern.flags & ~re.DEBUG)
        self._joined(start, whole)
        # Ways that read nothing lead to no place, and take their time all the same.
        self._emptiest = whole.empty
        self._ends = frozenset(whole.last)

    def run(self) -> Iterator[_Ways]:
        """The ways that lead to each place, after each text; and those that an edge stands for."""
        yield {0: self._emptiest}
        for edges in self._edges:
            yield {0: max(edges.values(), default=0)}
        classes = self._classes()
        seen = {frozenset({(0, 1)})}
        waiting: list[_Ways] = [{0: 1}]
        while waiting:
            for held in self._after(waiting.pop(), classes):
                yield held
                key = frozenset(held.items())
                if key not in seen:
                    seen.add(key)
                    waiting.append(held)

    def meets_an_origin(self) -> bool:
        """Whether a text leads to an end here and in `_ORIGIN`.

        What is only looked at, and not read, is taken for right: a text more, never one less.
        """
        seen = {(0, 0)}
        waiting = [(0, 0)]
        while waiting:
            place, state = waiting.pop()
            if place in self._ends and state == len(_ORIGIN) - 1:
                return True
            for following in self._edges[place]:
                for characters, after in _ORIGIN[state]:
                    if (following, after) not in seen and self._reads[following] & characters:
                        seen.add((following, after))
                        waiting.append((following, after))
        return False

    def meets(self, other: _Automaton) -> bool:
        """Return True if a text leads to an end here and in other."""
        seen = {(0, 0)}
        waiting = [(0, 0)]
        while waiting:
            here, there = waiting.pop()
            if here in self._ends and there in other._ends:  # of this class
                return True
            for pair in product(self._edges[here], other._edges[there]):
                if pair not in seen and self._reads[pair[0]] & other._reads[pair[1]]:
                    seen.add(pair)
                    waiting.append(pair)
        return False

    def _classes(self) -> list[list[int]]:
        """For each place, the numbers of the classes of characters that it reads.

        What no place tells apart is one class.
        """
        members: dict[frozenset[int], None] = {}
        for character in sorted(_ALPHABET):
            members[frozenset(at for at, read in enumerate(self._reads) if character in read)] = (
                None
            )
        return [
            [number for number, places in enumerate(members) if place in places]
            for place in range(len(self._reads))
        ]

    def _after(self, held: _Ways, classes: list[list[int]]) -> list[_Ways]:
        """The ways after one more character, for each class of them."""
        after: dict[int, dict[int, int]] = {}
        for place, ways in held.items():
            for following, each in self._edges[place].items():
                self._count(len(classes[following]))
                for number in classes[following]:
                    reached = after.setdefault(number, {})
                    reached[following] = reached.get(following, 0) + ways * each
        return list(after.values())

    def _count(self, steps: int) -> None:
        self._work += steps
        if self._work > _MOST_WORK:
            raise _TooMuchError

    def _sequence(self, node: Any, flags: int) -> _Part:
        whole = _NOTHING
        for item in node:
            self._count(1)
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
            _, added, removed, node = argument
            return self._sequence(node, (flags | added) & ~removed)
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
            return self._again(self._place(_ALPHABET))
        return _NEVER if name == "FAILURE" else _NOTHING

    def _place(self, characters: frozenset[str]) -> _Part:
        self._edges.append({})
        self._reads.append(characters)
        ways = {len(self._reads) - 1: 1}
        return _Part(0, ways, ways)

    def _characters(self, item: Any, flags: int) -> frozenset[str]:
        key = repr(item), flags
        if key not in self._known:
            self._known[key] = read_by(item, flags, _ALPHABET)
        return self._known[key]

    def _joined(self, left: _Part, right: _Part) -> _Part:
        """One part behind the other."""
        self._count(len(left.last) * len(right.first) + len(left.first) + len(right.last))
        for place, ways in left.last.items():
            edges = self._edges[place]
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
            self._count(len(part.first) + len(part.last))
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
            self._count(1)
            once_more = self._joined(self._sequence(node, flags), whole)
            whole = once_more._replace(empty=once_more.empty + 1)
        for _ in range(least):
            self._count(1)
            whole = self._joined(self._sequence(node, flags), whole)
        return whole

    def _looked_around(self, argument: tuple[int, Any], flags: int) -> _Part:
        """What looks ahead begins to read, and its end leads nowhere."""
        direction, node = argument
        before = len(self._reads)
        looking = self._sequence(node, flags)
        if direction < 0:  # it has read what came before, which may be anything
            self._reads[before:] = [_ALPHABET] * (len(self._reads) - before)
        return _Part(max(1, looking.empty), looking.first, {})


def _sum(one: _Ways, other: _Ways, times: int = 1) -> _Ways:
    if not times or not other:
        return one
    ways = dict(one)
    _add(ways, other, times)
    return ways


def _add(ways: dict[int, int], other: _Ways, times: int = 1) -> None:
    for place, each in other.items():
        ways[place] = ways.get(place, 0) + each * times
