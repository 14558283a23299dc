"""The tables of the figures, the goals, and the arithmetic for 10,000 workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

from tools.benchmarks.tables import Goal, Table
from tools.fleet.cold_start import ColdStart
from tools.fleet.followers import FollowerFigures
from tools.fleet.propagation import Propagation, StoreFigures
from tools.fleet.request_path import RequestPath
from tools.fleet.stores import FILE, SQLITE

MANY = 10_000
"""The workers of the fleet on paper."""
_MILLI, _MIB = 1_000, 2**20


class Figures(NamedTuple):
    """All that a run has measured. None is what a short run leaves out."""

    stores: Sequence[StoreFigures]
    request_path: RequestPath
    cold_start: ColdStart | None
    followers: FollowerFigures | None

    def count_faults(self) -> int:
        """Return the number of requests that got no response."""
        return sum(len(each.faults) for _, _, each in list_propagations(self.stores))


def list_propagations(
    stores: Sequence[StoreFigures],
) -> Iterator[tuple[StoreFigures, str, Propagation]]:
    """Yield each store, what was published, and its figures."""
    for figures in stores:
        yield figures, "a small policy", figures.small
        if figures.replaced is not None:
            yield figures, "10,000 origins replaced", figures.replaced
        if figures.changed is not None:
            yield figures, "100 changed among 100,000", figures.changed


def name_variant(figures: StoreFigures) -> str:
    return f"{figures.store}, --preload" if figures.is_preloaded else figures.store


def list_goals(figures: Figures) -> Iterator[Goal]:
    """Yield each goal with what was measured."""
    for store, published, found in list_propagations(figures.stores):
        name = f"{name_variant(store)}: {published}"
        if store.store == SQLITE:
            continue  # which is only polled
        if found is store.small:
            most = 250 if store.store == FILE else 100
            yield Goal.at_most(f"{name}, median", found.median * _MILLI, most, "ms")
            yield Goal.at_most(f"{name}, 95th percentile", found.p95 * _MILLI, 500, "ms")
        else:
            yield Goal.at_most(f"{name}, slowest round", max(found.stale), 1, "s")
        if found is store.replaced:
            p99 = found.request_p99 * _MILLI
            yield Goal.at_most(f"{name}, p99 of the requests meanwhile", p99, 50, "ms")
    if figures.cold_start is not None:
        what = f"start of a worker with {figures.cold_start.origins:,} origins from last_good"
        yield Goal.at_most(what, figures.cold_start.seconds, 5, "s")
    what = "a request to a guard that follows, in those to one that does not"
    yield Goal.at_most(what, figures.request_path.ratio, 1.03, "")


def store_table(stores: Sequence[StoreFigures]) -> Table:
    rows = [
        (
            name_variant(store),
            published,
            f"{len(found.stale)}",
            f"{found.median * _MILLI:.0f}",
            f"{found.p95 * _MILLI:.0f}",
            f"{max(found.stale) * _MILLI:.0f}",
            f"{found.request_p99 * _MILLI:.1f}" if found.requests else "",
        )
        for store, published, found in list_propagations(stores)
    ]
    columns = ("store", "published", "rounds", "median", "p95", "slowest", "request p99")
    title = "From a write to the last stale response of 8 workers, in milliseconds"
    polls = sorted({each.poll for each in stores if each.store == SQLITE})
    notes = [f"SQLite has no notifications: it is polled every {poll:g} s" for poll in polls]
    return Table(title, columns, rows, labels=2, notes=notes)


def worker_table(figures: Figures) -> Table:
    path, start = figures.request_path, figures.cold_start
    rows = [
        ("a request to a guard that follows a source", f"{path.following:.2f} µs"),
        ("the same to one that follows nothing", f"{path.alone:.2f} µs"),
    ]
    if start is not None:
        rows += [
            (f"start with {start.origins:,} origins from last_good", f"{start.seconds:.1f} s"),
            ("the same with one origin", f"{start.seconds_of_one_origin:.1f} s"),
            ("memory of that worker", f"{start.resident / _MIB:.0f} MiB"),
            ("its peak", f"{start.peak / _MIB:.0f} MiB"),
            ("memory with one origin", f"{start.resident_of_one_origin / _MIB:.0f} MiB"),
        ]
    return Table("One worker", ("", "measured"), rows, labels=1)


def follower_table(found: FollowerFigures) -> Table:
    rows = [
        ("connections", f"{found.connections:,}"),
        ("commands per second, nothing published", f"{found.commands_per_second:,.0f}"),
        ("of these polls", f"{found.polls_per_second:,.0f}"),
        ("one core of Redis, nothing published", f"{found.redis_cpu_idle:.1%}"),
        ("memory of Redis", f"{found.redis_memory / _MIB:.0f} MiB"),
        ("write to last notified, median", f"{median(found.notified) * _MILLI:.0f} ms"),
        ("write to last in force, median", f"{median(found.in_force) * _MILLI:.0f} ms"),
        ("core of Redis for a write", f"{found.redis_cpu_per_write * _MILLI:.0f} ms"),
        ("sent by Redis for a write", f"{found.bytes_per_write / 1024:,.0f} KiB"),
    ]
    title = f"{found.followers:,} followers of one Redis, all on this machine"
    return Table(title, ("", "measured"), rows, labels=1)


def compute_many(found: FollowerFigures) -> dict[str, float]:
    """Return what is expected of one Redis with MANY workers, in proportion to a simulation."""
    times = MANY / found.followers
    polls = MANY / found.poll
    return {
        "workers": MANY,
        "connections": 2 * MANY,
        "polls_per_second": polls,
        "commands_per_second": found.commands_per_second * times,
        "redis_cpu_idle": found.redis_cpu_idle * times,
        "redis_seconds_per_write": found.redis_cpu_per_write * times,
        "redis_memory_bytes": found.redis_memory_empty
        + (found.redis_memory - found.redis_memory_empty) * times,
        "bytes_sent_per_write": found.bytes_per_write * times,
        "bytes_sent_for_100000_origins": MANY * 3_300_000,
        "bytes_sent_for_100_changes": MANY * 4_000,
    }


def many_table(found: FollowerFigures) -> Table:
    many = compute_many(found)
    rows = [
        ("connections", f"{many['connections']:,.0f}"),
        ("polls per second", f"{many['polls_per_second']:,.0f}"),
        ("commands per second", f"{many['commands_per_second']:,.0f}"),
        ("one core of Redis, nothing published", f"{many['redis_cpu_idle']:.0%}"),
        ("core of Redis for a write", f"{many['redis_seconds_per_write']:.1f} s"),
        ("memory of Redis", f"{many['redis_memory_bytes'] / _MIB:,.0f} MiB"),
        ("sent for a small policy", f"{many['bytes_sent_per_write'] / _MIB:,.1f} MiB"),
        ("sent for 100,000 origins", f"{many['bytes_sent_for_100000_origins'] / 2**30:,.0f} GiB"),
        ("sent for 100 changes", f"{many['bytes_sent_for_100_changes'] / _MIB:,.0f} MiB"),
    ]
    title = f"{MANY:,} workers of one Redis, on paper: {MANY / found.followers:g} times the above"
    return Table(title, ("", "expected"), rows, labels=1)


def as_json(figures: Figures, load: Sequence[float]) -> dict[str, Any]:
    """Return the figures as JSON for the proof page; times in seconds, sizes in bytes."""
    followers = figures.followers
    return {
        "load_average": list(load),
        "stores": [
            {
                "store": store.store,
                "is_preloaded": store.is_preloaded,
                "poll": store.poll,
                "published": published,
                "rounds": len(found.stale),
                "median": found.median,
                "p95": found.p95,
                "slowest": max(found.stale),
                "requests": len(found.requests),
                "request_p99": found.request_p99 if found.requests else None,
                "faults": len(found.faults),
            }
            for store, published, found in list_propagations(figures.stores)
        ],
        "request_path": figures.request_path._asdict(),
        "cold_start": figures.cold_start and figures.cold_start._asdict(),
        "followers": followers and followers._asdict(),
        "on_paper": followers and compute_many(followers),
        "faults": figures.count_faults(),
        "goals": [goal._asdict() for goal in list_goals(figures)],
    }
