"""What the guard writes to the logger `corsguard`: bounded, escaped, the first of its kind loud."""

from __future__ import annotations

import logging
from threading import Lock
from traceback import format_tb
from typing import TYPE_CHECKING

from corsguard.decision import Decision, Fault
from corsguard.escape import LONGEST, escaped

if TYPE_CHECKING:
    from corsguard.facts import Facts

__all__ = ["Log"]

_logger = logging.getLogger("corsguard")
_MOST_ITEMS = 100
_MOST_GROUPS = 1_000


class Log:
    """Says each thing at WARNING once, at most 100 of a group, and the rest at DEBUG.

    Its memory is bounded whatever the requests hold: 1,000 groups, each of 100 short strings.
    """

    has = staticmethod(_logger.isEnabledFor)
    """Whether what is said at a level is logged; what has been said before is said at DEBUG."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._lock = Lock()

    def refused(self, decision: Decision, facts: Facts) -> None:
        """A refusal, loud once for its reason, origin and route."""
        origin = "no origin" if facts.origin is None else facts.origin
        level = self._level((decision.reason, facts.route or "no route"), origin[:LONGEST])
        if _logger.isEnabledFor(level):
            _logger.log(
                level,
                "refused %s %s from %s: %s: %s",
                escaped(facts.method, 20),
                escaped(facts.path),
                escaped(origin),
                decision.reason.value,
                decision.detail or decision.reason.words,
            )

    def fault(self, fault: Fault, route: str | None) -> None:
        """A callable of a policy that gave no answer."""
        name, error = fault
        self._failed(
            ("failures of allow_origins", route or "no route"),
            f"{name} of allow_origins failed, which counts as a no",
            error,
        )

    def subscriber_failed(self, subscriber: object, error: Exception) -> None:
        """A subscriber that raised; the request goes on."""
        name = getattr(subscriber, "__qualname__", repr(subscriber))
        self._failed(("failures of subscribers", ""), f"subscriber {name} failed", error)

    def replaced(self, names: list[str]) -> None:
        """Fields of the CORS protocol that the application set itself."""
        for name in names:
            _logger.log(
                self._level(("replaced fields", ""), name.lower()),
                "the application sets %s itself; the policy's own is sent instead",
                escaped(name),
            )

    def _failed(self, group: tuple[str, str], what: str, error: Exception) -> None:
        # Not exc_info: an error's own text may hold what the request sent, line ends included.
        _logger.log(
            self._level(group, f"{what} {type(error).__name__}"),
            "%s: %s: %s\n%s",
            what,
            type(error).__name__,
            escaped(str(error), 500),
            "".join(format_tb(error.__traceback__)),
        )

    def _level(self, group: tuple[str, str], item: str) -> int:
        """WARNING for the first of its kind, else DEBUG."""
        with self._lock:
            if group not in self._seen and len(self._seen) >= _MOST_GROUPS:
                return logging.DEBUG
            seen = self._seen.setdefault(group, set())
            if item in seen or len(seen) > _MOST_ITEMS:
                return logging.DEBUG
            seen.add(item)
            count = len(seen)
        if count <= _MOST_ITEMS:
            return logging.WARNING
        _logger.warning("further ones are logged at DEBUG: %s, %s", *group)
        return logging.DEBUG
