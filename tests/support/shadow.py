"""The lines that the shadow mode has logged in a test."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from corsguard.guard.shadow_line import ShadowLine, parse_line

__all__ = ["Row", "call_asgi", "list_rows", "read_lines"]

Row = tuple[str, str | None, str | None, str, int]
"""Verdict, origin, route, reason, number of requests."""


def read_lines(caplog: pytest.LogCaptureFixture) -> list[ShadowLine]:
    """Return the lines of items in the log, and clear it."""
    parsed = [parse_line(record.getMessage()) for record in caplog.records]
    caplog.clear()
    return [each for each in parsed if isinstance(each, ShadowLine)]


def list_rows(caplog: pytest.LogCaptureFixture) -> list[Row]:
    """Return what matters of these lines."""
    return [
        (each.verdict, each.origin, each.route, each.reason, each.requests)
        for each in read_lines(caplog)
    ]


def call_asgi(
    app: Any, method: str = "GET", path: str = "/api", kind: str = "http", **fields: str
) -> tuple[list[Any], Any, Any]:
    """Return what the application sends, the error it raises, and the scope afterwards."""
    names = ((name.replace("_", "-").encode(), each.encode()) for name, each in fields.items())
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "headers": [*names],
        "query_string": b"",
        "subprotocols": [],
    }
    sent: list[Any] = []
    first = {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request"}
    waiting: list[Any] = [first, {"type": f"{kind}.disconnect"}]

    async def receive() -> Any:
        if kind == "http" and len(waiting) == 1:  # what streams ends once the client is gone
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(copy.copy(message))

    error = None
    try:
        asyncio.run(app(scope, receive, send))
    except ValueError as raised:
        error = str(raised)
    return sent, error, sorted(key for key in scope if "corsguard" in key)
