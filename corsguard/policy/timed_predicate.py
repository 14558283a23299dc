"""A callable of a policy whose outcome and duration are recorded, for metrics."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from corsguard.policy.origin_lookup import OriginLookup
from corsguard.policy.predicates import Caller, Fault, FunctionPredicate, Waiter

if TYPE_CHECKING:
    from corsguard.engine.request import CORSRequest

__all__ = ["Outcome", "Recorder", "TimedPredicate"]

Outcome = Literal["allowed", "refused", "failed", "timed_out"]
Recorder = Callable[[str, Outcome, float], object]
"""Takes the name of a callable, the outcome of one call, and its seconds."""


class TimedPredicate:
    """A FunctionPredicate or an OriginLookup that records each call.

    The seconds of a look-up are those that a request waited for it, its remembered answers too.
    """

    __slots__ = ("_predicate", "_record", "name", "takes_request")

    def __init__(self, predicate: FunctionPredicate | OriginLookup, record: Recorder) -> None:
        self._predicate = predicate
        self._record = record
        self.name: str = predicate.name
        self.takes_request: bool = predicate.takes_request

    def ask(
        self, request: CORSRequest, faults: list[Fault], seconds: float, wait: Waiter | None
    ) -> bool:
        """Return the answer of the predicate; see FunctionPredicate."""
        known, start = len(faults), perf_counter()
        is_allowed = self._predicate.ask(request, faults, seconds, wait)
        self._conclude(faults[known:], perf_counter() - start, is_allowed=is_allowed)
        return is_allowed

    async def ask_async(
        self, request: CORSRequest, faults: list[Fault], seconds: float, call: Caller | None
    ) -> bool:
        """Return the answer of the predicate; see FunctionPredicate."""
        known, start = len(faults), perf_counter()
        is_allowed = await self._predicate.ask_async(request, faults, seconds, call)
        self._conclude(faults[known:], perf_counter() - start, is_allowed=is_allowed)
        return is_allowed

    def _conclude(self, faults: list[Fault], seconds: float, *, is_allowed: bool) -> None:
        outcome: Outcome = "allowed" if is_allowed else "refused"
        if faults:  # where an old answer still counts, too
            outcome = "timed_out" if isinstance(faults[0][1], TimeoutError) else "failed"
        self._record(self.name, outcome, seconds)
