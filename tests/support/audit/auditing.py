"""Audits of a server on this machine, without pauses between the requests."""

from __future__ import annotations

from corsguard.browser.messages import Fields
from corsguard.cli.audit.runner import AuditResult, audit_server
from corsguard.cli.audit.server import AuditedServer
from corsguard.cli.client import Client, Limits
from corsguard.origin import Origin

QUICK = Limits(per_second=10_000)


def run_checks_at(url: str, page: str, fields: Fields = ()) -> AuditResult:
    with Client(url, limits=QUICK) as client:
        server = AuditedServer(client.send, url, Origin.parse(page), fields)
        return audit_server(server, lambda check: None)


def list_codes(done: AuditResult) -> list[str]:
    """Return the sorted codes of the findings."""
    return sorted(found.rule.code for found in done.findings)
