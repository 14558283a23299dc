"""The time limit on regular expressions that may hang.

`re` can't be interrupted, and holds the interpreter's lock, so a thread is no help. A separate
program matches the expression, and is killed if it takes too long. It is started anew, never
forked: this works on every platform, and whatever threads run here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, NamedTuple

from corsguard.cli.migrate.replay import pattern_process

__all__ = ["TIME_LIMIT", "MatchTimes", "measure_match"]

TIME_LIMIT = 1.0
"""Seconds that an expression may take for one text."""

_START_LIMIT = 30.0  # seconds for the program to start, on a busy machine
_PROGRAM = str(Path(pattern_process.__file__))


class MatchTimes(NamedTuple):
    """The texts that an expression was matched on, in time or not."""

    quick: frozenset[str]
    """The texts that took less than the limit. Those after the first slow one were not tried."""
    slow: str | None
    """The first text that took longer; None where there is none."""


def measure_match(
    pattern: re.Pattern[str], texts: Iterable[str], seconds: float = TIME_LIMIT
) -> MatchTimes:
    """Match pattern on texts in another process, until one takes longer than seconds.

    Raises OSError where no process can be started, and RuntimeError where it fails.
    """
    texts = list(texts)
    order = {"pattern": pattern.pattern, "flags": pattern.flags & ~re.DEBUG, "texts": texts}
    # -I: neither the environment nor the current folder changes what the program imports.
    process = subprocess.Popen(  # noqa: S603  # our own program, by our own interpreter
        [sys.executable, "-I", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="ascii",
    )
    with process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        process.stdin.write(f"{json.dumps(order)}\n")
        process.stdin.flush()
        try:
            begun = _read_progress(process.stdout, seconds)
        finally:
            process.kill()
    if begun is None:
        return MatchTimes(frozenset(texts), None)
    return MatchTimes(frozenset(texts[:begun]), texts[begun])


def _read_progress(printed: IO[str], seconds: float) -> int | None:
    """Return the number of the text that takes longer than seconds, or None where all are done."""
    lines: Queue[str] = Queue()
    Thread(target=_pass_on, args=(printed, lines), daemon=True).start()
    begun: int | None = None
    limit = _START_LIMIT
    while True:
        try:
            line = lines.get(timeout=limit).strip()
        except Empty:
            return begun
        if line == "done":
            return None
        if not line:
            raise RuntimeError("the program that matches regular expressions ended early")
        begun, limit = int(line), seconds


def _pass_on(printed: IO[str], lines: Queue[str]) -> None:
    """Pass the lines of a pipe on, and an empty one at its end: a queue can be read in time."""
    for line in printed:
        lines.put(line)
    lines.put("")
