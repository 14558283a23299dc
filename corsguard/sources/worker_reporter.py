"""The reports of one worker to the store that it follows, for `corsguard status`."""

from __future__ import annotations

import logging
import os
import socket
import time

from corsguard.sources.policy_updater import describe_error
from corsguard.sources.source import PolicyStore, WorkerReport

__all__ = ["WorkerReporter"]

_logger = logging.getLogger("corsguard")

_INTERVAL = 10.0
"""Seconds between two reports of the same state."""
_LIFETIME = 30.0
"""Seconds for which the store keeps a report at least."""

_MAX_COUNTS = 100
"""Differences of a candidate in one report, the most frequent ones."""

_Counts = tuple[tuple[str, str, str, int], ...]
"""The requests that a candidate would decide otherwise; see WorkerReport."""


class WorkerReporter:
    """What reports the state of this process to a store, when it changes and every 10 seconds.

    `poll` are the seconds between two calls of `report`.
    """

    def __init__(self, store: PolicyStore, poll: float) -> None:
        self._store = store
        self._lifetime = max(_LIFETIME, 3 * poll)
        self._reported: tuple[object, ...] = ()
        self._due_at = 0.0
        self._failure = ""

    def report(self, version: str, since: float, error: str, candidate: _Counts) -> None:
        """Report the state, unless it was reported lately. A store may take no reports."""
        candidate = candidate[:_MAX_COUNTS]
        state = (os.getpid(), version, error, candidate)
        now = time.monotonic()
        if state == self._reported and now < self._due_at:
            return
        self._reported, self._due_at = state, now + _INTERVAL
        report = WorkerReport(socket.gethostname(), os.getpid(), version, since, error, candidate)
        failure = ""
        try:
            self._store.report(report, self._lifetime)
        except Exception as problem:
            failure = describe_error(problem)
            if failure != self._failure:
                _logger.info("this worker can't report to the store: %s", failure)
        self._failure = failure
