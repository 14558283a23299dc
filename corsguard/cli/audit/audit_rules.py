"""The misconfigurations that show without a policy."""

from __future__ import annotations

from corsguard.cli.audit.rule import Rule, Severity

__all__ = ["AUDIT_RULES"]

_READ = (
    "A page of an origin like the one in the request, which anyone can set up, reads these "
    "responses."
)
_MATCH = "Compare whole origins, character for character."

AUDIT_RULES = {
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
