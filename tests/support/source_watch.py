"""A source that is watched in a thread, as a follower does, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from time import monotonic

from corsguard.sources import PolicySource, SourceError

PATIENCE = 10  # seconds, where something is broken


class Watch:
    """The changes that a source has reported, each as the text that it then had."""

    def __init__(self, source: PolicySource) -> None:
        self.source = source
        self._texts: Queue[str] = Queue()

    def note(self) -> None:
        try:
            self._texts.put(self.source.load().text)
        except SourceError as error:
            self._texts.put(f"! {error}")

    def expect(self, text: str) -> None:
        """Wait until a change is reported whose text begins like this."""
        seen = []
        deadline = monotonic() + PATIENCE
        while True:
            try:
                seen.append(self._texts.get(timeout=max(0, deadline - monotonic())))
            except Empty:
                raise AssertionError(f"{text!r} is not in {seen}") from None
            if seen[-1].startswith(text):
                return

    def measure(self, change: Callable[[], object], text: str) -> float:
        """Return the seconds from the end of a change until it is reported."""
        change()
        begin = monotonic()
        self.expect(text)
        return monotonic() - begin

    def count(self) -> int:
        """Return how many changes are reported that were not expected."""
        return self._texts.qsize()


@contextmanager
def watch(source: PolicySource) -> Iterator[Watch]:
    """Yield the changes of a source, which is watched until the block ends."""
    seen = Watch(source)
    thread = Thread(target=source.watch, args=(seen.note,), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        source.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
