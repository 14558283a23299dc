"""The causes of differences: what several responses show together, and one of them does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from corsguard.browser.messages import Sent
from corsguard.browser.redirect import REDIRECT_STATUSES
from corsguard.cli.audit.catalogue import Evidence, Finding
from corsguard.cli.verify.comparison import Difference, Observation, compare
from corsguard.escaping import escape_text
from corsguard.fetch_spec import ALLOW_ORIGIN

__all__ = ["Diagnosis", "Resend", "find_causes"]

Resend = Callable[[Sent], Evidence | None]
"""Sends a request once more; None where there is no response."""

_ABSENT = frozenset({"headers-missing", "preflight-swallowed", "preflight-not-answered"})
"""Codes that a path without any CORS explains as well."""
_PREFLIGHT_FAILURES = frozenset(
    {
        "preflight-authenticated",
        "preflight-not-answered",
        "preflight-redirected",
        "preflight-refused",
        "preflight-swallowed",
    }
)
"""Codes of preflights that fail whoever sends them."""
_FRONT_STATUSES = REDIRECT_STATUSES | {401, 403, 407, 429}
"""The statuses of a layer that stops every request in front of the application."""


class Diagnosis(NamedTuple):
    """The findings of a comparison, in no order."""

    findings: tuple[Finding, ...]
    caveats: tuple[str, ...]
    """Sentences on the paths that could not be compared."""


def find_causes(observations: Sequence[Observation], resend: Resend) -> Diagnosis:
    """Return one finding for each cause of the differences between responses and the policy."""
    causes = _Causes(observations, resend)
    groups: dict[str, list[Difference]] = {}
    for difference in causes.explain():
        groups.setdefault(difference.code, []).append(difference)
    findings = tuple(_build_finding(code, group) for code, group in groups.items())
    return Diagnosis(findings, tuple(causes.list_unknown()))


def _build_finding(code: str, differences: Iterable[Difference]) -> Finding:
    """Return the finding of differences with one cause, without those of equal words."""
    group = [*{difference.sentence: difference for difference in differences}.values()]
    found = Finding.build(code, *(one.observation.evidence for one in group))
    paths = dict.fromkeys(one.observation.trial.path for one in group)
    return found._replace(differences=tuple(one.sentence for one in group), paths=tuple(paths))


class _Causes:
    """The differences of a run, and what explains them."""

    def __init__(self, observations: Sequence[Observation], resend: Resend) -> None:
        self._observations = observations
        self._resend = resend
        self._differences = [one for seen in observations for one in compare(seen)]
        self._by_path: dict[str, list[Observation]] = {}
        for seen in observations:
            self._by_path.setdefault(seen.trial.path, []).append(seen)
        self._cached: dict[str, bool] = {}
        """path of a request -> True if a cache answers it without regard to Origin"""
        self._unknown: dict[str, int] = {}
        """path -> the status of the proxy that does not reach the application"""

    def list_unknown(self) -> Iterator[str]:
        """Yield a sentence for each path where responses say nothing about the policy."""
        for path, status in sorted(self._unknown.items()):
            yield (
                f"{escape_text(path)} could not be compared wholly: the proxy does not reach the "
                f"application (status {status})."
            )

    def explain(self) -> Iterator[Difference]:
        """Yield the differences by their cause, without what a broader one implies."""
        refined = [*self._refine()]
        codes = {one.code for one in refined}
        has_credentials = "reflected-with-credentials" in codes
        if has_credentials:
            codes.add("origin-reflected")
        for one in refined:
            trial = one.observation.trial
            is_implied = one.code == trial.code and trial.implied_by & codes
            is_same = has_credentials and one.code == "origin-reflected"
            if not is_implied:
                yield one._replace(code="reflected-with-credentials") if is_same else one

    def _refine(self) -> Iterator[Difference]:
        """Yield the differences by their cause, without those that are none."""
        for one in self._differences:
            seen = one.observation
            if self._is_without_application(one):
                self._unknown[seen.trial.path] = seen.status
            elif not self._is_harmless(one):
                yield one._replace(code=self._find_cause(one))

    def _is_without_application(self, difference: Difference) -> bool:
        """Return True if the application would have to answer, and the proxy does not reach it.

        Where the proxy sets CORS headers itself, its owner can set them with its errors as well.
        """
        seen = difference.observation
        peers = self._by_path[seen.trial.path]
        if not seen.is_gateway_error:
            return False
        if seen.trial.is_preflight:
            return all(peer.is_gateway_error for peer in peers if not peer.trial.is_preflight)
        return not any(peer.evidence.policy for peer in peers)

    def _is_harmless(self, difference: Difference) -> bool:
        """Return True if nothing depends on it, or another difference explains it."""
        seen = difference.observation
        if difference.code == "vary-missing":
            return not self._depends_on_origin(seen)
        return difference.code == "preflight-status" and any(
            one.observation.trial.path == seen.trial.path
            and one.observation.trial.is_preflight
            and one.observation.status == seen.status
            and one.code in _PREFLIGHT_FAILURES
            for one in self._differences
        )

    def _find_cause(self, difference: Difference) -> str:
        code, seen = difference.code, difference.observation
        peers = self._by_path[seen.trial.path]
        if code == "headers-missing" and seen.is_gateway_error:
            return "gateway-errors-without-headers"
        is_elsewhere = code in {"headers-missing", "origin-missing", "policy-leaked"}
        if is_elsewhere and self._is_cached(seen):
            return "cache-ignores-vary"
        if code not in _ABSENT:
            return code
        if any(_is_same_request(peer, seen) and peer.is_readable for peer in peers):
            return "origin-missing"
        if code == "headers-missing":
            return self._explain_missing(seen, peers)
        others = [peer for peer in peers if peer.trial.at == seen.trial.at]
        return code if _has_readable(others) else self._name_missing()

    def _explain_missing(self, seen: Observation, peers: Sequence[Observation]) -> str:
        """Return why a response other than a preflight's has no CORS headers."""
        if seen.status in _FRONT_STATUSES:
            for difference in self._differences:
                peer = difference.observation
                is_alike = peer.status == seen.status and peer.trial.path == seen.trial.path
                if is_alike and peer.trial.is_preflight and peer.lacks_origin:
                    return difference.code
        if seen.status >= 400 and not _has_readable(self._observations, range(400, 600)):
            is_error = _has_readable(self._observations, range(400))
            if is_error or any(peer.is_readable for peer in peers):
                return "errors-without-headers"
        return self._name_missing()

    def _name_missing(self) -> str:
        """Return the code for a path without headers: other paths may have them."""
        return "headers-missing-on-path" if _has_readable(self._observations) else "headers-missing"

    def _is_cached(self, seen: Observation) -> bool:
        """Return True if the response is right when the request has a query that is new."""
        sent = seen.trial.sent
        if seen.trial.is_preflight or sent.method != "GET":
            return False
        key = seen.trial.at
        if key not in self._cached:
            fresh = self._resend(sent._replace(url=f"{sent.url}?corsguard-verify=1"))
            expected = seen.expected.get(ALLOW_ORIGIN)
            lines = () if expected is None else (expected,)
            self._cached[key] = fresh is not None and fresh.lines(ALLOW_ORIGIN) == lines
        return self._cached[key]

    def _depends_on_origin(self, seen: Observation) -> bool:
        """Return True if the server's responses to the same URL differ by Origin."""
        url, method = seen.trial.sent.url, seen.trial.sent.method
        peers = self._by_path[seen.trial.path]
        alike = [one for one in peers if one.trial.sent[:2] == (method, url)]
        return len({one.evidence.policy for one in alike}) > 1


def _is_same_request(peer: Observation, seen: Observation) -> bool:
    """Return True for the same kind of request to the same path, from any origin."""
    return (
        peer.trial.at == seen.trial.at
        and peer.trial.is_preflight == seen.trial.is_preflight
        and peer.status == seen.status
    )


def _has_readable(observations: Iterable[Observation], statuses: range = range(600)) -> bool:
    """Return True if a page reads one of the responses that are not to preflights."""
    return any(
        seen.is_readable and not seen.trial.is_preflight and seen.status in statuses
        for seen in observations
    )
