"""A million refusals, each of another origin: what is left of them in the log and in memory."""

from __future__ import annotations

import logging
import os
from typing import NamedTuple

from tools.load.clients import resident

from corsguard import Guard, Policy

MOST_LINES = 101
"""Of one reason and route: a hundred, and that there are more."""
MOST_GROWTH = 0.05
"""Of the memory that the process has once what is kept of refusals is full."""
ENOUGH = 10_000
"""Refusals that fill it."""


class RefusalCost(NamedTuple):
    """The log lines and the memory that refusals cost."""

    refused: int
    lines: int
    growth: float
    """Of this process's memory, since there were enough: 0.01 for one per cent."""

    @property
    def faults(self) -> int:
        return (self.lines > MOST_LINES) + (self.growth > MOST_GROWTH)


class Counting(logging.Handler):
    """Counts lines, and keeps none."""

    lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1


def refuse_origins(times: int) -> RefusalCost:
    """Refuse so many origins in this process."""
    logger, counting = logging.getLogger("corsguard"), Counting()
    logger.addHandler(counting)
    logger.propagate = False
    guard = Guard({"/": Policy(allow_origins=["https://app.example"])})
    enough = min(ENOUGH, times // 2)
    try:
        refuse(guard, 0, enough)
        before = resident(os.getpid())
        refuse(guard, enough, times)
        return RefusalCost(times, counting.lines, resident(os.getpid()) / before - 1)
    finally:
        logger.propagate = True
        logger.removeHandler(counting)


def refuse(guard: Guard, start: int, stop: int) -> None:
    for number in range(start, stop):
        assert not guard.decide("/", f"https://o{number}.example", "GET", {}).allowed
