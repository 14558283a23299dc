"""NotifiedLookup: a look-up that drops its answers when their store says that they have changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from random import uniform
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypedDict
from weakref import ref

from corsguard.policy.origin_lookup import OriginLookup
from corsguard.sources.source import SourceError

if TYPE_CHECKING:
    from corsguard.engine.request import CORSRequest
    from corsguard.policy.predicates import Fault, Waiter

__all__ = ["INHERITED", "Listen", "Listening", "LookupOptions", "NotifiedLookup"]

_logger = logging.getLogger("corsguard")

INHERITED: list[object] = []
"""Connections of parent processes. A child keeps them for ever: closing one, or letting Python
finalise it, could send bytes on the connection that the parent still uses."""

_FIRST_DELAY = 0.1
_MAX_DELAY = 5.0
"""Seconds between attempts to be notified again. They double from the first to this."""
_MAX_SILENCE = 5.0
"""Seconds that a listener may be late with a sign of life before it counts as disconnected."""


class LookupOptions(TypedDict, total=False):
    """The options of an OriginLookup; see there."""

    ttl: float
    negative_ttl: float
    stale_while_revalidate: float
    stale_if_error: float
    max_entries: int
    max_concurrent: int
    retry_after: float
    clock: Callable[[], float]


class Listening:
    """The thread of one listener in one process, and what it reports to its look-up.

    It does not keep the look-up alive, and ends when the look-up is collected or closed.
    """

    def __init__(self, lookup: NotifiedLookup, listen: Listen) -> None:
        self.connection: object = None
        """The connection that it listens on, which a forked child must not finalise."""
        self.is_ready: bool = False
        """True while every change is reported. Set by the look-up."""
        self._closed = Event()
        self._alive_until = 0.0
        self._delay = _FIRST_DELAY
        self._has_logged = False
        self._lookup = ref(lookup)
        self._listen = listen
        Thread(target=self._run, name=f"{lookup.name} notifications", daemon=True).start()

    @property
    def is_overdue(self) -> bool:
        """True if the listener hangs: it was ready, and has shown no sign of life since."""
        return self.is_ready and time.monotonic() > self._alive_until

    def close(self) -> None:
        """Make the listener return when it looks next."""
        self._closed.set()

    def is_over(self, seconds: float = 0) -> bool:
        """Return True if the listener must return, which it looks for within a second or so.

        Waits so many seconds for that.
        """
        return self._closed.wait(seconds) or self._lookup() is None

    def report_alive(self, seconds: float) -> None:
        """Say that each change up to now was reported, and each later one will be.

        The next call is due in so many seconds.
        """
        self._alive_until = time.monotonic() + seconds + _MAX_SILENCE
        if not self.is_ready:
            self._tell(NotifiedLookup.set_ready, self, True)
            self._delay = _FIRST_DELAY
            if self._has_logged:
                self._has_logged = False
                self._tell(_log_return)

    def report_change(self, origin: str = "") -> None:
        """Say that the answer for an origin may be wrong, or those for all origins."""
        self._tell(_forget, origin)

    def _run(self) -> None:
        while not self.is_over():
            try:
                self._listen(self)
                problem = "the connection has ended"
            except SourceError as error:
                problem = str(error)
            except Exception as error:  # whose message may have a password
                problem = type(error).__name__
            self.connection = None
            self._tell(NotifiedLookup.set_ready, self, False)
            if not (self._has_logged or self.is_over()):
                self._has_logged = True
                self._tell(_log_loss, problem)
            self.is_over(self._delay * uniform(0.5, 1))  # noqa: S311  # no secret
            self._delay = min(2 * self._delay, _MAX_DELAY)

    def _tell(self, method: Callable[..., object], *arguments: object) -> None:
        lookup = self._lookup()
        if lookup is not None:
            method(lookup, *arguments)


Listen = Callable[[Listening], None]
"""Connects, and calls `report_alive` once it is notified of every change, and then in time.

Calls `report_change` for each change. Returns when `is_over`, and raises an exception when the
connection is lost. Must not refer to the look-up.
"""


class NotifiedLookup(OriginLookup):
    """An OriginLookup whose answers are dropped when its store says that they may be wrong.

    They are also dropped when the connection with the notifications is lost and when it is back, as
    a notification may be lost with it. Meanwhile no answer counts for longer than its ttl: neither
    `stale_while_revalidate` nor `stale_if_error` apply.

    A process listens from its first question on, in a daemon thread for each listener. A forked
    child has threads and connections of its own.
    """

    def __init__(
        self,
        name: str,
        predicate: Callable[[str], bool],
        listeners: Sequence[Listen],
        options: LookupOptions,
    ) -> None:
        """`name` is shown in logs. `predicate` and the listeners must not refer to the look-up."""
        self._listeners = (*listeners,)
        self._listenings: list[Listening] | None = None
        self._is_closed = False
        self._lock = Lock()
        super().__init__(predicate, **options)
        self.name: str = name
        self._set_limits()

    def close(self) -> None:
        """Listen no more, and close connections.

        A question opens one again. Its answer counts for its ttl alone.
        """
        with self._lock:
            self._is_closed = True
            listenings, self._listenings = self._listenings or [], []
            self._set_limits()
        for listening in listenings:
            listening.close()
        self.clear()
        self._close_connections()

    def _close_connections(self) -> None:
        """Close the connections for questions that are not in use."""

    def ask(
        self, request: CORSRequest, faults: list[Fault], seconds: float, wait: Waiter | None
    ) -> bool:
        """Return True if the store allows a request, by a remembered answer or a question."""
        self._prepare()
        return super().ask(request, faults, seconds, wait)

    async def ask_async(
        self, request: CORSRequest, faults: list[Fault], seconds: float, call: Any
    ) -> bool:
        """Return the same, without blocking an event loop."""
        self._prepare()
        return await super().ask_async(request, faults, seconds, call)

    def set_ready(self, listening: Listening, is_ready: bool) -> None:
        """Note that a listener hears of every change from now on, or of none."""
        if listening.is_ready is is_ready:
            return
        if is_ready:
            self.clear()  # first, as old answers count longer from then on
        with self._lock:
            listening.is_ready = is_ready
            self._set_limits()
        if not is_ready:
            self.clear()

    def _prepare(self) -> None:
        """Start to listen at the first question of a process, and find listeners that hang."""
        if self._listenings is None:
            with self._lock:
                if self._listenings is None:
                    self._start()
        for listening in self._listenings or ():
            if listening.is_overdue:
                self.set_ready(listening, is_ready=False)

    def _start(self) -> None:
        self._listenings = []
        try:
            for listen in self._listeners:
                self._listenings += [Listening(self, listen)]
        except RuntimeError:  # the interpreter ends, or there is no room for a thread
            for listening in self._listenings:
                listening.close()
            self._listenings = None

    def _set_limits(self) -> None:
        """Let old answers count only while every listener is notified of each change."""
        ready = [each for each in self._listenings or () if each.is_ready]
        limits = self.limits
        if len(ready) < len(self._listeners):
            limits = limits._replace(stale_while_revalidate=0, stale_if_error=0)
        self._state.set_limits(limits)

    def _restart(self) -> None:
        """Start without answers, threads and connections in a forked child."""
        INHERITED.append(self._listenings)
        self._lock = Lock()
        self._listenings = [] if self._is_closed else None
        self._set_limits()
        super()._restart()


def _forget(lookup: NotifiedLookup, origin: str) -> None:
    if origin:
        try:
            lookup.forget(origin)
        except ValueError:  # it is not an origin, so it may stand for any
            lookup.clear()
    else:
        lookup.clear()


def _log_loss(lookup: NotifiedLookup, problem: str) -> None:
    _logger.warning(
        "%s is not notified of changes, so its answers count for %g s: %s",
        lookup.name,
        lookup.limits.ttl,
        problem,
    )


def _log_return(lookup: NotifiedLookup) -> None:
    _logger.info("%s is notified of changes again", lookup.name)
