"""The progress of a run of checks, on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn

from corsguard.cli.audit.server import RecordingServer
from corsguard.cli.terminal import format_count, make_printable, open_console

__all__ = ["show_progress"]


@contextmanager
def show_progress(
    verb: str, server: RecordingServer, checks: int
) -> Generator[Callable[[str], None]]:
    """Show a bar on the standard error, if that is a terminal, until the end of the block.

    `checks` is how many checks there are. The result is called with the name of each before it
    starts.
    """
    with Progress(
        TextColumn(f"{verb} {{task.description}}"),
        BarColumn(),
        TextColumn("{task.fields[requests]}"),
        console=(stderr := open_console(sys.stderr)),
        transient=True,
        disable=not stderr.is_terminal,
    ) as progress:
        bar = progress.add_task("", total=checks + 1, requests="")

        def show(check: str) -> None:
            requests = format_count(server.requests, "request")
            progress.update(bar, description=make_printable(check), advance=1, requests=requests)

        yield show
