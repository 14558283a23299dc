"""`corsguard probe --audit`: looking for the known misconfigurations of a live server."""

from __future__ import annotations

import sys

from rich.progress import BarColumn, Progress, TextColumn

from corsguard.browser.messages import Fields, Send, SendError
from corsguard.cli.audit.auditing import Audit, audit
from corsguard.cli.audit.checks import CHECKS
from corsguard.cli.audit.client import Client, Limits
from corsguard.cli.audit.reports import REPORTS
from corsguard.cli.audit.server import Server
from corsguard.cli.terminal import console, counted, fail
from corsguard.origin import Origin, OriginError

__all__ = ["INTERRUPTED", "run_audit"]

INTERRUPTED = 130
"""The exit code after Ctrl-C, as a shell tells it: 128 and the number of the signal."""
_UNFINISHED = 2


def run_audit(
    url: str,
    page: str,
    *,
    form: str = "text",
    fields: Fields = (),
    limits: Limits | None = None,
    verify: bool | str = True,
) -> int:
    """Report on the server at url, where page is an origin that it should allow.

    form is a key of REPORTS. fields are sent with every request but preflights, and hidden in the
    report. Returns 0 where nothing was found, 1 where something was, 2 where nothing was because
    the server did not answer to the end, 130 after Ctrl-C. Ends the command with 2 and one line
    where the server can't be asked at all.
    """
    try:
        origin = Origin.parse(page)
    except OriginError as error:
        fail(f"{page} is not the origin of a page: {error}")
    try:
        with Client(url, limits=limits, verify=verify) as client:
            done = _audit(client.send, url, origin, fields)
    except SendError as error:
        fail(str(error))
    REPORTS[form](done)
    if done.interrupted:
        return INTERRUPTED
    if done.findings:
        return 1
    return 0 if done.complete else _UNFINISHED


def _audit(send: Send, url: str, page: Origin, fields: Fields) -> Audit:
    with Progress(
        TextColumn("auditing {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[requests]}"),
        console=(stderr := console(sys.stderr)),
        transient=True,
        disable=not stderr.is_terminal,
    ) as progress:
        bar = progress.add_task("", total=len(CHECKS) + 1, requests="")

        def show(check: str) -> None:
            asked = counted(server.requests, "request")
            progress.update(bar, description=check, advance=1, requests=asked)

        server = Server(send, url, page, fields)
        return audit(server, show)
