"""The comparison of one response with the decision of a policy, by what a browser makes of both.

The case of names, the order of lists, spaces, and a status from 200 to 299 instead of 204 make no
difference. What is more open than the policy makes one, as what blocks a page does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from corsguard import Decision, Reason
from corsguard.browser.messages import Headers
from corsguard.browser.redirect import REDIRECT_STATUSES
from corsguard.cli.audit.catalogue import Evidence
from corsguard.cli.audit.checks import find_origin_mistake
from corsguard.cli.verify.trials import Trial
from corsguard.escaping import escape_text
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
    MAX_AGE,
    REQUEST_METHOD,
    RESPONSE_HEADERS,
    SAFELISTED_METHODS,
    SAFELISTED_RESPONSE_HEADERS,
)

__all__ = ["GATEWAY_STATUSES", "Difference", "Observation", "compare"]

GATEWAY_STATUSES = frozenset({502, 503, 504})
"""The statuses of a proxy that does not reach its application (RFC 9110, 15.6)."""
_NEEDS_LOGIN = frozenset({401, 407})
_NOT_ANSWERED = frozenset({404, 405, 501})
_SAFELISTED_REQUEST_HEADERS = frozenset({"accept", "accept-language", "content-language", "range"})
_CACHED_STATUSES = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
"""The statuses that caches store by default (RFC 9110, 15.1)."""
_ONLY_ON_PREFLIGHTS = (ALLOW_METHODS, ALLOW_HEADERS, MAX_AGE)


class Observation(NamedTuple):
    """A request that was sent, with the policy's decision on it and the server's response."""

    trial: Trial
    decision: Decision
    evidence: Evidence

    @property
    def expected(self) -> Headers:
        """The header fields of the decision."""
        return Headers(self.decision.headers)

    @property
    def status(self) -> int:
        """The status of the response."""
        return self.evidence.answer.status

    @property
    def is_readable(self) -> bool:
        """True if the policy allows the origin, and the response does."""
        origin = self.trial.origin
        return origin is not None and ALLOW_ORIGIN in self.expected and self.evidence.allows(origin)

    @property
    def lacks_origin(self) -> bool:
        """True if the policy allows the origin, and the response names none."""
        return ALLOW_ORIGIN in self.expected and not self.evidence.lines(ALLOW_ORIGIN)

    @property
    def is_gateway_error(self) -> bool:
        """True for the response of a proxy that does not reach its application."""
        return self.status in GATEWAY_STATUSES

    @property
    def subject(self) -> str:
        """The request as the subject of a sentence."""
        at = escape_text(self.trial.at)
        origin = f" from {self.trial.origin}" if self.trial.origin else " without Origin"
        if self.trial.is_preflight:
            method = dict(self.trial.sent.headers)[REQUEST_METHOD]
            return f"The preflight for {method} {at}{origin}"
        return f"{self.trial.sent.method} {at}{origin}"


class Difference(NamedTuple):
    """How a response differs from the policy."""

    code: str
    """The code of a rule."""
    sentence: str
    observation: Observation


def compare(seen: Observation) -> Iterator[Difference]:
    """Yield each difference between a response and the policy."""
    for code, text in _list_differences(seen):
        yield Difference(code, f"{seen.subject} {text}.", seen)


def _list_differences(seen: Observation) -> Iterator[tuple[str, str]]:
    origin = seen.trial.origin
    if seen.decision.reason is Reason.NO_POLICY:
        if origin and seen.evidence.allows(origin):
            allowed = seen.evidence.lines(ALLOW_ORIGIN)[0]
            yield "cors-without-policy", f"has {ALLOW_ORIGIN}: {allowed}; no policy applies there"
        return
    if origin is None:
        yield from _compare_vary(seen)
        return
    if seen.trial.is_preflight:
        status = [*_compare_status(seen)]
        yield from status
        if status and status[0][0] != "preflight-status":
            return
    if ALLOW_ORIGIN in seen.expected:
        yield from _compare_allowed(seen)
    else:
        yield from _compare_refused(seen, origin)


def _compare_status(seen: Observation) -> Iterator[tuple[str, str]]:
    """Compare the status of a preflight (Fetch, "CORS-preflight fetch", 7: an ok status)."""
    expected, status = seen.decision.status, seen.status
    has_status = f"has status {status}; the policy responds with {expected}"
    if status == expected:
        return
    if expected == 403 or 200 <= status <= 299:
        yield "preflight-status", has_status
    elif status in _NEEDS_LOGIN:
        yield "preflight-authenticated", has_status
    elif status in REDIRECT_STATUSES:
        to = escape_text(next(iter(seen.evidence.lines("Location")), "nowhere"))
        yield "preflight-redirected", f"is redirected to {to} with status {status}"
    elif status in _NOT_ANSWERED:
        yield "preflight-not-answered", has_status
    else:
        yield "preflight-refused", has_status


def _compare_allowed(seen: Observation) -> Iterator[tuple[str, str]]:
    """Compare a response to an origin that the policy allows."""
    shown, expected = seen.evidence, seen.expected[ALLOW_ORIGIN]
    origins = shown.lines(ALLOW_ORIGIN)
    if not origins:
        code = "preflight-swallowed" if seen.trial.is_preflight else "headers-missing"
        yield code, f"has no {ALLOW_ORIGIN}; the policy sends {expected}"
        return
    mistake = find_origin_mistake(origins)
    if mistake and origins != (seen.trial.origin,):
        sent = escape_text(", ".join(origins))
        yield mistake, f"has {ALLOW_ORIGIN}: {sent}; the policy sends {expected}"
        return
    if origins[0] != expected:
        yield (
            _classify_origin(seen),
            (f"has {ALLOW_ORIGIN}: {escape_text(origins[0])}; the policy sends {expected}"),
        )
        if not seen.is_readable:
            return
    yield from _compare_credentials(seen)
    if seen.trial.is_preflight:
        yield from _compare_lists(seen)
    else:
        yield from _compare_exposed(seen)
        yield from _find_added(seen, _ONLY_ON_PREFLIGHTS)
    yield from _compare_vary(seen)


def _classify_origin(seen: Observation) -> str:
    """Return the code of a rule for a valid Access-Control-Allow-Origin that is another one."""
    if seen.evidence.lines(ALLOW_ORIGIN) == ("*",):
        # Fetch, "CORS check", 3: with credentials, `*` is a name that no origin has.
        return "wildcard-with-credentials" if seen.evidence.credentials else "wildcard-sent"
    return "origin-instead-of-wildcard" if seen.is_readable else "origin-missing"


def _compare_credentials(seen: Observation) -> Iterator[tuple[str, str]]:
    lines = seen.evidence.lines(ALLOW_CREDENTIALS)
    is_allowed = ALLOW_CREDENTIALS in seen.expected
    sent = escape_text(", ".join(lines))
    if len(lines) > 1 or "," in sent:
        yield "header-repeated", f"has {ALLOW_CREDENTIALS}: {sent}"
    elif not lines and is_allowed:
        yield "credentials-missing", f"has no {ALLOW_CREDENTIALS}; the policy sends true"
    elif lines and lines[0] != "true":
        yield "credentials-invalid", f"has {ALLOW_CREDENTIALS}: {sent}"
    elif lines and not is_allowed:
        yield "credentials-added", f"has {ALLOW_CREDENTIALS}: true; the policy sends none"


def _compare_lists(seen: Observation) -> Iterator[tuple[str, str]]:
    """Compare the lists of a preflight's response, and how long a browser caches it."""
    yield from _compare_list(seen, ALLOW_METHODS, "methods", str, {*SAFELISTED_METHODS, "OPTIONS"})
    yield from _compare_list(
        seen, ALLOW_HEADERS, "request-headers", str.lower, _SAFELISTED_REQUEST_HEADERS
    )
    expected = seen.expected.get(MAX_AGE)
    sent = [value.strip() for value in seen.evidence.lines(MAX_AGE)]
    if sent != ([] if expected is None else [expected]):
        values = escape_text(", ".join(sent)) or "none"
        yield "max-age-differs", f"has {MAX_AGE}: {values}; the policy sends {expected or 'none'}"


def _compare_list(
    seen: Observation,
    name: str,
    code: str,
    normalise: Callable[[str], str],
    harmless: AbstractSet[str],
) -> Iterator[tuple[str, str]]:
    """Compare the elements of a header; harmless are those that are always allowed.

    `*` covers all of them without credentials, and only itself with them (Fetch, "CORS-preflight
    fetch", 7).
    """
    has_credentials = seen.evidence.credentials
    expected = _split([seen.expected.get(name, "")], normalise) - harmless
    sent = _split(seen.evidence.lines(name), normalise) - harmless
    covers_all = "*" in sent and not has_credentials
    covered = sent | (expected - {"authorization"} if covers_all else set())
    for missing in sorted(expected - covered):
        yield f"{code}-missing", f"does not have {missing} in {name}; the policy does"
    for added in sorted(sent - expected):
        if "*" not in expected and (added != "*" or covers_all):
            yield f"{code}-wider", f"has {escape_text(added)} in {name}; the policy does not"


def _split(lines: Iterable[str], normalise: Callable[[str], str]) -> set[str]:
    elements = (element.strip() for line in lines for element in line.split(","))
    return {normalise(element) for element in elements if element}


def _compare_exposed(seen: Observation) -> Iterator[tuple[str, str]]:
    expected = _split([seen.expected.get(EXPOSE_HEADERS, "")], str.lower)
    sent = _split(seen.evidence.lines(EXPOSE_HEADERS), str.lower)
    covers_all = "*" in sent and not seen.evidence.credentials
    for missing in sorted(set() if covers_all else expected - sent):
        yield "expose-missing", f"does not expose {missing}; the policy does"
    for added in sorted(sent - expected - SAFELISTED_RESPONSE_HEADERS):
        yield "expose-wider", f"exposes {escape_text(added)}; the policy does not"


def _compare_refused(seen: Observation, origin: str) -> Iterator[tuple[str, str]]:
    """Compare a response to an origin that the policy refuses."""
    shown = seen.evidence
    allowed = shown.lines(ALLOW_ORIGIN)
    if len(allowed) > 1:
        yield "allow-origin-repeated", f"has {ALLOW_ORIGIN}: {escape_text(', '.join(allowed))}"
    elif allowed == ("*",):
        yield "wildcard-sent", f"is allowed by {ALLOW_ORIGIN}: *; the policy refuses the origin"
    elif allowed == (origin,):
        code, credentials = seen.trial.code, " with credentials" if shown.credentials else ""
        if code == "origin-reflected" and shown.credentials:
            code = "reflected-with-credentials"
        yield code, f"is allowed{credentials}; the policy refuses the origin"
    elif allowed:
        named = escape_text(allowed[0])
        yield "policy-leaked", f"has {ALLOW_ORIGIN}: {named}; the policy sends none"
    elif shown.lines(ALLOW_CREDENTIALS):
        yield "credentials-on-refused", f"has {ALLOW_CREDENTIALS} without {ALLOW_ORIGIN}"
    if not allowed:
        yield from _find_added(seen, (*_ONLY_ON_PREFLIGHTS, EXPOSE_HEADERS))
    yield from _compare_vary(seen)


def _find_added(seen: Observation, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Find header fields that browsers do not use in this response."""
    known = RESPONSE_HEADERS
    others = {name for name, _ in seen.evidence.policy if name.lower() not in known}
    for name in (*names, *sorted(others)):
        if seen.evidence.lines(name):
            yield "headers-added", f"has {escape_text(name)}; the policy does not send it"


def _compare_vary(seen: Observation) -> Iterator[tuple[str, str]]:
    """Compare `Vary`, by which a cache keeps responses to different origins apart."""
    expected = _split([seen.expected.get("Vary", "")], str.lower)
    if seen.evidence.lines(ALLOW_ORIGIN) != ("*",):  # under `*` the policy does not vary
        expected.add("origin")
    sent = {*seen.evidence.list_elements("Vary")}
    missing = set() if "*" in sent else expected - sent
    if seen.trial.is_preflight:
        if missing:
            names = ", ".join(sorted(name.title() for name in missing))
            yield "preflight-vary", f"lacks {names} in Vary"
    elif missing and seen.status in _CACHED_STATUSES and seen.evidence.is_cacheable:
        yield "vary-missing", "has no Vary: Origin"
