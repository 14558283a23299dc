"""Candidate: policies that are evaluated beside those in force, to see what they would change."""

from __future__ import annotations

import logging
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from corsguard.engine.csrf import is_unsafe_cross_site, refuse_unless_allowed
from corsguard.engine.decision import Decision
from corsguard.engine.request import CORSRequest, Methods
from corsguard.escaping import escape_text
from corsguard.fetch_spec import ALLOW_CREDENTIALS
from corsguard.fork_safety import restart_in_child
from corsguard.guard.effect import Verdict, describe_effect
from corsguard.guard.snapshot import NO_POLICY_DECISION, Snapshot

if TYPE_CHECKING:
    from corsguard.guard.runtime import Case

__all__ = ["Candidate", "CandidateDifference", "Verdict"]

_logger = logging.getLogger("corsguard")
_MAX_ITEMS = 1_000
_OTHERS = ("other origins", "other paths")


class CandidateDifference(NamedTuple):
    """The requests from one origin to one path that a candidate would decide otherwise."""

    verdict: Verdict
    origin: str
    """Escaped and cut, as in the log."""
    path: str
    requests: int


class Candidate:
    """The policies of a snapshot, which decide each request for comparison alone.

    Compared is what a page notices: a 403, a response that its browser blocks, and credentials. A
    path without CORS counts as one whose responses are blocked. Requests that a per-view policy
    decides are left out, as are those without `Origin` and `Sec-Fetch-Site`. Callables of the
    policies are called in the thread of the request; async ones count as False.

    The differences are counted by verdict, origin and path, at most 1,000 of them apart, and each
    of these is logged once at INFO. While there is a candidate no decision is cached: a request
    costs two evaluations, about 10 microseconds more than a cached decision. A forked child starts
    at zero. Safe to use from many threads.

    `last` is the candidate that this one replaces, whose counts go on if its policies are equal.
    """

    def __init__(self, snapshot: Snapshot, last: Candidate | None = None) -> None:
        self.snapshot: Snapshot = snapshot
        self._restart()
        if last is not None and snapshot.policies == last.snapshot.policies:
            counts, others = last.copy_counts()
            self._counts.update(counts)
            self._others.update(others)
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Start at zero with a new lock; see corsguard.fork_safety."""
        self._lock = Lock()
        self._counts: Counter[tuple[Verdict, str, str]] = Counter()
        self._others: Counter[Verdict] = Counter()

    def copy_counts(self) -> tuple[Counter[tuple[Verdict, str, str]], Counter[Verdict]]:
        """Return copies of the counts: by verdict, origin and path, and of those beyond."""
        with self._lock:
            return self._counts.copy(), self._others.copy()

    def observe(self, case: Case, decision: Decision) -> None:
        """Compare the decision on a request with that of the candidate, and count a difference."""
        request = case.request
        if request.origin is None and request.fetch_site is None:
            return
        if case.snapshot.find(request.path) is not case.applied:  # a view's policy applies
            return
        other = _decide(self.snapshot, request, case.methods)
        now = describe_effect(decision, request, case.snapshot.own_origins)
        then = describe_effect(other, request, self.snapshot.own_origins)
        if then != now:
            self._count("would-allow" if then > now else "would-refuse", request, decision, other)

    def list_differences(self) -> tuple[CandidateDifference, ...]:
        """Return the differences, the most frequent first."""
        with self._lock:
            found = [CandidateDifference(*key, requests) for key, requests in self._counts.items()]
            found += [
                CandidateDifference(verdict, *_OTHERS, requests)
                for verdict, requests in self._others.items()
            ]
        return tuple(sorted(found, key=lambda each: -each.requests))

    def _count(
        self, verdict: Verdict, request: CORSRequest, decision: Decision, other: Decision
    ) -> None:
        origin = "no origin" if request.origin is None else escape_text(request.origin)
        path = escape_text(request.path)
        key = verdict, origin, path
        with self._lock:
            is_new = key not in self._counts
            is_full = is_new and len(self._counts) >= _MAX_ITEMS
            is_first_other = is_full and not self._others
            if is_full:
                self._others[verdict] += 1
            else:
                self._counts[key] += 1
        if is_first_other:
            _logger.info("candidate: further differences are counted together, and not logged")
        elif is_new and not is_full:
            _logger.info(
                "candidate: %s %s %s from %s: %s instead of %s",
                verdict.replace("-", " "),
                escape_text(request.method, 20),
                path,
                origin,
                _name_outcome(other),
                _name_outcome(decision),
            )


def _decide(snapshot: Snapshot, request: CORSRequest, methods: Methods) -> Decision:
    """Return the decision of a snapshot, and do nothing else about it."""
    applied = snapshot.find(request.path)
    decision, policy = NO_POLICY_DECISION, None
    for engine in applied.engines:
        policy = engine.policy
        evaluation = engine.evaluate(request.origin) or engine.ask(request)
        decision = engine.conclude(request, evaluation, methods)
        if engine.covers(evaluation):
            break
    if applied.is_enforced and is_unsafe_cross_site(request, snapshot.own_origins):
        return refuse_unless_allowed(decision, request, policy, snapshot.enforce)
    return decision


def _name_outcome(decision: Decision) -> str:
    """Return the reason, and whether credentials are allowed, which may be all that differs."""
    with_credentials = (ALLOW_CREDENTIALS, "true") in decision.headers
    return f"{decision.reason.value}{' with credentials' if with_credentials else ''}"
