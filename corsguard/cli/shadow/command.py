"""The command `corsguard shadow-report`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import IO

from corsguard.cli.shadow.log_totals import read_lines
from corsguard.cli.shadow.report import write_json, write_text
from corsguard.cli.terminal import fail

__all__ = ["run_shadow_report"]

_LONGEST = 1_048_576
"""Bytes of a line that are read at once. A line of the shadow mode is much shorter."""


def run_shadow_report(logs: Iterable[str], *, as_json: bool) -> int:
    """Report on logs: paths of files, `-` for the standard input. Return the exit code."""
    totals = read_lines(_iter_lines(logs))
    if not totals.processes:
        fail("no line of the shadow mode in the log: is the logger `corsguard` written there?")
    (write_json if as_json else write_text)(totals)
    return 1 if totals.list_differences("would-refuse") else 0


def _iter_lines(logs: Iterable[str]) -> Iterator[str]:
    for log in logs:
        try:
            if log == "-":
                yield from _decode(sys.stdin.buffer)
            else:
                with open(log, "rb") as file:
                    yield from _decode(file)
        except OSError as error:
            fail(f"{log}: can't be read: {error.strerror or error}")


def _decode(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a log; one that is too long in parts, so that it does not fill memory."""
    while line := file.readline(_LONGEST):
        yield line.decode("utf-8", "replace")
