"""The follower of a guard: the threads that keep its policy the newest one of a source."""

from __future__ import annotations

import atexit
import logging
import random
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING, NamedTuple

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import escape_text
from corsguard.fork_safety import restart_in_child
from corsguard.sources.policy_updater import (
    ClosedError,
    PolicyUpdater,
    RefusedError,
    describe_error,
)
from corsguard.sources.source import PolicySource, PolicyStore
from corsguard.sources.worker_reporter import WorkerReporter

if TYPE_CHECKING:
    from corsguard.guard.runtime import GuardRuntime
    from corsguard.sources.last_good import LastGood
    from corsguard.sources.signature import VerifyingKey

__all__ = ["Follower", "PolicyChange", "SourceHealth"]

_logger = logging.getLogger("corsguard")

_MIN_RETRY = 1.0
_MAX_RETRY = 4.0
"""Seconds between two tries while a source fails, at least and at most."""
_MAX_WAIT = 1.0
"""Seconds that the first requests of a process wait for the newest document, all together."""
_MAX_LOGGED = 20
"""Problems of one document that are logged."""
_STOP_SECONDS = 5.0


class SourceHealth(NamedTuple):
    """The state of a guard that follows a source."""

    is_current: bool
    """True if the source was read lately, and its newest document is in force. A guard that is not
    current decides all requests by the last good policy: don't take it out of service for that."""
    version: str | None
    """The version of the document in force; None for a guard that follows nothing."""
    followed_since: float | None
    """Seconds since the epoch at which that version came into force here."""
    error: str
    """Why the newest document is not in force, or the source can't be read, in one line."""
    error_count: int
    """The number of reads that failed, and of documents that were refused, in this process."""


class PolicyChange(NamedTuple):
    """What a function of `Guard.subscribe_changes` is called with."""

    version: str
    """The version in force after the event."""
    previous: str | None
    """The version in force before it; the same as `version` if only `error` has changed."""
    error: str = ""
    """Why a newer document is not in force, or the source can't be read; else empty."""


class Follower:
    """What follows a source for a guard, in this process and in those that it forks.

    Two daemon threads, from the first request of a process on: one loads documents, when the source
    reports a change and every `poll` seconds, the other waits for those reports.
    """

    def __init__(
        self,
        runtime: GuardRuntime,
        source: PolicySource,
        *,
        last_good: LastGood | None,
        poll: float,
        key: VerifyingKey | None,
    ) -> None:
        self._source = source
        self._poll = poll
        self._runtime = runtime
        self._updater = PolicyUpdater(runtime, source, last_good, key)
        self._reporter = WorkerReporter(source, poll) if isinstance(source, PolicyStore) else None
        self._error = ""
        self._error_count = 0
        self._subscribers: tuple[Callable[[PolicyChange], object], ...] = ()
        self._is_started = False
        self._is_closed = False
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Start without threads in this process; see corsguard.fork_safety."""
        self._lock = Lock()
        self._changed, self._stop, self._first_load = Event(), Event(), Event()
        self._threads: list[Thread] = []
        self._wait_until = 0.0  # of the monotonic clock
        self._is_inherited = self._is_started
        if self._is_started and not self._is_closed:
            self._runtime.call_at_next_request(self.wake)

    @property
    def version(self) -> str | None:
        """The version in force."""
        return self._updater.version

    @property
    def since(self) -> float | None:
        """Seconds since the epoch at which that version came into force here."""
        return self._updater.since

    def start_up(self) -> None:
        """Put the newest document in force, or else the last good one.

        Raises PolicyError (`source-unavailable`) if there is neither, and with the problems of a
        document that is not valid.
        """
        try:
            self._updater.require_as_new_as_last_good()
            self._updater.load()
        except Exception as error:
            if not self._updater.load_last_good():
                raise PolicyError(_describe_start_failure(error)) from None
            self._fail(error)
        self._is_started = True
        atexit.register(self.close)
        self._runtime.call_at_next_request(self.wake)

    def wake(self) -> None:
        """Start the threads of this process, unless they run.

        Waits for the first load where the policy may be old: in a forked process, and long after
        the start. That ends a second after the threads were started, for all requests.
        """
        with self._lock:
            starts = not self._threads and not self._is_closed
            if starts:
                self._wait_until = time.monotonic() + _MAX_WAIT
                self._threads = [
                    Thread(target=self._run, name="corsguard-follow", daemon=True),
                    Thread(target=self._watch, name="corsguard-watch", daemon=True),
                ]
            threads = self._threads if starts else []
        try:
            for thread in threads:
                thread.start()
        except RuntimeError as error:  # such as no room for a thread: the request goes on
            self._fail(error)
            self._finish_first_load()
        if self._is_inherited or time.monotonic() - self._updater.responded_at > self._poll:
            self._first_load.wait(self._wait_until - time.monotonic())

    def close(self) -> None:
        """Stop following. The policy in force stays."""
        self._is_closed = True
        self._updater.close()  # first: a load that goes on may take the lock of the runtime after
        atexit.unregister(self.close)
        self._runtime.call_at_next_request(None)
        with self._lock:
            threads, self._threads = self._threads, []
        self._stop.set()
        self._changed.set()
        try:
            self._source.close()
        except Exception as error:
            _logger.warning("can't close the source: %s", describe_error(error))
        for thread in threads:
            if thread is not current_thread() and thread.is_alive():
                thread.join(_STOP_SECONDS)

    def subscribe(self, subscriber: Callable[[PolicyChange], object]) -> None:
        """Call subscriber with each PolicyChange from now on."""
        self._subscribers = (*self._subscribers, subscriber)

    def check_health(self) -> SourceHealth:
        """Return the state of this process, whose threads start if they don't run."""
        self.wake()
        age = time.monotonic() - self._updater.responded_at
        error = self._error
        if not error and age > 3 * self._poll + _MAX_RETRY:
            error = f"the source has not responded for {age:.0f} s"
        return SourceHealth(not error, self.version, self.since, error, self._error_count)

    def _run(self) -> None:
        """Load documents until the follower is closed."""
        stop, changed = self._stop, self._changed
        retry = 0.0
        while not stop.is_set():
            changed.clear()
            retry = self._load(retry)
            self._finish_first_load()
            if retry:
                # So many workers don't all try at once, nor one of them on every notification.
                stop.wait(random.uniform(_MIN_RETRY, retry))  # noqa: S311  # no secret
            else:
                self._report()
                changed.wait(self._poll * random.uniform(0.8, 1.2))  # noqa: S311  # no secret

    def _load(self, retry: float) -> float:
        """Load the newest document. Return the seconds after which to retry at most, 0 for none.

        `retry` are those of the last time.
        """
        previous, since = self.version, self.since
        try:
            self._updater.load()
        except RefusedError as error:
            self._fail(error)
        except ClosedError:
            return 0
        except Exception as error:
            if self._is_closed:  # a connection that `close` has ended
                return 0
            self._fail(error)
            return min(2 * (retry or _MIN_RETRY), _MAX_RETRY)
        else:
            self._succeed(previous, is_changed=self.since != since)
        return 0

    def _finish_first_load(self) -> None:
        if not self._first_load.is_set():
            self._is_inherited = False
            self._first_load.set()
            self._runtime.call_at_next_request(None)

    def _watch(self) -> None:
        """Wait for reports of changes until the follower is closed, or the source has no more."""
        stop, changed = self._stop, self._changed
        retry = _MIN_RETRY
        while not stop.is_set():
            begin = time.monotonic()
            try:
                self._source.watch(changed.set)
            except Exception as error:
                _logger.debug("can't watch the source: %s", describe_error(error))
            else:
                return
            has_lasted = time.monotonic() - begin > 2 * _MAX_RETRY
            retry = 2 * _MIN_RETRY if has_lasted else min(2 * retry, _MAX_RETRY)
            stop.wait(random.uniform(_MIN_RETRY, retry))  # noqa: S311  # no secret
            changed.set()  # a change may have been missed

    def _succeed(self, previous: str | None, *, is_changed: bool) -> None:
        """Note, log and publish that the source was read; `previous` was in force before."""
        refused = self._updater.refused
        error = describe_error(refused) if refused else ""
        is_new, self._error = error != self._error, error
        if is_new and not is_changed and not error:
            _logger.info("the source of the policy can be read again")
        if is_new or is_changed:
            self._publish(previous)

    def _fail(self, error: Exception) -> None:
        """Note, log and publish a failure; one that repeats only once."""
        self._error_count += 1
        text = describe_error(error)
        version = escape_text(self.version or "none")
        had_error, is_new = bool(self._error), text != self._error
        self._error = text
        if isinstance(error, RefusedError):
            for problem in error.problems[:_MAX_LOGGED]:
                _logger.error(
                    "policy version %s is refused, version %s stays in force: %s",
                    escape_text(error.version),
                    version,
                    escape_text(str(problem), 500),
                )
        elif is_new:
            _logger.log(
                logging.DEBUG if had_error else logging.WARNING,
                "the source of the policy can't be read, version %s stays in force: %s",
                version,
                text,
            )
        if is_new:
            self._publish(self.version)

    def _publish(self, previous: str | None) -> None:
        change = PolicyChange(self.version or "", previous, self._error)
        for subscriber in self._subscribers:
            try:
                subscriber(change)
            except Exception as error:
                self._runtime.log.report_subscriber(subscriber, error)

    def _report(self) -> None:
        """Report the state of this process to the store, if it is one."""
        if self._reporter is not None:
            counts = self._runtime.candidate_counts()
            self._reporter.report(self.version or "", self.since or 0.0, self._error, counts)


def _describe_start_failure(error: Exception) -> Sequence[Problem]:
    """Return the problems of a guard that has no document at its start."""
    if isinstance(error, RefusedError):
        return error.problems
    message = f"no document could be loaded, and there is no last good one: {describe_error(error)}"
    suggestion = "give `last_good`, a file from which a worker starts while the source is down"
    return [Problem("source-unavailable", "source", None, message, suggestion)]
