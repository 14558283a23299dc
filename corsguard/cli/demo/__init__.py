"""`corsguard demo`: an API behind corsguard, and two pages that call it from other origins."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from corsguard import CORSRequest, Decision, Kind
from corsguard.cli.demo.journal import JOURNAL
from corsguard.cli.demo.servers import Origins, PortError, serving
from corsguard.cli.terminal import console, fail
from corsguard.escaping import escape_text

__all__ = ["run"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SECONDS_BETWEEN_LOOKS = 0.1


def run(ports: Mapping[str, int]) -> int:
    """Serve the demo until a signal, and return the exit code."""
    terminal = console()
    with _signals_caught() as caught, _quiet_logger():
        try:
            with serving(ports, _telling(terminal)) as origins:
                _welcome(terminal, origins)
                # Waiting for a lock would not be interrupted everywhere (Windows); a sleep is.
                while not caught:
                    time.sleep(_SECONDS_BETWEEN_LOOKS)
        except PortError as error:
            fail(str(error), code=1)
    terminal.print("\nStopped. Goodbye.")
    return 0


@contextmanager
def _signals_caught() -> Iterator[list[int]]:
    """The signals that have come so far, which do nothing else: no exception at any odd place."""
    caught: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: caught.append(number))
        for number in _SIGNALS
    }
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _quiet_logger() -> Iterator[None]:
    """Spare the terminal what the guard logs: every decision is told there already."""
    logger = logging.getLogger("corsguard")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _welcome(terminal: Console, origins: Origins) -> None:
    lines = (
        ("API", origins.api, "behind corsguard"),
        ("frontend", origins.frontend, "its policy lists this origin"),
        ("stranger", origins.stranger, "the same page, not listed"),
    )
    welcome = Text("\n").append("corsguard demo: open the two pages in a browser\n\n", "bold")
    for name, origin, what in lines:
        welcome.append(f"  {name:<9} ").append(origin, "bold cyan").append(f"  {what}\n")
    welcome.append("\nCtrl-C stops. Each request that the API decides on:\n")
    # At once: the servers answer already, and what their threads tell belongs below.
    terminal.print(welcome, soft_wrap=True)


def _telling(terminal: Console) -> Callable[[Decision, CORSRequest], None]:
    """A subscriber that writes each decision on one line."""

    def tell(decision: Decision, facts: CORSRequest) -> None:
        if facts.route == JOURNAL:
            return
        asking = decision.kind is Kind.PREFLIGHT
        kind = "preflight" if asking else "request"
        method = escape_text((facts.requested_method if asking else None) or facts.method, 20)
        style = "green" if decision.allowed else "red"
        line = Text(f"  {kind:<10}{method:<7}{escape_text(facts.path)} from ")
        line.append(f"{escape_text(facts.origin or 'no origin')}: ")
        line.append(decision.reason, f"bold {style}")
        terminal.print(line, soft_wrap=True)

    return tell
