"""A guard with something in every metric, and what a scrape shows."""

from __future__ import annotations

import re
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest

from corsguard import Guard, OriginLookup, Policy
from corsguard.sources import Document

__all__ = ["StillSource", "build_busy_guard", "scrape", "select"]


class StillSource:
    """A source of one document, which never changes. It fails while it has no text."""

    def __init__(self, text: str = "") -> None:
        self.text = text

    def load(self) -> Document:
        if not self.text:
            raise OSError("no text")
        return Document("v1", self.text)

    def watch(self, on_change: Callable[[], object]) -> None:
        """Detect no change."""

    def close(self) -> None:
        """Close nothing."""


def is_partner(origin: str) -> bool:
    return origin == "https://partner.example"


def build_busy_guard() -> Guard:
    """Return a guard that follows a source, and has callables and look-ups for a view."""
    guard = Guard(None)
    guard.follow(StillSource('allow_origins = ["https://app.example"]'))
    policy = Policy(allow_origins=[OriginLookup(is_partner)])
    guard.adapter.swap(lambda current: current.replace_policies(policy))
    return guard


def scrape(registry: CollectorRegistry) -> dict[str, float]:
    """Return what a scrape shows: a sample with its labels -> its value."""
    lines = generate_latest(registry).decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


def select(samples: dict[str, float], name: str) -> dict[str, float]:
    """Return the samples of a metric by their labels, without its name."""
    pattern = re.compile(rf"{name}(?:\{{(.*)\}})?")
    found = ((pattern.fullmatch(key), value) for key, value in samples.items())
    return {match[1] or "": value for match, value in found if match}
