"""Running an audit as the tests do: against a server on this machine, in no time."""

from __future__ import annotations

from corsguard.browser.messages import Fields
from corsguard.cli.audit.auditing import Audit, audit
from corsguard.cli.audit.client import Client, Limits
from corsguard.cli.audit.server import Server
from corsguard.origin import Origin

QUICK = Limits(per_second=10_000)


def audited(url: str, page: str, fields: Fields = ()) -> Audit:
    with Client(url, limits=QUICK) as client:
        server = Server(client.send, url, Origin.parse(page), fields)
        return audit(server, lambda check: None)


def codes(done: Audit) -> list[str]:
    """The codes that were found, in order: none is found twice."""
    return sorted(found.rule.code for found in done.findings)
