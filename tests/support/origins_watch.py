"""Questions to a look-up with notifications, and waiting for what it does in its threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import enumerate as list_threads

from corsguard.sources.notified_lookup import NotifiedLookup

PATIENCE = 20  # seconds, where something is broken

APP = "https://app.example"
OTHER = "https://other.example"


def wait_until(is_true: Callable[[], object], what: str) -> None:
    """Wait until a condition holds. What it reads changes in another thread."""
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def is_ready(lookup: NotifiedLookup) -> bool:
    """Return True if a look-up is notified of every change."""
    listenings = lookup._listenings
    return bool(listenings) and all(each.is_ready for each in listenings or ())


def start(lookup: NotifiedLookup) -> None:
    """Ask a first question, and wait until the look-up is notified of changes."""
    lookup(OTHER)
    wait_until(lambda: is_ready(lookup), "it is not notified of changes")


def learn(lookup: NotifiedLookup, origin: str = APP) -> bool:
    """Ask until an answer is remembered: one that is found out while others are dropped is not."""
    answers: list[bool] = []

    def is_remembered() -> bool:
        answers.append(lookup(origin))
        stats = lookup.stats
        return (stats.allowed if answers[-1] else stats.refused) > 0

    wait_until(is_remembered, "no answer is remembered")
    return answers[-1]


def count_threads(lookup_name: str) -> int:
    """Return how many threads listen for a look-up."""
    return sum(each.name == f"{lookup_name} notifications" for each in list_threads())
