"""A connection of psycopg on which no response takes long.

A server that hangs keeps its connections open, so neither libpq nor the system notices.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg

from corsguard.sources.remote_store import SHORT_SECONDS

__all__ = ["LimitedConnection"]


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that closes, and raises OperationalError, after two seconds of waiting."""

    _seconds: float | None = SHORT_SECONDS

    @contextmanager
    def limit(self, seconds: float | None) -> Iterator[None]:
        """Set another limit for a while; None for no limit."""
        before, self._seconds = self._seconds, seconds
        try:
            yield
        finally:
            self._seconds = before

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for a response, as everything does that psycopg sends."""
        steps = gen if self._seconds is None else self._run(gen, self._seconds)
        return super().wait(steps, *args, **kwargs)

    def _run(self, steps: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
        """Run the steps of an operation, which is also resumed now and then while it waits."""
        deadline = monotonic() + seconds
        try:
            awaited = next(steps)
            while True:
                is_ready = yield awaited
                if not is_ready and monotonic() >= deadline:
                    self.close()  # a later response would be taken for that of another question
                    raise psycopg.OperationalError(
                        f"the server does not respond for {seconds:g} seconds."
                    )
                awaited = steps.send(is_ready)
        except StopIteration as end:
            return end.value
