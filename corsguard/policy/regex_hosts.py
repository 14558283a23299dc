"""The hosts of the origins that a regular expression covers, read from their end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from corsguard.policy.regex_automaton import ALPHABET, Automaton, Budget, decode_mask
from corsguard.policy.regex_intersection import Intersection

__all__ = ["Hosts", "Label", "States"]

States = frozenset[int]


class Label(NamedTuple):
    """A whole label of a host."""

    text: str
    states: States
    """The states that read its first character."""
    begins: bool
    """True if it may be the first label of a host."""
    further: States | None
    """The states that read the character before its dot. None where no dot can precede it."""


class Hosts(Intersection):
    """The origins that a pattern and a grammar both accept, whose first group is the host."""

    def __init__(
        self,
        pattern: Automaton,
        grammar: Automaton,
        budget: Budget,
        separator: str = ".",
        without: frozenset[int] = frozenset(),
    ) -> None:
        """Read labels up to each separator, or hosts as a whole where it is empty.

        `without` are positions of the pattern where no host may begin.
        """
        self._group = grammar.groups[1]
        self.separator = separator
        gate = self._group.start - 1  # reads what is right before a host
        size = len(grammar.reads)
        super().__init__(pattern, grammar, budget, frozenset(at * size + gate for at in without))
        self.begun: frozenset[int] = frozenset(
            at // size for at in self.reached if at % size == gate
        )
        """The positions of the pattern that read the character right before a host."""
        self._read: dict[States, dict[str, States]] = {}
        self._before: dict[States, tuple[States, bool]] = {}

    @property
    def last(self) -> States:
        """The states that read the last character of a host."""
        return self._ends_of_hosts[0]

    @property
    def tails(self) -> list[str]:
        """Texts that may follow a host, such as ports, at least one for each state that ends it."""
        return self._ends_of_hosts[1]

    def labels(self, states: States) -> Iterator[tuple[list[Label], list[tuple[str, States]]]]:
        """Yield, for each length, the labels of that length and the ends of longer labels.

        Each end comes with the states that may read the characters before it.
        """
        ends = [("", states)]
        while ends:
            whole: list[Label] = []
            longer: list[tuple[str, States]] = []
            for text, following in ends:
                for label, earlier in self._extend_labels(text, following):
                    if label.begins or label.further:
                        whole.append(label)
                    if self.read(earlier).keys() - {self.separator}:
                        longer.append((label.text, earlier))
            yield whole, longer
            ends = longer

    def reachable(self, states: States) -> Iterator[tuple[str, States, list[Label]]]:
        """Yield, for each set of states, the shortest end of a label that leads there, and labels.

        These labels are whole, and one character longer than the end.
        """
        seen = {states}
        waiting = [("", states)]
        for text, following in waiting:
            whole: list[Label] = []
            for label, earlier in self._extend_labels(text, following):
                if label.begins or label.further:
                    whole.append(label)
                if earlier not in seen:
                    seen.add(earlier)
                    waiting.append((label.text, earlier))
            yield text, following, whole

    def follow(self, text: str, states: States) -> Label | None:
        """Return the label text, read before states, or None where it can't be one."""
        reading = states
        earlier: States = states
        for character in reversed(text):
            found = self.read(earlier).get(character)
            if found is None:
                return None
            reading = found
            earlier = self._step_back(reading)[0]
        label = self._label(text, reading)
        return label if label.begins or label.further else None

    def read(self, states: States) -> dict[str, States]:
        """Return character -> the states that read it."""
        if states not in self._read:
            self._read[states] = self._compute_readers(states)
        return self._read[states]

    def beginnings(self, states: States) -> Iterator[str]:
        """Yield texts that may precede states, the shortest first: a scheme and other labels."""
        waiting: list[tuple[int, str]] = []
        for state in states:
            for earlier in self.earlier[state]:
                if self.other(earlier) not in self._group:
                    waiting.append((earlier, ""))
                elif "." in decode_mask(self.mask(earlier)):
                    waiting.extend((each, ".") for each in self.earlier[earlier])
        waiting.sort(key=lambda each: len(each[1]))
        seen = {state for state, _ in waiting}
        for state, text in waiting:
            if state == 0:
                yield text
                continue
            longer = next(decode_mask(self.mask(state))) + text
            for earlier in self.earlier[state]:
                if earlier not in seen or earlier == 0:
                    seen.add(earlier)
                    waiting.append((earlier, longer))

    def _compute_readers(self, states: States) -> dict[str, States]:
        alike: dict[int, list[int]] = {}
        for state in states:
            alike.setdefault(self.mask(state), []).append(state)
        self.budget.spend(len(states))
        reading: dict[str, tuple[int, ...]] = {}
        for mask in alike:
            for character in decode_mask(mask):
                reading[character] = (*reading.get(character, ()), mask)
        self.budget.spend(sum(map(len, reading.values())))
        whole = {
            masks: frozenset(state for mask in masks for state in alike[mask])
            for masks in dict.fromkeys(reading.values())
        }
        self.budget.spend(sum(map(len, whole.values())))
        return {each: whole[reading[each]] for each in sorted(reading, key=ALPHABET.index)}

    def _extend_labels(self, text: str, states: States) -> Iterator[tuple[Label, States]]:
        """Yield the longer label for each character before text, and the states before it."""
        read = self.read(states)
        self.budget.spend(len(read))
        for character, reading in read.items():
            if character != self.separator:
                yield (
                    self._label(character + text, reading),
                    self._step_back(reading)[0],
                )

    def _label(self, text: str, reading: States) -> Label:
        earlier, begins = self._step_back(reading)
        dots = self.read(earlier).get(self.separator)
        return Label(text, reading, begins, dots and self._step_back(dots)[0])

    def _step_back(self, states: States) -> tuple[States, bool]:
        """Return the states of the host before states, and True if a host may begin with states."""
        if states not in self._before:
            earlier = {each for state in states for each in self.earlier[state]}
            self.budget.spend(len(earlier))
            within = frozenset(each for each in earlier if self.other(each) in self._group)
            self._before[states] = within, len(within) < len(earlier)
        return self._before[states]

    @cached_property
    def _ends_of_hosts(self) -> tuple[States, list[str]]:
        hosts: set[int] = set()
        tails: dict[str, None] = {}
        seen = set(self.ends)
        waiting = [(state, "") for state in self.ends]
        for state, text in waiting:
            if self.other(state) in self._group:
                hosts.add(state)
                tails[text] = None
                continue
            longer = next(decode_mask(self.mask(state))) + text
            for earlier in self.earlier[state]:
                if earlier not in seen:
                    seen.add(earlier)
                    waiting.append((earlier, longer))
        return frozenset(hosts), list(tails)
