"""Going through the catalogue, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from corsguard.browser.messages import SendError
from corsguard.cli.audit.catalogue import Finding, Severity
from corsguard.cli.audit.checks import CHECKS
from corsguard.cli.audit.server import Server
from corsguard.escaping import escape_text

__all__ = ["Audit", "Checked", "audit"]

_MOST_FAILURES = 2
_WORST_FIRST = tuple(Severity)


class Checked(NamedTuple):
    """One check that came to its end."""

    name: str
    """A key of CHECKS."""
    requests: int
    """How many it sent that no check before it had."""


class Audit(NamedTuple):
    """What was found at one URL."""

    url: str
    page: str
    findings: tuple[Finding, ...]
    """The worst first."""
    caveats: tuple[str, ...]
    """What stood in the way of finding more, a sentence each."""
    requests: int
    """How many were answered."""
    complete: bool
    """Whether every check came to its end."""
    interrupted: bool
    checked: tuple[Checked, ...] = ()
    """In the order in which it was checked."""


def audit(server: Server, on_check: Callable[[str], object]) -> Audit:
    """Look for all that is in the catalogue; on_check is told what is looked at next.

    Raises SendError where not even one request is answered. What fails later ends one check, and
    the second such failure all of them; Ctrl-C ends it with what was found so far.
    """
    findings: list[Finding] = []
    caveats: list[str] = []
    checked: list[Checked] = []
    interrupted = False
    failures = 0
    try:
        caveats += _obstacles(server)
        for name, check in CHECKS.items():
            on_check(name)
            before = server.requests
            try:
                for found in check(server):
                    findings.append(found)  # noqa: PERF402  # what comes before Ctrl-C stays
                checked.append(Checked(name, server.requests - before))
            except SendError as error:
                caveats.append(f"The check of {name} did not end: {error}.")
                failures += 1
            if failures == _MOST_FAILURES:
                break
    except KeyboardInterrupt:
        caveats.append("It was interrupted: there may be more.")
        interrupted = True
    findings.sort(key=lambda one: _WORST_FIRST.index(one.severity))
    return Audit(
        url=server.url,
        page=server.page,
        findings=tuple(findings),
        caveats=tuple(caveats),
        requests=server.requests,
        complete=not (failures or interrupted),
        interrupted=interrupted,
        checked=tuple(checked),
    )


def _obstacles(server: Server) -> Iterator[str]:
    actual = server.actual(server.page)
    if 300 <= actual.answer.status <= 399 and (to := actual.lines("Location")):
        yield f"The URL redirects to {escape_text(to[0])}, which was not looked at."
    if not (actual.allows(server.page) or server.preflight(server.page).allows(server.page)):
        yield f"{server.page} is not allowed here: origins that look like it show nothing."
