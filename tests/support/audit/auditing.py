"""Running an audit as the tests do: against a server on this machine, in no time."""

from __future__ import annotations

from corsguard.browser.messages import Fields
from corsguard.cli.audit.runner import AuditResult, run_checks
from corsguard.cli.audit.server import AuditedServer
from corsguard.cli.client import Client, Limits
from corsguard.origin import Origin

QUICK = Limits(per_second=10_000)


def audited(url: str, page: str, fields: Fields = ()) -> AuditResult:
    with Client(url, limits=QUICK) as client:
        server = AuditedServer(client.send, url, Origin.parse(page), fields)
        return run_checks(server, lambda check: None)


def codes(done: AuditResult) -> list[str]:
    """The codes that were found, in order: none is found twice."""
    return sorted(found.rule.code for found in done.findings)
