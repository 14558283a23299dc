"""Enforcement: which requests a browser must not make a service act on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.engine.headers import parse_names
from corsguard.engine.same_origin import is_same_origin
from corsguard.escaping import escape_text
from corsguard.policy import Policy

__all__ = ["Enforce", "is_unsafe_cross_site", "is_websocket", "refuse_unless_allowed"]

Enforce = bool | Literal["report"]

_SAFE_METHODS = frozenset({"HEAD", "OPTIONS"})
_ORIGIN_ALLOWED = frozenset({Reason.ALLOWED, Reason.CREDENTIALS_NOT_ALLOWED})


def is_unsafe_cross_site(
    origin: str | None,
    method: str,
    read: Callable[[str], str | None],
    own_origins: Collection[str],
) -> bool:
    """Whether a request is unsafe, and a browser sends it for a page that is not our own."""
    if method in _SAFE_METHODS or (method == "GET" and not is_websocket(read)):
        return False
    if origin is None and read("sec-fetch-site") is None:
        return False  # no browser, so no page that makes one send it
    return not is_same_origin(origin, read, own_origins)


def refuse_unless_allowed(
    decision: Decision,
    enforce: Enforce,
    policy: Policy | None,
    origin: str | None,
    credentials: bool | None,
) -> Decision:
    """The refusal of a guarded request; the decision itself where a policy allows it."""
    why = _objection(decision, policy, origin, credentials)
    if why is None:
        return decision
    return Decision(
        Kind.NOT_CORS if origin is None else Kind.ACTUAL,
        Reason.CROSS_ORIGIN_REFUSED,
        why,
        403 if enforce is True else None,
        decision.headers,
        decision.faults,
    )


def _objection(
    decision: Decision, policy: Policy | None, origin: str | None, credentials: bool | None
) -> str | None:
    """What a policy, or the lack of one, has against a guarded request; None where it allows it."""
    if origin is None:
        return "no origin"
    if policy is None:
        return f"{escape_text(origin)} (no policy holds here)"
    if decision.reason not in _ORIGIN_ALLOWED:
        return decision.detail
    if "*" in policy.allow_origins:  # that of a view, whose safe methods may well be for everyone
        return f"{escape_text(origin)} (not listed by name)"
    if credentials and not policy.allow_credentials:
        return f"{escape_text(origin)} (with a cookie, without allow_credentials)"
    return None


def is_websocket(read: Callable[[str], str | None]) -> bool:
    """Return True if a GET is a WebSocket handshake (RFC 6455, 4.1), which has no preflight."""
    upgrade = read("upgrade")
    return upgrade is not None and "websocket" in (parse_names(upgrade) or ())
