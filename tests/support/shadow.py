"""The lines that the shadow mode has logged in a test."""

from __future__ import annotations

import pytest

from corsguard.guard.shadow_line import ShadowLine, parse_line

__all__ = ["Row", "list_rows", "read_lines"]

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
