"""Sources in memory, as a user may write them, which a test can break; and a queue of changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, Queue

from corsguard import Guard
from corsguard.sources import Document, Revision, SourceEmptyError, SourceError, WorkerReport
from corsguard.sources.follower import PolicyChange
from corsguard.sources.revision_log import select_complete

PATIENCE = 10.0
"""Seconds that a test waits for what comes at once where nothing is broken."""
OFTEN = 0.01
"""Seconds between two polls in a test that depends on them."""
SELDOM = 60.0
"""Seconds between two polls in a test that depends on notifications alone."""


class MemorySource:
    """A source of one text, with a version that a test sets."""

    def __init__(self, text: str = "", version: str = "1") -> None:
        self.document = Document(version, text)
        self.error: Exception | None = None
        self.loads: Queue[str] = Queue()
        self.is_closed = False
        self._on_change: Callable[[], object] = lambda: None

    def load(self) -> Document:
        self.loads.put(self.document.version)
        if self.error is not None:
            raise self.error
        return self.document

    def watch(self, on_change: Callable[[], object]) -> None:
        """Register on_change and return, as a source may that needs no thread for it."""
        self._on_change = on_change
        on_change()

    def put(self, text: str, version: str) -> None:
        self.document = Document(version, text)
        self._on_change()

    def fail(self, error: Exception | None) -> None:
        self.error = error
        self._on_change()

    def close(self) -> None:
        self.is_closed = True


class MemoryStore(MemorySource):
    """A store of revisions in memory."""

    def __init__(self, *revisions: Revision) -> None:
        super().__init__()
        self.revisions = list(revisions)
        self.reports: Queue[WorkerReport] = Queue()
        self.report_error: Exception | None = None

    def load_revisions(self, since: int = 0) -> Sequence[Revision]:
        self.loads.put(str(since))
        if self.error is not None:
            raise self.error
        if not self.revisions:
            raise SourceEmptyError("the store is empty")
        lacking = [each for each in self.revisions if each.version > since]
        is_known = any(each.version == since for each in self.revisions)
        if is_known and all(each.is_change for each in lacking):
            return lacking
        return select_complete(self.revisions)

    def publish(self, revision: Revision) -> None:
        self.revisions.append(revision)
        self._on_change()

    def list_revisions(self, limit: int) -> Sequence[Revision]:
        return self.revisions[: -limit - 1 : -1]

    def load_revision(self, version: int) -> Sequence[Revision]:
        return select_complete([each for each in self.revisions if each.version <= version])

    def report(self, report: WorkerReport, seconds: float) -> None:
        if self.report_error is not None:
            raise self.report_error
        self.reports.put(report)

    def list_reports(self) -> Sequence[WorkerReport]:
        return list(self.reports.queue)


class Changes:
    """The changes of a guard, in order."""

    def __init__(self, guard: Guard) -> None:
        self._changes: Queue[PolicyChange] = Queue()
        guard.subscribe_changes(self._changes.put)
        guard.check_health()  # which starts the threads

    def next(self) -> PolicyChange:
        """Return the next change; wait for it."""
        try:
            return self._changes.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError("nothing has changed") from None

    def wait_for(self, version: str) -> None:
        """Wait until a version is in force."""
        while self.next().version != version:
            pass

    def wait_for_error(self, text: str) -> str:
        """Wait for a change whose error contains a text, and return it; with "" for no error."""
        while text not in (error := self.next().error) or (error and not text):
            pass
        return error

    def wait_for_change(self) -> None:
        """Wait until another version is in force. A file may be read when it is half written."""
        while (change := self.next()).version == change.previous:
            pass


def break_source() -> SourceError:
    """Return the error of a source that can't be reached."""
    return SourceError("127.0.0.1:6379 refuses connections")
