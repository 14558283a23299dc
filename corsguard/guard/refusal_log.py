"""The lines of a guard in the logger `corsguard`: bounded, escaped, each at WARNING only once.

No text is formatted for a line that is not written.
"""

from __future__ import annotations

import logging
from threading import Lock
from traceback import format_tb
from typing import TYPE_CHECKING

from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.escaping import MAX_SHOWN, escape_text
from corsguard.fork_safety import restart_in_child
from corsguard.guard.refusal_advice import advise
from corsguard.policy.lookup_state import StaleAnswerError
from corsguard.policy.predicates import Fault

if TYPE_CHECKING:
    from corsguard.engine import Engine
    from corsguard.engine.request import CORSRequest

__all__ = ["RefusalLog"]

_logger = logging.getLogger("corsguard")
_MOST_ITEMS = 100
_MOST_GROUPS = 1_000


class RefusalLog:
    """A log that writes each item at WARNING once, at most 100 of a group, and the rest at DEBUG.

    Its memory is bounded whatever the requests contain: 1,000 groups of 100 short strings each.
    """

    def __init__(self) -> None:
        # (reason, route) -> the origins that have been logged; similar groups for other lines.
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._restart()
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Make a new lock; see corsguard.fork_safety."""
        self._lock = Lock()

    def report_refusal(
        self,
        decision: Decision,
        reason: Reason,
        request: CORSRequest,
        engine: Engine | None,
        deciding: str = "",
    ) -> None:
        """Log a refusal, at WARNING once for its reason, origin and route.

        `reason` is the one before enforcement, and `engine` that of the policy that applies, None
        if there is none: see `advise`. `deciding` says in words which policy of a list has decided.
        """
        origin = "no origin" if request.origin is None else request.origin
        level = self._find_level((decision.reason, request.route or "no route"), origin[:MAX_SHOWN])
        if level is not None:
            outcome, served = _describe_outcome(decision, request)
            _logger.log(
                level,
                "%s %s %s from %s: %s%s: %s; %s%s",
                outcome,
                escape_text(request.method, 20),
                escape_text(request.path),
                escape_text(origin),
                decision.reason.value,
                served,
                decision.detail or decision.reason.words,
                advise(decision, reason, request, engine),
                f" ({deciding})" if deciding else "",
            )

    def report_fault(self, fault: Fault, route: str | None) -> None:
        """Log a callable of a policy that raised, or returned anything but a bool."""
        name, error = fault
        group = "failures of allow_origins", route or "no route"
        is_stale = isinstance(error, StaleAnswerError)
        effect = "its last answer still counts" if is_stale else "which counts as False"
        self._report_failure(group, name, f"%s of allow_origins failed, {effect}", error)

    def report_subscriber(self, subscriber: object, error: Exception) -> None:
        """Log a subscriber that raised; the request goes on."""
        name = getattr(subscriber, "__qualname__", None) or type(subscriber).__qualname__
        self._report_failure(("failures of subscribers", ""), name, "subscriber %s failed", error)

    def report_shadow(self, error: Exception) -> None:
        """Log an error of the shadow mode; the response goes on as it is."""
        self._report_failure(("failures of shadow", ""), "the shadow mode", "%s failed", error)

    def report_replaced(self, names: list[str], path: str | None = None) -> None:
        """Log the CORS headers that the application set itself, at path."""
        for name in names:
            level = self._find_level(("replaced fields", ""), name.lower())
            if level is not None:
                _logger.log(
                    level,
                    "the application sets %s itself%s; the policy's own is sent instead",
                    escape_text(name),
                    "" if path is None else f" at {escape_text(path)}",
                )

    def _report_failure(
        self, group: tuple[str, str], name: str, what: str, error: Exception
    ) -> None:
        kind = type(error).__name__
        level = self._find_level(group, f"{name} {kind}")
        if level is not None:
            # Not exc_info: the text of an error may quote the request, with its line ends.
            _logger.log(
                level,
                "%s: %s: %s\n%s",
                what % name,
                kind,
                _describe_error(error),
                "".join(format_tb(error.__traceback__)),
            )

    def _find_level(self, group: tuple[str, str], item: str) -> int | None:
        """Return WARNING for the first of its kind, else DEBUG; None if that level is off."""
        level = logging.WARNING if self._is_first(group, item) else logging.DEBUG
        return level if _logger.isEnabledFor(level) else None

    def _is_first(self, group: tuple[str, str], item: str) -> bool:
        full = self._seen.get(group)
        if full is not None and len(full) > _MOST_ITEMS:  # as most are under attack: no lock
            return False
        with self._lock:
            if group not in self._seen and len(self._seen) >= _MOST_GROUPS:
                return False
            seen = self._seen.setdefault(group, set())
            if item in seen or len(seen) > _MOST_ITEMS:
                return False
            seen.add(item)
            count = len(seen)
        if count > _MOST_ITEMS:
            _logger.warning("further ones are logged at DEBUG: %s, %s", *group)
        return count <= _MOST_ITEMS


def _describe_outcome(decision: Decision, request: CORSRequest) -> tuple[str, str]:
    """Return the outcome of a request, and in brackets, its effect on the page."""
    if decision.reason is Reason.CROSS_ORIGIN_REFUSED:
        if decision.status is None:
            return 'would be refused (enforce="report"):', " (the request was served)"
        return "refused, 403 (enforce):", ""
    if decision.kind is Kind.PREFLIGHT:
        if decision.status == 403:
            return "preflight answered 403:", ""
        return "preflight answered 204, but the browser blocks the request:", ""
    if request.is_websocket:
        means = "the request was served; browsers apply no CORS to WebSockets, enforce does"
        return "no policy allows the WebSocket handshake", f" ({means})"
    what = "CORS headers"
    if decision.reason is Reason.CREDENTIALS_NOT_ALLOWED:
        what = "Access-Control-Allow-Credentials"
    means = "the request was served; the browser hides the response"
    if request.fetch_mode == "navigate":
        means = "the request was served; the browser shows the page, which needs none"
    return f"no {what} for", f" ({means})"


def _describe_error(error: Exception) -> str:
    try:
        return escape_text(str(error), 500)
    except Exception:  # an error in __str__ must not fail the request
        return "an error without a text"
