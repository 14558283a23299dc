"""Detection of regular expressions that do not match in linear time (ReDoS).

`re` backtracks: where a text does not match, it tries every way in which the pattern reads any
prefix of it. So the time is linear if and only if the number of these ways is bounded for all
texts. The position automaton of the pattern is run on all texts at once, and counts the ways that
lead to each position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from corsguard.policy.regex_automaton import (
    ALPHABET,
    Budget,
    BudgetExceededError,
    Ways,
    build_automaton,
)

__all__ = ["MAX_WAYS", "is_linear", "may_match"]

MAX_WAYS = 32
"""Ways in which a pattern may read one text, besides its alternatives.

That is enough for parts that overlap by a few characters. Ways that grow with the text soon exceed
it.
"""

_MAX_STEPS = 100_000  # a tenth of a second at most


@lru_cache(64)
def is_linear(pattern: re.Pattern[str]) -> bool:
    """Return True if pattern matches any origin in time that is linear in the origin's length.

    False also where it is too large to analyse.
    """
    most = MAX_WAYS + pattern.pattern.count("|")  # alternatives are tried one by one
    try:
        return all(sum(held.values()) <= most for held in _WayCounter(pattern).run())
    except (BudgetExceededError, RecursionError):  # `re` accepts deeper nesting than this
        return False


@lru_cache(64)
def may_match(pattern: re.Pattern[str], *, secure_only: bool = False) -> bool:
    """Return True if pattern may match an origin, False if it is sure to match none.

    With `secure_only`, origins of plain http that are not loopback don't count: with credentials
    and under `enforce`, they are refused even if the pattern matches.
    """
    from corsguard.policy.origin_grammar import build_origin_automaton
    from corsguard.policy.regex_intersection import Intersection

    try:
        origins = build_origin_automaton("secure" if secure_only else "any")
        return bool(Intersection(build_automaton(pattern), origins, Budget(_MAX_STEPS)).ends)
    except (BudgetExceededError, RecursionError):
        return True


class _WayCounter:
    """The automaton of a pattern, run on all texts to count the ways."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._budget = Budget(_MAX_STEPS)
        self._automaton = build_automaton(pattern)

    def run(self) -> Iterator[Ways]:
        """Yield position -> ways, for each text and for each edge."""
        # Ways that read nothing lead to no position, but they take time too.
        yield {0: self._automaton.empty}
        for edges in self._automaton.edges:
            yield {0: max(edges.values(), default=0)}
        classes = self._classify_characters()
        seen = {frozenset({(0, 1)})}
        waiting: list[Ways] = [{0: 1}]
        while waiting:
            for held in self._step(waiting.pop(), classes):
                yield held
                key = frozenset(held.items())
                if key not in seen:
                    seen.add(key)
                    waiting.append(held)

    def _classify_characters(self) -> list[list[int]]:
        """Return position -> the numbers of the classes of characters that it reads.

        Characters that no position distinguishes are one class.
        """
        reads = self._automaton.reads
        members: dict[frozenset[int], None] = {}
        for character in ALPHABET:
            members[frozenset(at for at, read in enumerate(reads) if character in read)] = None
        return [
            [number for number, positions in enumerate(members) if position in positions]
            for position in range(len(reads))
        ]

    def _step(self, held: Ways, classes: list[list[int]]) -> list[Ways]:
        """Return the ways after one more character, for each class of characters."""
        after: dict[int, dict[int, int]] = {}
        for position, ways in held.items():
            for following, each in self._automaton.edges[position].items():
                self._budget.spend(len(classes[following]))
                for number in classes[following]:
                    reached = after.setdefault(number, {})
                    reached[following] = reached.get(following, 0) + ways * each
        return list(after.values())
