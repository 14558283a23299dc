"""An audit by the options of `corsguard probe --audit`, with its progress on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corsguard.browser.messages import Fields, Send, SendError
from corsguard.browser.url import URL
from corsguard.cli.audit.checks import CHECKS
from corsguard.cli.audit.progress import show_progress
from corsguard.cli.audit.reports import REPORTS
from corsguard.cli.audit.runner import AuditResult, audit_server
from corsguard.cli.audit.server import AuditedServer
from corsguard.cli.client import Client
from corsguard.cli.client_options import INTERRUPTED, ClientOptions, parse_client_options
from corsguard.cli.options import REQUEST_OPTIONS
from corsguard.cli.terminal import fail
from corsguard.explain.question import Question
from corsguard.origin import Origin, OriginError

__all__ = ["run_audit", "run_audit_command"]

_UNFINISHED = 2
_USED = frozenset({"page", "header", "cookie"})
_UNUSED = {option.name: option.default for option in REQUEST_OPTIONS if option.name not in _USED}
_UNUSED_DEFAULTS: dict[str, object] = {**_UNUSED, "unsafe": False}
"""option that an audit does not use -> its default"""


def run_audit_command(question: Question, options: Mapping[str, Any]) -> int:
    """Audit a live server. Return the exit code of run_audit.

    Ends the command with 2 and one line for an option that an audit does not use.
    """
    for name, default in _UNUSED_DEFAULTS.items():
        if options[name] != default:
            fail(f"--{name} is not for an audit, which chooses its own requests: remove it")
    if question.page == "null":
        fail("an audit needs the origin of a page: any page can have the origin null")
    fields = question.request.fields
    if question.cookies:
        pairs = "; ".join(cookie.pair for cookie in question.cookies)
        fields = (*fields, ("Cookie", pairs))
    client_options = parse_client_options(URL.parse(question.request.url), options)
    return run_audit(client_options, question.page, form=options["format"], fields=fields)


def run_audit(options: ClientOptions, page: str, *, form: str = "text", fields: Fields = ()) -> int:
    """Report on a live server, where page is an origin that it should allow.

    `form` is a key of REPORTS. `fields` are sent with every request but preflights, and hidden in
    the report. Returns 0 where nothing is found, 1 where something is, 2 where nothing is found
    but the audit did not finish, 130 after Ctrl-C. Ends the command with 2 and one line where the
    server can't be reached at all.
    """
    try:
        origin = Origin.parse(page)
    except OriginError as error:
        fail(f"{page} is not the origin of a page: {error}")
    url, limits, verify = options
    try:
        with Client(url, limits=limits, verify=verify) as client:
            result = _run_with_progress(client.send, url, origin, fields)
    except SendError as error:
        fail(str(error))
    REPORTS[form](result)
    if result.interrupted:
        return INTERRUPTED
    if result.findings:
        return 1
    return 0 if result.complete else _UNFINISHED


def _run_with_progress(send: Send, url: str, page: Origin, fields: Fields) -> AuditResult:
    server = AuditedServer(send, url, page, fields)
    with show_progress("auditing", server, len(CHECKS)) as show:
        return audit_server(server, show)
