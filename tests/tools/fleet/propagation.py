"""The time from a write to the last stale response of all workers, and the requests meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from threading import Event
from time import monotonic
from typing import NamedTuple

from support.fleet_apps import FleetSettings
from support.fleet_probe import FleetProbe, Sighting, WorkerConnection
from support.fleet_workers import GUNICORN, GUNICORN_PRELOAD, UVICORN, serve_fleet
from tools.fleet.documents import PARTNERS, build_large, build_small, list_partners, name_origin
from tools.fleet.stores import SQLITE, MeasuredStore, open_store

from corsguard.sources.changes import SetChange

WORKERS_OF_A_SERVER = 4
"""Of gunicorn, and as many of uvicorn."""
CHANGED = 100
SQLITE_POLL = 1.0
"""Seconds between two polls of a database without notifications. Others have the default."""

_PATIENCE = 60.0
_PAUSE = 0.004
"""Seconds between two requests to a worker."""


class Propagation(NamedTuple):
    """Seconds of each round from the write to the last stale response, and of the requests."""

    stale: list[float]
    requests: list[float]
    """Of each response between the write and the last stale response."""
    faults: list[str]

    @property
    def median(self) -> float:
        return median(self.stale)

    @property
    def p95(self) -> float:
        return find_quantile(self.stale, 0.95)

    @property
    def request_p99(self) -> float:
        return find_quantile(self.requests, 0.99)


class StoreFigures(NamedTuple):
    """The figures of one store."""

    store: str
    is_preloaded: bool
    poll: float
    small: Propagation
    replaced: Propagation | None
    changed: Propagation | None


class Sizes(NamedTuple):
    """How often and how much is published."""

    rounds: int
    large_rounds: int
    replaced: int
    """Origins of a set that is replaced as a whole."""
    changed_among: int
    """Origins of a set of which CHANGED change."""


LONG = Sizes(rounds=50, large_rounds=7, replaced=10_000, changed_among=100_000)
SHORT = Sizes(rounds=5, large_rounds=1, replaced=10_000, changed_among=0)


def measure_store(
    name: str, sizes: Sizes, folder: Path, *, is_preloaded: bool, track: Callable[[str], object]
) -> StoreFigures:
    """Start 8 workers that follow an empty store of a name, and measure."""
    poll = SQLITE_POLL if name == SQLITE else 5.0
    folder.mkdir(parents=True)
    with open_store(name, folder) as store:
        store.publish(build_small(0))
        settings = FleetSettings(store.url, str(folder / "last_good"), poll=poll)
        servers = [GUNICORN_PRELOAD if is_preloaded else GUNICORN, UVICORN]
        with serve_fleet(servers, WORKERS_OF_A_SERVER, settings, folder / "log") as connections:
            small = _measure(connections, _publish_small(store, sizes, track))
            replaced = changed = None
            if name != SQLITE and sizes.replaced:
                replaced = _measure(connections, _replace(store, sizes, track))
            if name != SQLITE and sizes.changed_among:
                origins = list_partners(sizes.changed_among, "kept-")
                track(f"{name}: {sizes.changed_among:,} origins")
                text = build_large(origins)
                _measure(connections, [(origins[-1], lambda: store.publish(text))])
                changed = _measure(connections, _change(store, sizes, origins, track))
    return StoreFigures(name, is_preloaded, poll, small, replaced, changed)


Step = tuple[str, Callable[[], None]]
"""The origin that only the new policy allows, and what publishes it."""


def _publish_small(
    store: MeasuredStore, sizes: Sizes, track: Callable[[str], object]
) -> Iterator[Step]:
    for number in range(1, sizes.rounds + 1):
        track(f"{store.name}: a small policy")
        text = build_small(number)
        yield name_origin(number), partial(store.publish, text)


def _replace(store: MeasuredStore, sizes: Sizes, track: Callable[[str], object]) -> Iterator[Step]:
    for number in range(sizes.large_rounds):
        track(f"{store.name}: {sizes.replaced:,} origins replaced")
        origins = list_partners(sizes.replaced, f"replaced-{number}-")
        text = build_large(origins)
        yield origins[-1], partial(store.publish, text)


def _change(
    store: MeasuredStore, sizes: Sizes, origins: Sequence[str], track: Callable[[str], object]
) -> Iterator[Step]:
    for number in range(sizes.large_rounds):
        track(f"{store.name}: {CHANGED} changed among {sizes.changed_among:,}")
        add = list_partners(CHANGED // 2, f"added-{number}-")
        remove = origins[number * CHANGED // 2 :][: CHANGED // 2]
        yield add[-1], store.prepare_change(PARTNERS, SetChange(tuple(add), tuple(remove)))


def _measure(connections: Sequence[WorkerConnection], steps: Iterable[Step]) -> Propagation:
    """Publish one after another, while requests run, and judge by the responses alone."""
    result = Propagation([], [], [])
    for origin, publish in steps:
        with _probe(connections, origin) as probe:
            begin = monotonic()
            publish()
            _wait_until_fresh(probe)
        sightings = [each for each in probe.take() if each.received >= begin]
        end = max((each.received for each in sightings if is_stale(each)), default=begin)
        result.stale.append(end - begin)
        result.requests.extend(each.received - each.sent for each in sightings if each.sent <= end)
        result.faults.extend(probe.faults)
    return result


@contextmanager
def _probe(connections: Sequence[WorkerConnection], origin: str) -> Iterator[FleetProbe]:
    """Send requests of an origin that no policy allows yet; go on a little after the change."""
    with FleetProbe(connections, [origin], _PAUSE).running() as probe:
        pause = Event()
        pause.wait(0.2)
        yield probe
        pause.wait(0.2)


def _wait_until_fresh(probe: FleetProbe) -> None:
    """Wait until the newest response of every worker is by the new policy."""
    deadline = monotonic() + _PATIENCE
    pause = Event()
    while not all(allows(response.headers) for response in [*probe.latest.values()]):
        if monotonic() > deadline or probe.faults:
            raise RuntimeError(f"the workers don't follow any more: {probe.faults}")
        pause.wait(0.01)


def allows(headers: Mapping[str, str]) -> bool:
    return "access-control-allow-origin" in headers


def is_stale(sighting: Sighting) -> bool:
    return not allows(sighting.response.headers)


def find_quantile(samples: Sequence[float], share: float) -> float:
    """Return the value that a share of the samples does not exceed."""
    if len(samples) == 1:
        return samples[0]
    return quantiles(samples, n=100, method="inclusive")[round(share * 100) - 1]
