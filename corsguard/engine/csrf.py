"""Enforcement: refuse what a browser sends from another site and no policy allows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from corsguard.engine.decision import Decision, Kind, LazyDetail, Reason
from corsguard.engine.request import CORSRequest
from corsguard.engine.same_origin import is_same_origin
from corsguard.escaping import escape_text
from corsguard.policy import Policy

__all__ = ["SAFE_METHODS", "Enforce", "is_unsafe", "is_unsafe_cross_site", "refuse_unless_allowed"]

Enforce = bool | Literal["report"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ORIGIN_ALLOWED = frozenset({Reason.ALLOWED, Reason.CREDENTIALS_NOT_ALLOWED})


def is_unsafe(request: CORSRequest) -> bool:
    """Return True if a request may change something: its method, or a WebSocket handshake."""
    return request.method not in SAFE_METHODS or request.is_websocket


def is_unsafe_cross_site(request: CORSRequest, own_origins: Collection[str]) -> bool:
    """Return True if a request is unsafe and a browser sends it for a page of another origin."""
    if not is_unsafe(request):
        return False
    if request.origin is None and request.fetch_site is None:
        return False  # no browser, so no page that makes one send it
    return not is_same_origin(request, own_origins)


def refuse_unless_allowed(
    decision: Decision, request: CORSRequest, policy: Policy | None, enforce: Enforce
) -> Decision:
    """Return the refusal of an unsafe cross-site request, or the decision if a policy allows it.

    `policy` is the one that applies to the request, None if there is none. Under "report" the
    refusal has no status, so the request is served.
    """
    objection = _find_objection(decision, request, policy)
    if objection is None:
        return decision
    return Decision(
        Kind.NOT_CORS if request.origin is None else Kind.ACTUAL,
        Reason.CROSS_ORIGIN_REFUSED,
        objection,
        403 if enforce is True else None,
        decision.headers,
        decision.faults,
    )


def _find_objection(
    decision: Decision, request: CORSRequest, policy: Policy | None
) -> str | LazyDetail | None:
    """Return why the policy, or the lack of one, does not allow a request; None if it does."""
    origin = request.origin
    if origin is None:
        return "no origin"
    if policy is None:
        return LazyDetail(_describe, (origin, "no policy applies here"))
    if decision.reason not in _ORIGIN_ALLOWED:
        return decision.lazy_detail
    if policy.allow_list.is_any:  # a view's policy: its safe methods may well be for everyone
        return LazyDetail(_describe, (origin, "not listed by name"))
    if request.has_cookie and not policy.allow_credentials:
        return LazyDetail(_describe, (origin, "with a cookie, without allow_credentials"))
    return None


def _describe(origin: str, objection: str) -> str:
    return f"{escape_text(origin)} ({objection})"
