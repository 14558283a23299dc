"""`corsguard demo`: an API behind corsguard, and a playground that calls it from two origins."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from corsguard import CORSRequest, Decision, Kind
from corsguard.cli.demo.ports import PREFERRED_PORTS
from corsguard.cli.demo.servers import Origins, PortError, serve_demo
from corsguard.cli.terminal import fail, open_console
from corsguard.escaping import escape_text

__all__ = ["run_demo"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SECONDS_BETWEEN_CHECKS = 0.1


def run_demo(ports: Mapping[str, int]) -> int:
    """Serve the demo until a signal, and return the exit code.

    `ports` are those that the user named: "api", "frontend" or "untrusted" -> port, where 0 selects
    any free one.
    """
    terminal = open_console()

    def print_version(version: int) -> None:
        terminal.print(Text(f"  policy    version {version} is in force", "yellow"), soft_wrap=True)

    with _catch_signals() as caught, _silence_logger():
        try:
            with serve_demo(ports, _build_subscriber(terminal), print_version) as origins:
                _print_welcome(terminal, origins, ports)
                # A signal interrupts a sleep everywhere, but not the wait for a lock (Windows).
                while not caught:
                    time.sleep(_SECONDS_BETWEEN_CHECKS)
        except PortError as error:
            fail(str(error), code=1)
    terminal.print("\nStopped. Goodbye.")
    return 0


@contextmanager
def _catch_signals() -> Generator[list[int]]:
    """Yield the list of the signals that have arrived, which raise no exception."""
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
def _silence_logger() -> Generator[None]:
    """Keep the log of the guard off the terminal: each decision is printed there already."""
    logger = logging.getLogger("corsguard")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _print_welcome(terminal: Console, origins: Origins, named: Mapping[str, int]) -> None:
    frontend, untrusted = origins.frontend, origins.untrusted
    welcome = Text("\n").append("corsguard demo: open ", "bold").append(frontend, "bold cyan")
    welcome.append("\n\n")
    for label, origin, what in (
        ("frontend", frontend, "the playground: edit the policy of the API, and call it"),
        ("API", origins.api, "behind corsguard; its policy lists the frontend"),
        ("untrusted", untrusted, "an untrusted origin, from which the same calls are made"),
    ):
        welcome.append(f"  {label:<10}").append(origin, "bold cyan").append(f"  {what}\n")
    for number, line in enumerate(_describe_taken_ports(origins, named)):
        welcome.append("\n" if number == 0 else "").append(f"  {line}\n", "yellow")
    welcome.append("\nCtrl-C stops. Each request that the API decides on:\n")
    # In one call: the threads of the servers print below it.
    terminal.print(welcome, soft_wrap=True)


def _describe_taken_ports(origins: Origins, named: Mapping[str, int]) -> Iterator[str]:
    """Yield a line on each port that another program has, with the option that names one."""
    for name, preferred in PREFERRED_PORTS.items():
        origin = getattr(origins, name)
        if name not in named and not origin.endswith(f":{preferred}"):
            yield f"port {preferred} is taken: a free one is used, --{name}-port names another"


def _build_subscriber(terminal: Console) -> Callable[[Decision, CORSRequest], None]:
    """Return a subscriber that prints each decision on one line."""

    def print_decision(decision: Decision, request: CORSRequest) -> None:
        is_preflight = decision.kind is Kind.PREFLIGHT
        kind = "preflight" if is_preflight else "request"
        method = escape_text(
            (request.requested_method if is_preflight else None) or request.method, 20
        )
        style = "green" if decision.allowed else "red"
        line = Text(f"  {kind:<10}{method:<7}{escape_text(request.path)} from ")
        line.append(f"{escape_text(request.origin or 'no origin')}: ")
        line.append(decision.reason, f"bold {style}")
        terminal.print(line, soft_wrap=True)

    return print_decision
