"""The misconfigurations that an audit finds, and the evidence for a finding."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import NamedTuple

from corsguard.browser.messages import Answer, Fields, Sent
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_ORIGIN

__all__ = ["RULES", "Evidence", "Finding", "Rule", "Severity"]


class Severity(StrEnum):
    """The severity of a misconfiguration, the worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOTE = "note"


class Evidence(NamedTuple):
    """A request, and the response that shows a misconfiguration."""

    sent: Sent
    answer: Answer

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the value of each line of a response header."""
        return tuple(value for key, value in self.answer.headers if key.lower() == name.lower())

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


class Rule(NamedTuple):
    """One kind of misconfiguration."""

    code: str
    """The stable name, such as `origin-reflected`."""
    severity: Severity
    title: str
    impact: str
    """What an attacker could do with it, or what breaks."""
    fix: str
    opens: bool = False
    """True if it allows pages that should not be allowed: more severe with credentials."""


class Finding(NamedTuple):
    """A misconfiguration of the server, with its evidence."""

    rule: Rule
    severity: Severity
    evidence: tuple[Evidence, ...]

    @classmethod
    def build(cls, code: str, *evidence: Evidence) -> Finding:
        """Return a finding of the rule with that code; credentials may raise its severity."""
        rule = RULES[code]
        worse = rule.opens and evidence[0].credentials
        return cls(rule, Severity.HIGH if worse else rule.severity, evidence)


_READ = (
    "A page of an origin like the one in the request, which anyone can set up, reads these "
    "responses."
)
_MATCH = "Compare whole origins, character for character."

RULES = {
    rule.code: rule
    for rule in (
        Rule(
            "reflected-with-credentials",
            Severity.HIGH,
            "Any origin is allowed, with credentials",
            "Any page on the web reads and sends everything that the visitor's cookies allow.",
            "List the allowed origins, and send the request's Origin back only if it is listed.",
        ),
        Rule(
            "origin-reflected",
            Severity.MEDIUM,
            "Any origin is sent back as allowed",
            "Any page on the web reads these responses; behind a firewall, through a visitor's "
            "browser.",
            "List the allowed origins, or send `*` if the responses are public.",
        ),
        Rule(
            "null-allowed",
            Severity.MEDIUM,
            "The origin `null` is allowed",
            "Any page reads these responses from a sandboxed frame, whose origin is `null`.",
            "Remove `null` from the list of origins.",
            opens=True,
        ),
        Rule(
            "substring-match",
            Severity.MEDIUM,
            "An origin is allowed if it contains an allowed host",
            _READ,
            _MATCH,
            opens=True,
        ),
        Rule(
            "prefix-match",
            Severity.MEDIUM,
            "An origin is allowed if it begins like an allowed one",
            _READ,
            f"{_MATCH} Anchor the end of a regular expression: use `fullmatch` or `\\Z`.",
            opens=True,
        ),
        Rule(
            "suffix-match",
            Severity.MEDIUM,
            "An origin is allowed if it ends like an allowed host",
            _READ,
            f"{_MATCH} For subdomains, compare with the dot before the host.",
            opens=True,
        ),
        Rule(
            "unescaped-dot",
            Severity.MEDIUM,
            "A dot in a regular expression of origins matches any character",
            _READ,
            r"Write each dot of a host as `\.` in a regular expression.",
            opens=True,
        ),
        Rule(
            "special-characters",
            Severity.MEDIUM,
            "An origin is allowed with a special character after an allowed host",
            f"{_READ} Some browsers send such characters in a host.",
            f"{_MATCH} In a regular expression, anchor its end instead of excluding letters.",
            opens=True,
        ),
        Rule(
            "scheme-downgrade",
            Severity.MEDIUM,
            "Plain http is allowed for a page that is served over https",
            "An attacker on the visitor's network responds as that http origin, and reads these "
            "responses.",
            "Allow the origin with `https://` only.",
            opens=True,
        ),
        Rule(
            "any-port",
            Severity.LOW,
            "Any port of an allowed host is allowed",
            "Pages from other ports of that host read these responses.",
            "Compare the port as well.",
        ),
        Rule(
            "path-spelling",
            Severity.MEDIUM,
            "Another spelling of the path gets a more open policy",
            "A page that is not allowed on the path reads the same response by the other spelling.",
            "Choose the policy by the path that the application routes by: decoded, and without "
            "`.`, `..` and empty segments. Refuse other spellings.",
            opens=True,
        ),
        Rule(
            "vary-missing",
            Severity.LOW,
            "The response depends on Origin, but has no `Vary: Origin`",
            "A cache serves one page the response that was made for another: an allowed page is "
            "sometimes blocked.",
            "Send `Vary: Origin` with every response, also to requests without Origin.",
        ),
        Rule(
            "policy-leaked",
            Severity.NOTE,
            "The policy is sent to an origin that is not allowed",
            "Anyone can read which origins are allowed, and what they may do.",
            "Send `Access-Control-*` headers only if the request's origin is allowed.",
        ),
        Rule(
            "allow-origin-repeated",
            Severity.MEDIUM,
            "More than one origin is sent as allowed",
            "Browsers accept exactly one origin, so they block every page.",
            "Set the header in one place only (application or proxy), with one origin.",
        ),
        Rule(
            "allow-origin-invalid",
            Severity.MEDIUM,
            "The allowed origin is not an origin",
            "Browsers compare it with the page's origin, which never has this form, so they block "
            "the page.",
            "Send `scheme://host` or `scheme://host:port`: no final slash, no default port.",
        ),
        Rule(
            "credentials-invalid",
            Severity.LOW,
            "Access-Control-Allow-Credentials is not `true`",
            "Browsers accept only `true`, in lower case, so credentials are not allowed.",
            "Send `true`, or remove the header.",
        ),
        Rule(
            "wildcard-with-credentials",
            Severity.LOW,
            "`*` is sent together with credentials",
            "Browsers take `*` literally for requests with credentials, so they block them.",
            "List what is allowed, or remove Access-Control-Allow-Credentials.",
        ),
        Rule(
            "preflight-authenticated",
            Severity.MEDIUM,
            "Preflights require a login",
            "Browsers send no credentials with a preflight: every request that needs one is "
            "blocked.",
            "Respond to preflights before authentication, with a status from 200 to 299.",
        ),
        Rule(
            "errors-without-headers",
            Severity.LOW,
            "Errors are sent without CORS headers",
            "The page can't read why its request failed: it gets a network error.",
            "Send the CORS headers with every response, whatever its status (nginx: `always`).",
        ),
    )
}
"""code -> rule"""
