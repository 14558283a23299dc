"""The follower of a guard: it keeps the policy the newest valid document of a source."""

from __future__ import annotations

import atexit
import logging
import os
import random
import socket
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING, NamedTuple

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import escape_text
from corsguard.fork_safety import restart_in_child
from corsguard.guard.config import Settings
from corsguard.guard.options import Options
from corsguard.guard.snapshot import Snapshot
from corsguard.policy.suggestion_formats import as_toml
from corsguard.sources.changes import parse_changes
from corsguard.sources.last_good import LastGood
from corsguard.sources.parsed_document import change_sets, read_document
from corsguard.sources.revision_log import assemble, select_complete
from corsguard.sources.signature import verify
from corsguard.sources.source import (
    Document,
    PolicySource,
    PolicyStore,
    Revision,
    SourceError,
    WorkerReport,
)

if TYPE_CHECKING:
    from corsguard.guard.runtime import GuardRuntime
    from corsguard.sources.signature import VerifyingKey

__all__ = ["Follower", "PolicyChange", "SourceHealth"]

_logger = logging.getLogger("corsguard")

_MIN_RETRY = 0.5
_MAX_RETRY = 4.0
"""Seconds between two tries while a source fails. The second one grows up to the third."""
_MAX_WAIT = 1.0
"""Seconds that the first request of a forked process waits for the newest document."""
_REPORT_INTERVAL = 10.0
_REPORT_LIFETIME = 30.0
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
    """The version in force before it, None at the start; the same as `version` if `error`."""
    error: str = ""
    """Why a newer document is not in force, or the source can't be read; else empty."""


class _RefusedError(Exception):
    """A document that is not put in force."""

    def __init__(self, version: str, problems: Sequence[Problem]) -> None:
        super().__init__(version, problems)
        self.version = version
        self.problems = problems

    def __str__(self) -> str:
        return f"version {self.version} is refused: {'; '.join(map(str, self.problems))}"


class Follower:
    """What follows a source for a guard, in this process and in those that it forks.

    Two daemon threads, from the first request of a process on: one loads documents, when the source
    reports a change and every `poll` seconds, the other waits for those reports. A document is
    put in force as a whole or not at all.
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
        self.source: PolicySource = source
        self.poll: float = poll
        self.error_count: int = 0
        self.version: str | None = None
        self.since: float | None = None
        self._runtime = runtime
        self._store = source if isinstance(source, PolicyStore) else None
        self._last_good = last_good
        self._is_saved = True
        self._key = key
        current = runtime.snapshot
        self._defaults = Options(current.enforce, current.enforce_exempt, current.own_origins)
        self._settings: Settings | None = None
        self._number = 0  # of the revision in force, or of the signed document
        self._refused: _RefusedError | None = None
        self._error = ""
        self._report_error = ""
        self._reported_at = 0.0
        self._subscribers: tuple[Callable[[PolicyChange], object], ...] = ()
        self._checked_at = time.monotonic()
        self._is_closed = False
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Start without threads in this process; see corsguard.fork_safety."""
        self._lock = Lock()
        self._changed, self._stop, self._first_check = Event(), Event(), Event()
        self._threads: list[Thread] = []
        self._is_inherited = self.version is not None
        self._reported_at = 0.0
        if self._is_inherited and not self._is_closed:
            self._runtime.call_at_next_request(self.wake)

    def start_up(self) -> None:
        """Put the newest document in force, or else the last good one.

        Raises PolicyError (`source-unavailable`) if there is neither, and with the problems of a
        document that is not valid.
        """
        try:
            self._load()
        except Exception as error:
            if not self._load_last_good(error):
                raise PolicyError(_describe_start_failure(error)) from None
            self._fail(error)
        self._is_inherited = False
        atexit.register(self.close)
        self._runtime.call_at_next_request(self.wake)

    def wake(self) -> None:
        """Start the threads of this process, unless they run.

        Waits for the first load where the policy may be old: in a forked process, and long after
        the start.
        """
        with self._lock:
            if not self._threads and not self._is_closed:
                self._start_threads()
        if self._is_inherited or time.monotonic() - self._checked_at > self.poll:
            self._first_check.wait(_MAX_WAIT)

    def _start_threads(self) -> None:
        for run, name in ((self._run, "corsguard-follow"), (self._watch, "corsguard-watch")):
            thread = Thread(target=run, name=name, daemon=True)
            self._threads.append(thread)
            try:
                thread.start()
            except RuntimeError as error:  # such as no room for a thread: the request goes on
                self._fail(error)
                self._finish_first_check()

    def close(self) -> None:
        """Stop following. The policy in force stays."""
        self._is_closed = True
        atexit.unregister(self.close)
        self._runtime.call_at_next_request(None)
        with self._lock:
            threads, self._threads = self._threads, []
        self._stop.set()
        self._changed.set()
        self.source.close()
        for thread in threads:
            if thread is not current_thread():
                thread.join(_STOP_SECONDS)

    def subscribe(self, subscriber: Callable[[PolicyChange], object]) -> None:
        """Call subscriber with each PolicyChange from now on."""
        self._subscribers = (*self._subscribers, subscriber)

    def check_health(self) -> SourceHealth:
        """Return the state of this process, whose threads start if they don't run."""
        self.wake()
        age = time.monotonic() - self._checked_at
        error = self._error
        if not error and age > 3 * self.poll + _MAX_RETRY:
            error = f"the source has not responded for {age:.0f} s"
        return SourceHealth(not error, self.version, self.since, error, self.error_count)

    def _run(self) -> None:
        """Load documents until the follower is closed."""
        stop, changed = self._stop, self._changed
        retry = _MIN_RETRY
        while not stop.is_set():
            changed.clear()
            try:
                self._load()
            except Exception as error:
                self._fail(error)
                is_reached = isinstance(error, (_RefusedError, PolicyError))
                self._finish_first_check()
                # So many workers don't all try at once, nor one of them on every notification.
                stop.wait(random.uniform(_MIN_RETRY, retry))  # noqa: S311  # no secret
                retry = _MIN_RETRY if is_reached else min(2 * retry, _MAX_RETRY)
                if is_reached:
                    changed.wait(self._draw_pause())
            else:
                retry = _MIN_RETRY
                self._finish_first_check()
                self._save()
                self._report()
                changed.wait(self._draw_pause())

    def _draw_pause(self) -> float:
        return self.poll * random.uniform(0.8, 1.2)  # noqa: S311  # no secret

    def _finish_first_check(self) -> None:
        if not self._first_check.is_set():
            self._is_inherited = False
            self._first_check.set()
            self._runtime.call_at_next_request(None)

    def _watch(self) -> None:
        """Wait for reports of changes until the follower is closed, or the source has no more."""
        stop, changed = self._stop, self._changed
        while not stop.is_set():
            try:
                self.source.watch(changed.set)
            except Exception as error:
                _logger.debug("can't watch the source: %s", _describe(error))
            else:
                return
            stop.wait(random.uniform(_MIN_RETRY, 2 * _MIN_RETRY))  # noqa: S311  # no secret
            changed.set()  # a change may have been missed

    def _load(self) -> None:
        """Put the newest document in force if it is another one.

        Raises whatever the source raises, _RefusedError and PolicyError.
        """
        if self._store is None:
            document = self.source.load()
            self._checked_at = time.monotonic()
            if self._needs(document.version):
                self._apply(document, [], is_new=True)
        else:
            revisions = self._store.load_revisions(self._number)
            self._checked_at = time.monotonic()
            newest = str(revisions[-1].version) if revisions else self.version
            if self._needs(newest):
                self._apply_revisions(self._store, revisions)

    def _needs(self, newest: str | None) -> bool:
        """Return True if a version is neither in force nor refused. The source can be read."""
        if newest == self.version:
            self._refused = None
        elif self._refused is None or self._refused.version != newest:
            return True
        error = _describe(self._refused) if self._refused else ""
        if self._error != error:
            _logger.info("the source of the policy can be read again")
            self._error = error
        return False

    def _apply_revisions(self, store: PolicyStore, revisions: Sequence[Revision]) -> None:
        if revisions[0].is_change:
            if self._apply_changes(revisions):
                return
            revisions = store.load_revisions()
        whole, *changes = select_complete(revisions)
        self._apply(Document(str(whole.version), whole.text), changes, is_new=True)

    def _apply(self, document: Document, changes: Sequence[Revision], *, is_new: bool) -> None:
        """Put a whole document and the changes after it in force."""
        version = str(changes[-1].version) if changes else document.version
        try:
            number = self._authenticate(document, changes)
            settings = _read_whole(document, changes)
            self._replace(settings)
        except PolicyError as error:
            raise _RefusedError(version, list(map(as_toml, error.problems))) from None
        except SourceError as error:
            raise _RefusedError(version, [_refuse(error)]) from None
        self._number = number
        self._finish(version, settings)
        if is_new and self._last_good is not None:
            self._is_saved = _try_saving(
                lambda last: self._store_all(last, document, changes), self._last_good
            )

    def _store_all(
        self, last_good: LastGood, document: Document, changes: Sequence[Revision]
    ) -> bool:
        last_good.store(document)
        return last_good.append(changes) if changes else True

    def _apply_changes(self, revisions: Sequence[Revision]) -> bool:
        """Put changes in force, unless they need the whole document: then return False."""
        settings = self._settings
        numbers = range(self._number + 1, self._number + 1 + len(revisions))
        is_complete = all(map(_is_change_number, revisions, numbers))
        if settings is None or not is_complete:
            return False
        try:
            for revision in revisions:
                self._verify(revision)
                changed = change_sets(settings, parse_changes(revision.text))
                if changed is None:
                    return False
                settings = changed
            self._replace(settings)
        except PolicyError:
            return False  # the whole document says what is wrong
        except SourceError as error:
            raise _RefusedError(str(revisions[-1].version), [_refuse(error)]) from None
        self._number = revisions[-1].version
        self._finish(str(self._number), settings)
        if self._last_good is not None:
            self._is_saved = _try_saving(lambda last: last.append(revisions), self._last_good)
        return True

    def _replace(self, settings: Settings) -> None:
        """Put settings in force, all at once. Raises PolicyError, and then nothing is."""
        compiled = []

        def build(current: Snapshot) -> Snapshot:
            compiled.append(settings.compile(current, self._defaults))
            return compiled[0].snapshot

        self._runtime.swap(build)
        self._runtime.set_candidate(compiled[0].candidate)

    def _finish(self, version: str, settings: Settings) -> None:
        """Note, log and publish that a version is in force."""
        previous, self.version = self.version, version
        self.since = time.time()
        self._settings = settings
        self._refused, self._error = None, ""
        self._reported_at = 0.0
        was = f", after {escape_text(previous)}" if previous else ""
        _logger.info("policy version %s is in force%s", escape_text(version), was)
        for warning in map(as_toml, settings.warnings[:_MAX_LOGGED]):
            _logger.warning("policy version %s: %s", escape_text(version), warning)
        self._publish(PolicyChange(version, previous))

    def _authenticate(self, document: Document, changes: Sequence[Revision]) -> int:
        """Return the number of the newest revision, 0 for a document without one.

        Raises SourceError if it has no valid signature, or an older one than is in force.
        """
        number = int(document.version) if self._store and document.version.isdecimal() else 0
        if self._key is not None:
            number = verify(document.text, self._key)
            if self._store is not None and str(number) != document.version:
                raise SourceError(f"the signature is that of version {number}")
            for change in changes:
                self._verify(change)
        if changes:
            number = changes[-1].version
        if self._key is not None and number < self._number:
            raise SourceError(
                f"it is older than version {self._number}, which was in force: publish it again, "
                "under a number that is higher"
            )
        return number

    def _verify(self, change: Revision) -> None:
        """Raise SourceError unless a change has a valid signature, where one is required."""
        if self._key is None:
            return
        if verify(change.text, self._key, is_change=True) != change.version:
            raise SourceError(f"the signature of version {change.version} is that of another one")

    def _load_last_good(self, error: Exception) -> bool:
        """Put the document on disk in force. Returns False if there is none that is valid."""
        if self._last_good is None:
            return False
        try:
            found = self._last_good.load()
            if found is None:
                return False
            self._apply(*found, is_new=False)
        except (SourceError, _RefusedError) as failure:
            text = _describe(failure)
            _logger.error("%s can't be used: %s", self._last_good.path, text)  # noqa: TRY400
            return False
        _logger.warning(
            "started with version %s from %s: %s",
            escape_text(self.version or ""),
            self._last_good.path,
            _describe(error),
        )
        return True

    def _fail(self, error: Exception) -> None:
        """Note, log and publish a failure; each failure of its kind once."""
        self.error_count += 1
        text = _describe(error)
        if isinstance(error, _RefusedError):
            self._refused = error
            for problem in error.problems[:_MAX_LOGGED]:
                _logger.error(
                    "policy version %s is refused, version %s stays in force: %s",
                    escape_text(error.version),
                    escape_text(self.version or "none"),
                    escape_text(str(problem), 500),
                )
        elif text != self._error:
            _logger.warning(
                "the source of the policy can't be read, version %s stays in force: %s",
                escape_text(self.version or "none"),
                text,
            )
        is_new, self._error = text != self._error, text
        if is_new and self.version is not None:
            self._publish(PolicyChange(self.version, self.version, text))
        self._report()

    def _publish(self, change: PolicyChange) -> None:
        for subscriber in self._subscribers:
            try:
                subscriber(change)
            except Exception as error:
                self._runtime.log.report_subscriber(subscriber, error)

    def _save(self) -> None:
        """Write the whole document, if it could not be written or appended when it changed."""
        if self._is_saved or self._last_good is None:
            return
        if self._store is None:
            document, changes = self.source.load(), []
        else:
            whole, *changes = self._store.load_revisions()
            document = Document(str(whole.version), whole.text)
        newest = str(changes[-1].version) if changes else document.version
        if newest == self.version:
            self._is_saved = _try_saving(
                lambda last: self._store_all(last, document, changes), self._last_good
            )

    def _report(self) -> None:
        """Write the state of this process to the store, if it is one, every few seconds."""
        now = time.monotonic()
        if self._store is None or now - self._reported_at < _REPORT_INTERVAL:
            return
        report = WorkerReport(
            socket.gethostname(),
            os.getpid(),
            self.version or "",
            self.since or 0.0,
            self._error,
            self._runtime.candidate_counts(),
        )
        try:
            self._store.report(report, _REPORT_LIFETIME)
        except Exception as error:
            text = _describe(error)
            if text != self._report_error:
                _logger.info("this worker can't report to the store: %s", text)
            self._report_error = text
        else:
            self._report_error = ""
        self._reported_at = now


def _read_whole(document: Document, changes: Sequence[Revision]) -> Settings:
    """Return the settings of a document after changes of its sets. Raises PolicyError."""
    settings = read_document(document.text)
    if not changes:
        return settings
    changed: Settings | None = settings
    for revision in changes:
        changed = changed and change_sets(changed, parse_changes(revision.text))
    if changed is not None and not settings.problems:
        return changed
    whole = Revision(int(document.version), document.text)
    return read_document(assemble([whole, *changes]).text)


def _is_change_number(revision: Revision, number: int) -> bool:
    return revision.is_change and revision.version == number


def _try_saving(save: Callable[[LastGood], bool], last_good: LastGood) -> bool:
    try:
        return save(last_good)
    except OSError as error:
        _logger.debug("%s can't be written: %s", last_good.path, _describe(error))
        return False


def _describe(error: Exception) -> str:
    """Return an error in one line without control characters."""
    text = str(error) or "no further information"
    if not isinstance(error, (SourceError, _RefusedError)):
        text = f"{type(error).__name__}: {text}"
    return escape_text(text, 500)


def _refuse(error: SourceError) -> Problem:
    """Return the problem of a document that is not what a key has signed."""
    suggestion = "publish it with --sign"
    return Problem("document-not-authentic", "source", None, str(error), suggestion)


def _describe_start_failure(error: Exception) -> Sequence[Problem]:
    """Return the problems of a guard that has no document at its start."""
    if isinstance(error, _RefusedError):
        return error.problems
    message = f"no document could be loaded, and there is no last good one: {_describe(error)}"
    suggestion = "give `last_good`, a file from which a worker starts while the source is down"
    return [Problem("source-unavailable", "source", None, message, suggestion)]
