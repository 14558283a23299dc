"""A thread in `watch` of a source, and what it has been notified of."""

from __future__ import annotations

from queue import Empty, Queue
from threading import Thread
from types import TracebackType

from corsguard.sources import PolicySource

SECONDS = 15
"""How long a test waits for something that takes less than a second, or a few if a server hangs."""


class Watcher:
    """Watches a source until the source is closed or raises."""

    def __init__(self, source: PolicySource) -> None:
        self.source = source
        self.error: Exception | None = None
        self.changes: Queue[bool] = Queue()
        self.thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        """Return once the source is watched."""
        self.thread.start()
        self.wait_change()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.source.close()
        self.wait_end()

    def _watch(self) -> None:
        try:
            self.source.watch(lambda: self.changes.put(True))
        except Exception as error:
            self.error = error

    def wait_change(self) -> None:
        self.changes.get(timeout=SECONDS)

    def wait_end(self) -> None:
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()

    def drain(self) -> int:
        """Return how many changes there were that the test has not waited for."""
        count = 0
        try:
            while True:
                self.changes.get_nowait()
                count += 1
        except Empty:
            return count
