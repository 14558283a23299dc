"""Times by interleaved rounds: what disturbs the machine for a while disturbs all alike.

The time is that of the processor, so that what else runs on the machine counts for less.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from statistics import median, quantiles
from time import thread_time
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)

_BATCH_SECONDS = 0.003
_MOST_IN_A_BATCH = 480
# A server has just read the request that it hands on: more of them would leave the CPU's caches.
_MADE_AT_ONCE = 16


class Spread(NamedTuple):
    """The median of some samples, and the quarters below and above which the outer ones are."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        low, _, high = quantiles(samples, n=4)
        return cls(median(samples), low, high)


class Cell(NamedTuple):
    """One thing to time: a function that makes some fresh requests, and then one to run them."""

    batch: Callable[[int], Callable[[], None]]
    prepare: Callable[[], None] = lambda: None


class Rounds(Generic[Key]):
    """Times each cell once in every round; a sample is microseconds per request."""

    def __init__(self, cells: Mapping[Key, Cell]) -> None:
        self._cells = cells
        self._counts = {key: _count(cell) for key, cell in cells.items()}
        self.samples: dict[Key, list[float]] = {key: [] for key in cells}

    def run(self, rounds: Iterable[object]) -> None:
        for _ in rounds:
            for key, cell in self._cells.items():
                count = self._counts[key]
                self.samples[key].append(_seconds(cell, count) / count * 1e6)

    def time(self, key: Key) -> Spread:
        return Spread.of(self.samples[key])

    def added(self, key: Key, bare: Key) -> Spread:
        """Return what key takes beyond bare, by the difference in each round."""
        pairs = zip(self.samples[key], self.samples[bare], strict=True)
        return Spread.of([layered - alone for layered, alone in pairs])


def _seconds(cell: Cell, count: int) -> float:
    cell.prepare()
    cell.batch(count // 10)()  # evicts what the previous cell left in the CPU's caches
    gc.collect(0)
    gc.disable()
    seconds = 0.0
    try:
        for done in range(0, count, _MADE_AT_ONCE):
            run = cell.batch(min(_MADE_AT_ONCE, count - done))
            started = thread_time()
            run()
            seconds += thread_time() - started
    finally:
        gc.enable()
    return seconds


def _count(cell: Cell) -> int:
    """Return how many requests make a batch that is long against the clock, and warm it up."""
    _seconds(cell, 1)
    few = 1 if _seconds(cell, 1) > _BATCH_SECONDS else 20
    each = min(_seconds(cell, few) for _ in range(2)) / few
    return max(1, min(_MOST_IN_A_BATCH, int(_BATCH_SECONDS / each)))
