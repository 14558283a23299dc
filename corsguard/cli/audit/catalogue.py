"""All misconfigurations that are found in a server, and the evidence for a finding."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from corsguard.browser.messages import Answer, Fields, Sent
from corsguard.cli.audit.audit_rules import AUDIT_RULES
from corsguard.cli.audit.policy_rules import POLICY_RULES
from corsguard.cli.audit.rule import Rule, Severity
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_ORIGIN

__all__ = ["RULES", "Evidence", "Finding"]

RULES = {**AUDIT_RULES, **POLICY_RULES}
"""code -> rule"""


class Evidence(NamedTuple):
    """A request, and the response that shows a misconfiguration."""

    sent: Sent
    answer: Answer

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the value of each line of a response header."""
        return tuple(value for key, value in self.answer.headers if key.lower() == name.lower())

    def list_elements(self, name: str) -> list[str]:
        """Return the elements of a response header that is a list, in lower case."""
        return [part.strip().lower() for line in self.lines(name) for part in line.split(",")]

    @property
    def varies_by_origin(self) -> bool:
        """True if `Vary` says that the response depends on Origin."""
        return not {"origin", "*"}.isdisjoint(self.list_elements("Vary"))

    @property
    def is_cacheable(self) -> bool:
        """True if a cache may store the response."""
        # RFC 9111, 5.2.2.5: no cache stores a response with `no-store`.
        return "no-store" not in self.list_elements("Cache-Control")

    @property
    def cors(self) -> Fields:
        """The lines of the CORS headers and of `Vary` in the response."""
        return tuple(
            (name, value)
            for name, value in self.answer.headers
            if name.lower() == "vary" or name.lower().startswith("access-control-")
        )

    @property
    def policy(self) -> Fields:
        """The lines of the CORS headers in the response: what the server allows."""
        return tuple(field for field in self.cors if field[0].lower() != "vary")

    @property
    def credentials(self) -> bool:
        """True if the response allows credentials."""
        return self.lines(ALLOW_CREDENTIALS) == ("true",)

    @property
    def origin(self) -> str | None:
        """The `Origin` of the request, if it has one."""
        return dict(self.sent.headers).get("Origin")

    def names_origin(self, origin: str) -> bool:
        """Return True if the response allows origin by name."""
        return self.lines(ALLOW_ORIGIN) == (origin,)

    @property
    def names_own_origin(self) -> bool:
        """True if the response allows the origin of the request by name."""
        return self.origin is not None and self.names_origin(self.origin)

    def allows(self, origin: str) -> bool:
        """Return True if the response allows origin, by name or by `*`."""
        return self.names_origin(origin) or self.names_origin("*")

    @property
    def curl(self) -> str:
        """The request as a command line of curl."""
        words = ["curl", "-i", "--globoff", "--path-as-is"]
        if self.sent.method != "GET":
            words += ["-I"] if self.sent.method == "HEAD" else ["-X", self.sent.method]
        for name, value in self.sent.headers:
            words += ["-H", f"{name}: {value}"]
        return shlex.join([*words, self.sent.url])


class Finding(NamedTuple):
    """A misconfiguration of the server, with its evidence."""

    rule: Rule
    severity: Severity
    evidence: tuple[Evidence, ...]
    differences: tuple[str, ...] = ()
    """For each evidence, how it differs from the policy; empty where no policy is compared."""
    paths: tuple[str, ...] = ()
    """The paths where it differs from the policy."""

    @property
    def fails(self) -> bool:
        """False for a note: no browser and no cache acts otherwise because of it."""
        return self.severity is not Severity.NOTE

    @classmethod
    def build(cls, code: str, *evidence: Evidence) -> Finding:
        """Return a finding of the rule with that code; credentials may raise its severity."""
        rule = RULES[code]
        worse = rule.opens and evidence[0].credentials
        return cls(rule, Severity.HIGH if worse else rule.severity, evidence)
