"""The counts of a guard that metrics read: decisions by route, and calls of predicates."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from corsguard.engine.counting_cache import DecisionKey, Tally
from corsguard.engine.decision import Decision
from corsguard.fork_safety import restart_in_child
from corsguard.policy.timed_predicate import Outcome, Recorder

if TYPE_CHECKING:
    from corsguard.guard.runtime import Case

__all__ = ["BUCKETS", "NO_ROUTE", "OTHER", "GuardCounts", "PredicateStats"]

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""The upper bounds of the histogram of predicates, in seconds."""
NO_ROUTE = "no route"
"""The name of what applies where no route does: the policy for every path, or none."""
OTHER = "other"
"""The name that further routes, views and predicates share once there are very many."""

_MAX_NAMES = 200


class PredicateStats(NamedTuple):
    """The calls of one predicate."""

    outcomes: dict[Outcome, int]
    buckets: tuple[int, ...]
    """The calls that took no longer than each of BUCKETS, and longer than the one before; the last
    are those that took longer than all."""
    seconds: float
    """The sum of their durations."""


class _Tallies(NamedTuple):
    """The decisions at one route: those that a cache had, and those that were computed."""

    hits: Tally
    computed: Tally


class _Calls:
    def __init__(self) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0


class GuardCounts:
    """Counts that only grow, whatever policies replace others. A forked child starts at zero.

    Their names are those of routes, views and predicates, at most 200 of each kind: nothing that a
    request contains. Safe to use from many threads.
    """

    def __init__(self) -> None:
        # Name of a route or a view -> the decisions there.
        self._tallies: dict[str, _Tallies] = {NO_ROUTE: _Tallies(Tally(), Tally())}
        self._recorders: tuple[Recorder, ...] = ()
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Start at zero with a new lock; see corsguard.fork_safety."""
        self._lock = Lock()
        for tallies in self._tallies.values():
            tallies.hits.clear()
            tallies.computed.clear()
        self._calls: dict[str, _Calls] = {}

    def find_hits(self, route: str | None) -> Tally:
        """Return the tally of the cached decisions at a route, or of a view."""
        return self._find(route).hits

    def observe(self, case: Case, decision: Decision) -> None:
        """Count a decision that was computed."""
        next(self._find(case.applied.route).computed[decision[:2]])

    def record(self, name: str, outcome: Outcome, seconds: float) -> None:
        """Count a call of a predicate."""
        with self._lock:
            if name not in self._calls and len(self._calls) >= _MAX_NAMES:
                name = OTHER
            calls = self._calls.setdefault(name, _Calls())
            calls.outcomes[outcome] += 1
            calls.buckets[bisect_left(BUCKETS, seconds)] += 1
            calls.seconds += seconds
        for record in self._recorders:
            record(name, outcome, seconds)

    def add_recorder(self, record: Recorder) -> None:
        """Call a function after each call of a predicate, with what was counted."""
        with self._lock:
            self._recorders = (*self._recorders, record)

    def read_hits(self) -> dict[str, dict[DecisionKey, int]]:
        """Return the cached decisions: name of the route or the view -> counts."""
        with self._lock:
            found = {name: each.hits.read() for name, each in list(self._tallies.items())}
        return {name: counts for name, counts in found.items() if counts}

    def read_computed(self) -> dict[str, dict[DecisionKey, int]]:
        """Return the computed decisions in the same way."""
        with self._lock:
            found = {name: each.computed.read() for name, each in list(self._tallies.items())}
        return {name: counts for name, counts in found.items() if counts}

    def read_predicates(self) -> dict[str, PredicateStats]:
        """Return the calls of predicates by name."""
        with self._lock:
            return {
                name: PredicateStats(dict(calls.outcomes), tuple(calls.buckets), calls.seconds)
                for name, calls in self._calls.items()
            }

    def _find(self, route: str | None) -> _Tallies:
        """Return the tallies of a route; add them, if there are not too many."""
        name = NO_ROUTE if route is None else route
        found = self._tallies.get(name)
        if found is None:
            # Each step is one operation on a dict, so that no thread waits here.
            name = name if len(self._tallies) < _MAX_NAMES else OTHER
            found = self._tallies.setdefault(name, _Tallies(Tally(), Tally()))
        return found
