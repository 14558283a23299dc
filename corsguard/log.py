"""What the guard writes to the logger `corsguard`: bounded, escaped, the first of its kind loud."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

from corsguard.decision import Decision, Fault
from corsguard.escape import escaped

if TYPE_CHECKING:
    from corsguard.guard import Facts

__all__ = ["Log"]

_logger = logging.getLogger("corsguard")
_MOST_ITEMS = 100
_MOST_GROUPS = 1_000


class Log:
    """Says each thing at WARNING once, at most 100 of a group, and the rest at DEBUG.

    Its memory is bounded whatever the requests hold: 1,000 groups, each of 100 short strings.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._lock = Lock()

    def refused(self, decision: Decision, facts: Facts) -> None:
        """A refusal, loud once for its reason, origin and route."""
        origin = "no origin" if facts.origin is None else escaped(facts.origin)
        self._say(
            (decision.reason, facts.route or "no route"),
            origin,
            f"refused {escaped(facts.method, 20)} {escaped(facts.path)} from {origin}: "
            f"{decision.reason}: {decision.detail or decision.reason.words}",
        )

    def fault(self, fault: Fault, route: str | None) -> None:
        """A callable of a policy that gave no answer."""
        name, error = fault
        self._say(
            ("faults of allow_origins", route or "no route"),
            f"{name} {type(error).__name__}",
            f"{name} of allow_origins failed, which counts as a no: {escaped(str(error))}",
            error,
        )

    def subscriber_failed(self, subscriber: object, error: Exception) -> None:
        """A subscriber that raised; the request goes on."""
        name = getattr(subscriber, "__qualname__", repr(subscriber))
        self._say(
            ("faults of subscribers", ""),
            f"{name} {type(error).__name__}",
            f"subscriber {name} failed: {escaped(str(error))}",
            error,
        )

    def replaced(self, names: list[str]) -> None:
        """Fields of the CORS protocol that the application set itself."""
        for name in names:
            self._say(
                ("replaced fields", ""),
                name.lower(),
                f"the application sets {escaped(name)} itself; the policy's own is sent instead",
            )

    def _say(
        self, group: tuple[str, str], item: str, line: str, error: Exception | None = None
    ) -> None:
        with self._lock:
            level = self._level(group, item)
        _logger.log(level, "%s", line, exc_info=error)
        if level == logging.WARNING and len(self._seen[group]) == _MOST_ITEMS:
            _logger.warning("further ones (%s, %s) are logged at DEBUG", *group)

    def _level(self, group: tuple[str, str], item: str) -> int:
        if group not in self._seen and len(self._seen) >= _MOST_GROUPS:
            return logging.DEBUG
        seen = self._seen.setdefault(group, set())
        if item in seen or len(seen) >= _MOST_ITEMS:
            return logging.DEBUG
        seen.add(item)
        return logging.WARNING
