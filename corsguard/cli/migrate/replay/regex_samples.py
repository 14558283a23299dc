"""Origins that a regular expression is sure to match, and texts on which a slow one may hang."""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache

from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_grammar import build_origin_automaton
from corsguard.policy.redos import is_linear
from corsguard.policy.regex_ast import list_inexact_constructs
from corsguard.policy.regex_automaton import (
    ALPHABET,
    Automaton,
    Budget,
    BudgetExceededError,
    build_automaton,
    decode_mask,
)
from corsguard.policy.regex_intersection import Intersection

__all__ = ["list_hostile_texts", "list_samples"]

_MAX_STEPS = 200_000  # a fifth of a second at most
_MAX_SAMPLES = {"https": 5, "http": 2, "any": 3}
"""Scheme of the samples -> their number; other schemes only where there is neither."""
_EVERYTHING = frozenset(ALPHABET)
_DOT_COST = 8  # more than a detour around it takes
_MAX_HOSTILE = 12
_HOSTILE_LENGTH = 48
_HOSTILE_END = "!"  # a character that no origin of a browser has, so most expressions refuse it


def list_samples(pattern: re.Pattern[str]) -> list[str]:
    """Return a few origins that pattern matches, one for each of its alternatives.

    They are short, and read as the author meant them: a `.` that is not escaped matches a dot.
    Where pattern matches no origin as a whole, they are origins that begin with a match, as some
    libraries use `re.match`. Empty where there are none, or pattern is too large to analyse.
    """
    try:
        samples = _list_whole_samples(pattern)
        if not samples:
            # re.error: such as for global flags, which must come first
            with suppress(re.error):
                flags = pattern.flags & ~re.DEBUG
                samples = _list_whole_samples(re.compile(f"(?:{pattern.pattern}).*", flags))
    except (BudgetExceededError, RecursionError):
        return []
    return samples


def list_hostile_texts(pattern: re.Pattern[str]) -> list[str]:
    """Return texts that repeat what pattern repeats, and then end in a character it refuses.

    An expression that does not match in linear time takes very long for at least one of them,
    unless its repeats are bounded.
    """
    try:
        automaton = build_automaton(pattern)
    except (BudgetExceededError, RecursionError):
        return []
    texts: dict[str, None] = {}
    budget = Budget(_MAX_STEPS)
    with suppress(BudgetExceededError):  # what was found so far is better than nothing
        for position, start in _find_shortest_texts(automaton, 0, budget).items():
            cycle = _find_cycle(automaton, position, budget)
            if cycle:
                repeats = _HOSTILE_LENGTH // len(cycle)
                texts[start + cycle * repeats + _HOSTILE_END] = None
    return [*texts][:_MAX_HOSTILE]


def _list_whole_samples(pattern: re.Pattern[str]) -> list[str]:
    is_exact = not list_inexact_constructs(pattern)
    can_check = is_linear(pattern)
    if not (is_exact or can_check):  # nothing is sure
        return []
    samples: list[str] = []
    for kind, most in _MAX_SAMPLES.items():
        if kind == "any" and samples:
            break
        found = _SampleFinder(pattern, kind).find(most)
        samples += [
            text
            for text in found
            if _is_origin(text) and (not can_check or pattern.fullmatch(text))
        ]
    return samples


def _is_origin(text: str) -> bool:
    try:
        Origin.parse(text)
    except OriginError:
        return False
    return True


@cache
def _build_grammar(kind: str) -> Automaton:
    if kind == "any":
        return build_origin_automaton(kind)
    host = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?"
    address = r"[1-9][0-9]?[0-9]?(?:\.[1-9][0-9]?[0-9]?){3}"
    expression = rf"{kind}://(?:{host}|{address})(?::[1-9][0-9]{{1,3}})?"
    return Automaton(re.compile(expression), Budget(_MAX_STEPS))


class _SampleFinder(Intersection):
    """The shortest texts that a pattern and a grammar both accept, through each position."""

    def __init__(self, pattern: re.Pattern[str], kind: str) -> None:
        self._automaton = build_automaton(pattern)
        grammar = _build_grammar(kind)
        super().__init__(self._automaton, grammar, Budget(_MAX_STEPS))
        self._width = len(grammar.reads)
        self._later: dict[int, list[int]] = {}
        """State -> the states that may read the next character."""
        for state, before in self.earlier.items():
            for each in before:
                self._later.setdefault(each, []).append(state)

    def find(self, most: int) -> list[str]:
        """Return at most `most` texts, so that each position of the pattern reads in one."""
        before = self._find_paths([0], self._later)
        after = self._find_paths(self.ends, self.earlier)
        best: dict[int, tuple[int, int]] = {}
        """Position of the pattern -> the cost of the cheapest text through it, and its state."""
        for state in before.keys() & after.keys():
            position = state // self._width
            rated = before[state][0] + after[state][0], state
            best[position] = min(best.get(position, rated), rated)
        texts: dict[str, None] = {}
        covered: set[int] = set()
        for _, state in sorted(best.values()):
            if state // self._width in covered:
                continue
            states = [
                *reversed(_follow(before, before[state][1])),
                state,
                *_follow(after, after[state][1]),
            ]
            covered.update(each // self._width for each in states)
            texts["".join(map(self._choose_character, states))] = None
            if len(texts) == most:
                break
        return [*texts]

    def _find_paths(
        self, starts: list[int], edges: Mapping[int, list[int]]
    ) -> dict[int, tuple[int, int | None]]:
        """Return state -> the least cost of a path to it, and the state before it on the path."""
        paths: dict[int, tuple[int, int | None]] = {}
        waiting: list[tuple[int, int, int]] = [(0, start, -1) for start in starts]
        heapq.heapify(waiting)
        while waiting:
            cost, state, previous = heapq.heappop(waiting)
            if state in paths:
                continue
            paths[state] = cost, None if previous < 0 else previous
            for following in edges.get(state, ()):
                if following not in paths:
                    heapq.heappush(waiting, (cost + self._rate(following), following, state))
        return paths

    def _rate(self, state: int) -> int:
        is_missed_dot = self._is_bare_dot(state) and "." not in decode_mask(self.mask(state))
        return 1 + _DOT_COST * is_missed_dot

    def _choose_character(self, state: int) -> str:
        if state == 0:
            return ""
        characters = [*decode_mask(self.mask(state))]
        return "." if self._is_bare_dot(state) and "." in characters else characters[0]

    def _is_bare_dot(self, state: int) -> bool:
        """Return True if a state reads any character once: mostly a dot that is not escaped."""
        position = state // self._width
        is_any = self._automaton.reads[position] == _EVERYTHING
        return position > 0 and is_any and position not in self._automaton.edges[position]


def _follow(paths: Mapping[int, tuple[int, int | None]], state: int | None) -> list[int]:
    states = []
    while state is not None:
        states.append(state)
        state = paths[state][1]
    return states


def _find_shortest_texts(automaton: Automaton, start: int, budget: Budget) -> dict[int, str]:
    """Return position -> the shortest text from start that it reads the end of."""
    texts = {start: ""}
    waiting = [start]
    for position in waiting:
        budget.spend(len(automaton.edges[position]) + 1)
        for following in automaton.edges[position]:
            if following not in texts and automaton.reads[following]:
                texts[following] = texts[position] + _read_first(automaton, following)
                waiting.append(following)
    return texts


def _find_cycle(automaton: Automaton, position: int, budget: Budget) -> str:
    """Return the shortest text from position back to it; empty where no edge leads back."""
    if position in automaton.edges[position]:
        return _read_first(automaton, position)
    texts = _find_shortest_texts(automaton, position, budget)
    ends = [each for each in texts if position in automaton.edges[each]]
    return texts[ends[0]] + _read_first(automaton, position) if ends else ""


def _read_first(automaton: Automaton, position: int) -> str:
    return min(automaton.reads[position], key=ALPHABET.index)
