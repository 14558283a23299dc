"""The lines of the shadow mode in logs, added up over processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from corsguard import Policy, PolicyError
from corsguard.guard.shadow_line import OTHER, SERVED, ShadowLine, ShadowVerdict, parse_line
from corsguard.policy.warning_filter import ignore_policy_warnings

__all__ = ["LeftOut", "LogTotals", "ServedOrigin", "read_lines"]


class ServedOrigin(NamedTuple):
    """An origin whose pages the old layer let read responses to requests with cookies."""

    origin: str
    requests: int
    routes: tuple[str | None, ...]
    is_allowed: bool
    """True if the new policy allows it too, wherever it was served."""


class LeftOut(NamedTuple):
    """An origin that was served, and why no policy with credentials can list it."""

    origin: str
    why: str


class LogTotals:
    """The items of all processes.

    `items` are items without process and count -> number of requests, of which each process logs
    the last power of ten alone: there may have been more.
    """

    def __init__(self, processes: set[str], items: Counter[ShadowLine]) -> None:
        self.processes = processes
        self.items = items

    @property
    def has_others(self) -> bool:
        """True if a process has met more origins than it tells apart."""
        return any(each.origin == OTHER for each in self.items)

    def list_differences(self, verdict: ShadowVerdict) -> list[tuple[ShadowLine, int]]:
        """Return the items of a verdict with their numbers, the most frequent first."""
        return [each for each in self.items.most_common() if each[0].verdict == verdict]

    def list_served(self) -> list[ServedOrigin]:
        """Return the origins that were served with cookies, the most frequent first."""
        requests: Counter[str] = Counter()
        routes: dict[str, dict[str | None, None]] = {}
        refused: set[str] = set()
        for line, number in self.list_differences(SERVED):
            origin = str(line.origin)
            requests[origin] += number
            routes.setdefault(origin, {})[line.route] = None
            if line.reason != "ALLOWED":
                refused.add(origin)
        return [
            ServedOrigin(origin, number, tuple(routes[origin]), origin not in refused)
            for origin, number in requests.most_common()
        ]

    def list_proposed(self) -> tuple[list[str], list[LeftOut]]:
        """Return the origins that a policy with credentials can list, and the other ones."""
        proposed: list[str] = []
        left_out: list[LeftOut] = []
        for each in self.list_served():
            if each.origin == OTHER:
                continue
            try:
                with ignore_policy_warnings():
                    Policy(allow_origins=[each.origin], allow_credentials=True)
            except PolicyError as error:
                left_out.append(LeftOut(each.origin, error.problems[0].message))
            else:
                proposed.append(each.origin)
        return proposed, left_out


def read_lines(lines: Iterable[str]) -> LogTotals:
    """Return the totals of the lines of all logs. Lines of anything else are ignored."""
    processes: set[str] = set()
    highest: dict[ShadowLine, int] = {}  # item of one process -> its highest count
    for text in lines:
        found = parse_line(text)
        if isinstance(found, ShadowLine):
            processes.add(found.process)
            item = found._replace(requests=0)
            highest[item] = max(highest.get(item, 0), found.requests)
        elif found is not None:
            processes.add(found)
    items: Counter[ShadowLine] = Counter()
    for item, number in highest.items():
        items[item._replace(process="")] += number
    return LogTotals(processes, items)
