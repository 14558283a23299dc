"""The run of all checks against a server, and its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from corsguard.browser.messages import SendError
from corsguard.cli.audit.catalogue import Finding
from corsguard.cli.audit.checks import CHECKS
from corsguard.cli.audit.rule import Severity
from corsguard.cli.audit.server import AuditedServer, RecordingServer
from corsguard.escaping import escape_text

__all__ = [
    "AuditResult",
    "CheckRun",
    "CompletedCheck",
    "audit_server",
    "run_checks",
    "sort_findings",
]

Server = TypeVar("Server", bound=RecordingServer)

_MAX_FAILURES = 2
_WORST_FIRST = tuple(Severity)


class CompletedCheck(NamedTuple):
    """A check that ran to its end."""

    name: str
    """A key of the checks that were run."""
    requests: int
    """How many requests it sent that no check before it had."""


class CheckRun(NamedTuple):
    """The run of some checks."""

    findings: tuple[Finding, ...]
    """In the order in which they were found."""
    caveats: tuple[str, ...]
    """Sentences on what kept the run from finding more."""
    complete: bool
    """True if every check ran to its end."""
    interrupted: bool
    checked: tuple[CompletedCheck, ...]
    """In the order of the run."""


class AuditResult(NamedTuple):
    """The findings at one URL."""

    url: str
    page: str
    """The origin that the server should allow; empty where it is compared with a policy."""
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
    policy: str = ""
    """The file with the policy that the server is compared with; empty for an audit."""


def audit_server(server: AuditedServer, on_check: Callable[[str], object]) -> AuditResult:
    """Run every check of an audit; see run_checks."""
    run = run_checks(server, CHECKS, on_check, _describe_obstacles)
    return AuditResult(
        url=server.url,
        page=server.page,
        findings=sort_findings(run.findings),
        caveats=run.caveats,
        requests=server.requests,
        complete=run.complete,
        interrupted=run.interrupted,
        checked=run.checked,
    )


def run_checks(
    server: Server,
    checks: Mapping[str, Callable[[Server], Iterable[Finding]]],
    on_check: Callable[[str], object],
    describe_obstacles: Callable[[Server], Iterable[str]] = lambda _: (),
) -> CheckRun:
    """Run checks, name -> check, and call on_check with the name of each before it starts.

    `describe_obstacles` is called first, and returns caveats. Raises SendError where the first
    request has no response. A later failure ends one check, and the second failure ends the run.
    Ctrl-C ends the run with the findings so far.
    """
    findings: list[Finding] = []
    caveats: list[str] = []
    checked: list[CompletedCheck] = []
    interrupted = False
    failures = 0
    try:
        caveats += describe_obstacles(server)
        for name, check in checks.items():
            on_check(name)
            before = server.requests
            try:
                for found in check(server):
                    findings.append(found)  # noqa: PERF402  # what comes before Ctrl-C stays
                checked.append(CompletedCheck(name, server.requests - before))
            except SendError as error:
                if not server.requests:
                    raise
                caveats.append(f"The check of {name} did not finish: {error}.")
                failures += 1
            if failures == _MAX_FAILURES:
                break
    except KeyboardInterrupt:
        caveats.append("The run was interrupted: there may be more findings.")
        interrupted = True
    complete = not (failures or interrupted)
    return CheckRun(tuple(findings), tuple(caveats), complete, interrupted, tuple(checked))


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, the worst first."""
    return tuple(sorted(findings, key=lambda one: _WORST_FIRST.index(one.severity)))


def _describe_obstacles(server: AuditedServer) -> Iterator[str]:
    actual = server.send_actual(server.page)
    if 300 <= actual.answer.status <= 399 and (to := actual.lines("Location")):
        yield f"The URL redirects to {escape_text(to[0])}, which was not audited."
    if not (actual.allows(server.page) or server.send_preflight(server.page).allows(server.page)):
        yield f"{server.page} is not allowed here, so tests with similar origins show nothing."
