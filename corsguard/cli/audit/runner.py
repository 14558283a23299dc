"""The run of all checks against a server, and its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from corsguard.browser.messages import SendError
from corsguard.cli.audit.catalogue import Finding, Severity
from corsguard.cli.audit.checks import CHECKS
from corsguard.cli.audit.server import AuditedServer
from corsguard.escaping import escape_text

__all__ = ["AuditResult", "CompletedCheck", "run_checks"]

_MAX_FAILURES = 2
_WORST_FIRST = tuple(Severity)


class CompletedCheck(NamedTuple):
    """A check that ran to its end."""

    name: str
    """A key of CHECKS."""
    requests: int
    """How many requests it sent that no check before it had."""


class AuditResult(NamedTuple):
    """The findings at one URL."""

    url: str
    page: str
    findings: tuple[Finding, ...]
    """The worst first."""
    caveats: tuple[str, ...]
    """Sentences on what kept the audit from finding more."""
    requests: int
    """How many requests the server answered."""
    complete: bool
    """True if every check ran to its end."""
    interrupted: bool
    checked: tuple[CompletedCheck, ...] = ()
    """In the order of the run."""


def run_checks(server: AuditedServer, on_check: Callable[[str], object]) -> AuditResult:
    """Run every check of CHECKS, and call on_check with the name of each before it starts.

    Raises SendError where the first request has no response. A later failure ends one check, and
    the second failure ends the run. Ctrl-C ends the run with the findings so far.
    """
    findings: list[Finding] = []
    caveats: list[str] = []
    checked: list[CompletedCheck] = []
    interrupted = False
    failures = 0
    try:
        caveats += _describe_obstacles(server)
        for name, check in CHECKS.items():
            on_check(name)
            before = server.requests
            try:
                for found in check(server):
                    findings.append(found)  # noqa: PERF402  # what comes before Ctrl-C stays
                checked.append(CompletedCheck(name, server.requests - before))
            except SendError as error:
                caveats.append(f"The check of {name} did not finish: {error}.")
                failures += 1
            if failures == _MAX_FAILURES:
                break
    except KeyboardInterrupt:
        caveats.append("The audit was interrupted: there may be more findings.")
        interrupted = True
    findings.sort(key=lambda one: _WORST_FIRST.index(one.severity))
    return AuditResult(
        url=server.url,
        page=server.page,
        findings=tuple(findings),
        caveats=tuple(caveats),
        requests=server.requests,
        complete=not (failures or interrupted),
        interrupted=interrupted,
        checked=tuple(checked),
    )


def _describe_obstacles(server: AuditedServer) -> Iterator[str]:
    actual = server.send_actual(server.page)
    if 300 <= actual.answer.status <= 399 and (to := actual.lines("Location")):
        yield f"The URL redirects to {escape_text(to[0])}, which was not audited."
    if not (actual.allows(server.page) or server.send_preflight(server.page).allows(server.page)):
        yield f"{server.page} is not allowed here, so tests with similar origins show nothing."
