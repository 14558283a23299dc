"""The misconfigurations that are looked for, and what a finding of one is made of."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import NamedTuple

from corsguard.browser.messages import Answer, Fields, Sent
from corsguard.fetch_spec import ALLOW_CREDENTIALS, ALLOW_ORIGIN

__all__ = ["RULES", "Evidence", "Finding", "Rule", "Severity"]


class Severity(StrEnum):
    """How bad it is, the worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOTE = "note"


class Evidence(NamedTuple):
    """A request and the answer that shows something."""

    sent: Sent
    answer: Answer

    def lines(self, name: str) -> tuple[str, ...]:
        """The values of the response's header lines called name, one for each line."""
        return tuple(value for key, value in self.answer.headers if key.lower() == name.lower())

    @property
    def cors(self) -> Fields:
        """The header lines of the response that the CORS protocol is made of, and `Vary`."""
        return tuple(
            (name, value)
            for name, value in self.answer.headers
            if name.lower() == "vary" or name.lower().startswith("access-control-")
        )

    @property
    def policy(self) -> Fields:
        """The same without `Vary`: what the server says that it allows."""
        return tuple(field for field in self.cors if field[0].lower() != "vary")

    @property
    def credentials(self) -> bool:
        """Whether the answer allows credentials."""
        return self.lines(ALLOW_CREDENTIALS) == ("true",)

    @property
    def origin(self) -> str | None:
        """The origin of the page that asks, if it is one."""
        return dict(self.sent.headers).get("Origin")

    def names(self, origin: str) -> bool:
        """Whether the answer allows origin by its name."""
        return self.lines(ALLOW_ORIGIN) == (origin,)

    @property
    def lets_in(self) -> bool:
        """Whether the answer allows the page that asks, by its name."""
        return self.origin is not None and self.names(self.origin)

    def allows(self, origin: str) -> bool:
        """Whether the answer allows origin, be it as one of all."""
        return self.names(origin) or self.names("*")

    @property
    def curl(self) -> str:
        """The request as a line for a shell."""
        words = ["curl", "-i", "--globoff", "--path-as-is"]
        if self.sent.method != "GET":
            words += ["-I"] if self.sent.method == "HEAD" else ["-X", self.sent.method]
        for name, value in self.sent.headers:
            words += ["-H", f"{name}: {value}"]
        return shlex.join([*words, self.sent.url])


class Rule(NamedTuple):
    """One kind of misconfiguration."""

    code: str
    """Stable name, such as `origin-reflected`."""
    severity: Severity
    title: str
    impact: str
    """What a page could do with it, or what breaks."""
    fix: str
    opens: bool = False
    """Whether it lets in pages that should stay out: worse where they have credentials."""


class Finding(NamedTuple):
    """A misconfiguration that was shown."""

    rule: Rule
    severity: Severity
    evidence: tuple[Evidence, ...]

    @classmethod
    def of(cls, code: str, *evidence: Evidence) -> Finding:
        """A finding of the rule with that code, shown by evidence."""
        rule = RULES[code]
        worse = rule.opens and evidence[0].credentials
        return cls(rule, Severity.HIGH if worse else rule.severity, evidence)


_READ = (
    "A page of an origin like the one in the request, which anyone can set up, reads these answers."
)
_MATCH = "Compare whole origins, character for character."

RULES = {
    rule.code: rule
    for rule in (
        Rule(
            "reflected-with-credentials",
            Severity.HIGH,
            "Any origin is allowed, with credentials",
            "Any page on the web reads and sends whatever the visitor's cookies give access to.",
            "List the origins that may, and send the request's Origin back only if it is one.",
        ),
        Rule(
            "origin-reflected",
            Severity.MEDIUM,
            "Any origin is sent back as allowed",
            "Any page on the web reads these answers; behind a firewall, through a visitor's "
            "browser.",
            "List the origins that may; or say `*` if the answers are public.",
        ),
        Rule(
            "null-allowed",
            Severity.MEDIUM,
            "The origin `null` is allowed",
            "Any page reads these answers from a sandboxed frame, whose origin is `null`.",
            "Take `null` off the list of origins.",
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
            f"{_MATCH} A regular expression needs its end anchored: `fullmatch`, or `\\Z`.",
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
            "A dot in a regular expression of origins stands for any character",
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
            "Whoever is on the network between a visitor and the web answers as that http origin, "
            "and reads these answers.",
            "Allow the origin with `https://` only.",
            opens=True,
        ),
        Rule(
            "any-port",
            Severity.LOW,
            "Any port of an allowed host is allowed",
            "Whatever else is served on another port of that host reads these answers.",
            "Compare the port as well.",
        ),
        Rule(
            "path-spelling",
            Severity.MEDIUM,
            "Another spelling of the path gets a more open policy",
            "A page that the path itself keeps out reads the same answer by the other spelling.",
            "Choose the policy by the path that the application routes by, after it is decoded "
            "and without `.`, `..` and empty segments; refuse other spellings.",
            opens=True,
        ),
        Rule(
            "vary-missing",
            Severity.LOW,
            "The answer depends on Origin, and does not say so",
            "A cache hands one page the copy that was made for another: an allowed page is "
            "blocked, now and then.",
            "Send `Vary: Origin` with every answer, also where there is no Origin.",
        ),
        Rule(
            "policy-leaked",
            Severity.NOTE,
            "An origin that is not allowed is told the policy",
            "Anyone learns what other origins may do, and which they are.",
            "Send `Access-Control-*` only where the request's origin is allowed.",
        ),
        Rule(
            "allow-origin-repeated",
            Severity.MEDIUM,
            "More than one origin is sent as allowed",
            "Browsers take one origin: they block every page.",
            "Set the header in one place only (application or proxy), with one origin.",
        ),
        Rule(
            "allow-origin-invalid",
            Severity.MEDIUM,
            "The allowed origin is not an origin",
            "Browsers compare it with the page's origin, which never looks like this: they block "
            "the page.",
            "Send `scheme://host` or `scheme://host:port`: no slash at the end, no default port.",
        ),
        Rule(
            "credentials-invalid",
            Severity.LOW,
            "Access-Control-Allow-Credentials is not `true`",
            "Browsers know no other value than `true`, in lower case: credentials stay refused.",
            "Send `true`, or leave the header out.",
        ),
        Rule(
            "wildcard-with-credentials",
            Severity.LOW,
            "`*` beside credentials",
            "Browsers take `*` literally for requests with credentials, so they block them.",
            "List what is allowed; or leave Access-Control-Allow-Credentials out.",
        ),
        Rule(
            "preflight-authenticated",
            Severity.MEDIUM,
            "Preflights need a login",
            "Browsers send no credentials with a preflight: every request that needs one is "
            "blocked.",
            "Answer preflights before authentication, with a status of 200 to 299.",
        ),
        Rule(
            "errors-without-headers",
            Severity.LOW,
            "Errors are sent without CORS headers",
            "The page can't read that or why its request failed: it sees a network error.",
            "Send the CORS headers with every answer, whatever its status (nginx: `always`).",
        ),
    )
}
"""By code, in the order in which they are reported where they are as bad as each other."""
