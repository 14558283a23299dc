"""The cost of 100,000 origins at start and at run time."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from statistics import median, quantiles
from threading import Event, Thread
from time import perf_counter, sleep
from typing import NamedTuple

from tools.benchmarks.stacks.layers import Layer, wsgi
from tools.benchmarks.stacks.wsgi import plain
from tools.benchmarks.workload import Origins, PageRequest, build_policy

from corsguard import Guard
from corsguard_wsgi import CORSMiddleware

MANY = 100_000

_PAUSE = 0.001
_REQUESTS = 2_000
_TURNS = 20


class StartupCosts(NamedTuple):
    """Times in seconds, memory in bytes for each origin over the strings themselves."""

    build: float
    build_subdomains: float
    memory: float
    memory_asked: float
    """The same when every one of the origins has been asked from."""
    memory_subdomains: float
    swap: float
    """Putting the new policy in the place of the old one, once it is compiled."""
    waiting_alone: float
    """The 99th percentile of how late a request is answered, with nothing else to do."""
    waiting_beside_counting: float
    """The same while a thread counts: what the interpreter and the machine make of any work."""
    waiting: float
    """The same while a thread reconfigures the guard, over and over."""


def measure() -> StartupCosts:
    exact, subdomains = Origins(MANY), Origins(MANY, subdomains=True)
    memory, memory_asked = _measure_memory(exact)
    alone, counting, reconfiguring = _measure_waiting(exact)
    return StartupCosts(
        build=_measure_build(exact),
        build_subdomains=_measure_build(subdomains),
        memory=memory,
        memory_asked=memory_asked,
        memory_subdomains=_measure_memory(subdomains)[0],
        swap=_measure_swap(exact),
        waiting_alone=alone,
        waiting_beside_counting=counting,
        waiting=reconfiguring,
    )


def _measure_build(origins: Origins) -> float:
    listed = origins.listed
    Guard(Origins(1, origins.subdomains).policy)  # what is loaded once
    times = []
    for _ in range(3):
        gc.collect()
        started = perf_counter()
        Guard(build_policy(listed))
        times.append(perf_counter() - started)
    return median(times)


def _measure_memory(origins: Origins) -> tuple[float, float]:
    listed = origins.listed
    gc.collect()
    tracemalloc.start()
    guard = Guard(build_policy(listed))
    gc.collect()
    made, _ = tracemalloc.get_traced_memory()
    for origin in () if origins.subdomains else listed:
        guard.decide("/", origin, "GET", {})
    gc.collect()
    asked, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made / origins.size, asked / origins.size


def _measure_swap(origins: Origins) -> float:
    times = []
    guard = Guard(build_policy(origins.listed))
    for _ in range(5):
        state = guard.adapter.snapshot.replace_policies(build_policy(origins.listed))
        old = guard.adapter.snapshot  # a request that is under way keeps it for as long
        started = perf_counter()
        guard.adapter._replace(state)
        times.append(perf_counter() - started)
        del old
    return median(times)


def _measure_waiting(origins: Origins) -> list[float]:
    """Return how late requests are beside a thread that sleeps, counts and reconfigures.

    By turns, so that what else runs on the machine delays all three alike.
    """
    listed = origins.listed
    guard = Guard(build_policy(listed))
    layer = wsgi(CORSMiddleware(plain, guard))
    asked = PageRequest(origins.last)

    def reconfigure() -> None:
        guard.reconfigure(build_policy(listed))

    kinds = (lambda: sleep(_PAUSE), _count, reconfigure)
    late: list[list[float]] = [[] for _ in kinds]
    for _ in range(_TURNS):
        for work, samples in zip(kinds, late, strict=True):
            samples += _measure_delays(layer, asked, work)
    return [quantiles(samples, n=100)[98] for samples in late]


def _measure_delays(layer: Layer, asked: PageRequest, work: Callable[[], None]) -> list[float]:
    """Return how late requests are that come every millisecond."""
    enough = Event()

    def worker() -> None:
        while not enough.is_set():
            work()

    beside = Thread(target=worker)
    beside.start()
    late = []
    for _ in range(_REQUESTS // _TURNS):
        answer = layer.batch(asked, 1)
        due = perf_counter() + _PAUSE
        sleep(_PAUSE)
        answer()
        late.append(perf_counter() - due)
    enough.set()
    beside.join()
    return late


def _count() -> None:
    for _ in range(10_000):
        pass
