"""The intersection of two automata: a regular expression and a grammar of origins."""

from __future__ import annotations

from corsguard.policy.regex_automaton import Automaton, Budget

__all__ = ["Intersection"]


class Intersection:
    """The reachable pairs of a position of a pattern and one of a grammar. A pair is a state."""

    def __init__(
        self,
        pattern: Automaton,
        grammar: Automaton,
        budget: Budget,
        closed: frozenset[int] = frozenset(),
    ) -> None:
        """Find the states that can be reached without passing a closed one."""
        self.budget = budget
        self._size = len(grammar.reads)
        self._masks = pattern.build_masks(), grammar.build_masks()
        self.earlier: dict[int, list[int]] = {}
        """State -> the states that may have read the character before."""
        self.reached: list[int] = self._reach(pattern.edges, grammar.edges, closed)
        pairs = ((state, *divmod(state, self._size)) for state in self.reached)
        self.ends: list[int] = [
            state
            for state, position, other in pairs
            if position in pattern.ends and other in grammar.ends
        ]
        """The states where a text may end. Empty where both accept no text in common."""

    def mask(self, state: int) -> int:
        """Return the characters that a state reads, as bits in the order of ALPHABET."""
        masks, other_masks = self._masks
        return masks[state // self._size] & other_masks[state % self._size]

    def other(self, state: int) -> int:
        """Return the position of the grammar in a state."""
        return state % self._size

    def _reach(
        self,
        positions: list[dict[int, int]],
        others: list[dict[int, int]],
        closed: frozenset[int],
    ) -> list[int]:
        masks, other_masks = self._masks
        reached = {0, *closed}
        waiting = [0]
        for state in waiting:
            position, other = divmod(state, self._size)
            self.budget.spend(len(positions[position]) * len(others[other]) + 1)
            for following in positions[position]:
                for other_following in others[other]:
                    if not masks[following] & other_masks[other_following]:
                        continue
                    after = following * self._size + other_following
                    self.earlier.setdefault(after, []).append(state)
                    if after not in reached:
                        reached.add(after)
                        waiting.append(after)
        return waiting
