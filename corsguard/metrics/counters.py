"""The metrics of a guard, read from its counts, whatever exports them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from corsguard.guard import Guard
from corsguard.guard.counts import OTHER
from corsguard.policy.origin_lookup import OriginLookup

__all__ = ["COUNTERS", "GAUGES", "PREDICATE_SECONDS", "Metric", "Sample"]

_MAX_LOOKUPS = 200


class Sample(NamedTuple):
    """A value of a metric, and those of its labels in their order."""

    labels: tuple[str, ...]
    value: float


Read = Callable[[Guard], Iterator[Sample]]


class Metric(NamedTuple):
    """A counter, which only grows, or a gauge."""

    name: str
    """As in Prometheus, without `_total` and the unit."""
    description: str
    labels: tuple[str, ...]
    read: Read
    unit: str = ""


def _read_decisions(guard: Guard) -> Iterator[Sample]:
    counts = guard.adapter.count()
    for cache, by_route in (("hit", counts.read_hits()), ("miss", counts.read_computed())):
        for route, by_key in by_route.items():
            for (kind, reason), value in by_key.items():
                yield Sample((kind.value, reason.value, route, cache), value)


def _read_predicate_calls(guard: Guard) -> Iterator[Sample]:
    for name, stats in guard.adapter.count().read_predicates().items():
        for outcome, value in stats.outcomes.items():
            yield Sample((name, outcome), value)


def _read_lookups(guard: Guard) -> Iterator[Sample]:
    lookups = {
        id(entry): entry
        for _, policy in guard.adapter.snapshot.place_policies()
        for entry in policy.allow_list.predicates
        if isinstance(entry, OriginLookup)
    }
    found: Counter[tuple[str, str]] = Counter()
    names: set[str] = set()
    for lookup in lookups.values():
        name = lookup.name if lookup.name in names or len(names) < _MAX_LOOKUPS else OTHER
        names.add(name)
        stats = lookup.stats
        found[name, "hit"] += stats.hits
        found[name, "miss"] += stats.questions
        found[name, "stale"] += stats.stale
        found[name, "joined"] += stats.joined
        found[name, "not_asked"] += stats.not_asked
    for labels, value in found.items():
        yield Sample(labels, value)


def _read_candidate(guard: Guard) -> Iterator[Sample]:
    found = {"would-allow": 0, "would-refuse": 0}
    for difference in guard.candidate_differences:
        found[difference.verdict] += difference.requests
    for verdict, value in found.items():
        yield Sample((verdict,), value)


def _read_source_errors(guard: Guard) -> Iterator[Sample]:
    yield Sample((), guard.check_health().error_count)


def _read_version(guard: Guard) -> Iterator[Sample]:
    if guard.version is not None:
        yield Sample((guard.version,), 1)


def _read_age(guard: Guard) -> Iterator[Sample]:
    if guard.followed_since is not None:
        yield Sample((), max(0.0, time.time() - guard.followed_since))


COUNTERS: tuple[Metric, ...] = (
    Metric(
        "corsguard_decisions",
        "Decisions, and whether a cache had them (hit) or they were computed (miss).",
        ("kind", "reason", "route", "cache"),
        _read_decisions,
    ),
    Metric(
        "corsguard_predicate_calls",
        "Calls of the callables and look-ups of allow_origins, by outcome.",
        ("predicate", "outcome"),
        _read_predicate_calls,
    ),
    Metric(
        "corsguard_lookup_requests",
        "Requests to an OriginLookup, by what it did: hit and miss, stale, joined, not_asked.",
        ("lookup", "result"),
        _read_lookups,
    ),
    Metric(
        "corsguard_candidate_differences",
        "Requests that the candidate would decide otherwise.",
        ("verdict",),
        _read_candidate,
    ),
    Metric(
        "corsguard_source_errors",
        "Reads of the source that failed, and documents that were refused.",
        (),
        _read_source_errors,
    ),
)
GAUGES: tuple[Metric, ...] = (
    Metric(
        "corsguard_policy_info",
        "1, with the version of the policy in force.",
        ("version",),
        _read_version,
    ),
    Metric(
        "corsguard_policy_age",
        "Seconds since the policy in force came into force in this process.",
        (),
        _read_age,
        "seconds",
    ),
)
PREDICATE_SECONDS: tuple[str, str] = (
    "corsguard_predicate_seconds",
    "Seconds that requests waited for callables and look-ups of allow_origins.",
)
"""The name and the description of the one histogram, whose label is `predicate`."""
