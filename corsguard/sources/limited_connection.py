"""A connection of psycopg on which no response takes long.

A server that hangs keeps its connections open, so neither libpq nor the system notices.
"""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any

import psycopg

from corsguard.sources.remote_store import SHORT_SECONDS

__all__ = ["LimitedConnection"]


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that closes, and raises OperationalError, after two seconds of waiting."""

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for a response, as everything does that psycopg sends."""
        return super().wait(self._limit(gen), *args, **kwargs)

    def _limit(self, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Run the steps of an operation, which is also resumed now and then while it waits."""
        deadline = monotonic() + SHORT_SECONDS
        try:
            awaited = next(steps)
            while True:
                is_ready = yield awaited
                if not is_ready and monotonic() >= deadline:
                    self.close()  # a later response would be taken for that of another question
                    raise psycopg.OperationalError(
                        f"the server does not respond for {SHORT_SECONDS:g} seconds."
                    )
                awaited = steps.send(is_ready)
        except StopIteration as end:
            return end.value
