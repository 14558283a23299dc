"""A cache of decisions that counts those it returns, for metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import count
from typing import Any

from corsguard.engine.cache import DecisionCache
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.engine.request import CORSRequest, Headers, Methods
from corsguard.policy.answers import Answer

__all__ = ["CountingCache", "DecisionKey", "Tally"]

DecisionKey = tuple[Kind, Reason]


class Tally(defaultdict[DecisionKey, "count[int]"]):
    """Kind and reason -> a counter of such decisions: `next(tally[decision[:2]])` adds one.

    That is a single step in C, which loses nothing among threads, without a lock to wait for.
    """

    def __init__(self) -> None:
        super().__init__(count)
        self._reads: Counter[DecisionKey] = Counter()

    def read(self) -> dict[DecisionKey, int]:
        """Return the counts. Not safe from several threads at once, unlike counting."""
        found = {}
        for key, counter in list(self.items()):
            found[key] = next(counter) - self._reads[key]  # to read a counter, it must count
            self._reads[key] += 1
        return found

    def clear(self) -> None:
        """Count from zero again."""
        super().clear()
        self._reads.clear()


class CountingCache(DecisionCache):
    """Another cache, with a tally of the decisions that it returns."""

    def __init__(self, cache: DecisionCache, tally: Tally) -> None:
        # Bound once: each request calls one of these.
        self._lookup = cache.lookup
        self._lookup_headers = cache.lookup_headers
        self._cache = cache
        self._tally = tally

    def lookup(
        self,
        environ: Mapping[str, Any],
        method: str,
        methods: Methods = None,
        path: str | None = None,
    ) -> Decision | None:
        """Return the decision on a request, and count it; see DecisionCache."""
        decision = self._lookup(environ, method, methods, path)
        if decision is not None:
            next(self._tally[decision[:2]])
        return decision

    def lookup_headers(
        self, headers: Headers, method: str, methods: Methods = None, path: str | None = None
    ) -> Decision | None:
        """Return the decision on a request, and count it; see DecisionCache."""
        decision = self._lookup_headers(headers, method, methods, path)
        if decision is not None:
            next(self._tally[decision[:2]])
        return decision

    def store(self, request: CORSRequest, decision: Decision, methods: Methods = None) -> None:
        """Keep a decision; see DecisionCache."""
        self._cache.store(request, decision, methods)

    def store_answered(
        self, request: CORSRequest, decision: Decision, answer: Answer, methods: Methods = None
    ) -> None:
        """Keep a decision that a look-up has answered; see DecisionCache."""
        self._cache.store_answered(request, decision, answer, methods)
