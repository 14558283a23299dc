"""What 100,000 origins cost at the start and while the service runs, and a hostile preflight."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from statistics import median, quantiles
from threading import Event, Thread
from time import perf_counter, sleep
from typing import NamedTuple

from tools.benchmarks.asked import REQUESTS, Asked, Origins, policy_of
from tools.benchmarks.rounds import Cell, Rounds, Spread
from tools.benchmarks.stacks import Layer, wsgi
from tools.benchmarks.stacks_wsgi import plain

from corsguard import Guard
from corsguard_wsgi import CORSMiddleware

MANY = 100_000

_PAUSE = 0.001
_REQUESTS = 2_000
_TURNS = 20


class Starting(NamedTuple):
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
    commas: Spread
    """Microseconds that 1 MB of commas in its request headers add to a preflight."""


def measure() -> Starting:
    exact, subdomains = Origins(MANY), Origins(MANY, subdomains=True)
    memory, memory_asked = _memory(exact)
    alone, counting, reconfiguring = _waiting(exact)
    return Starting(
        build=_build(exact),
        build_subdomains=_build(subdomains),
        memory=memory,
        memory_asked=memory_asked,
        memory_subdomains=_memory(subdomains)[0],
        swap=_swap(exact),
        waiting_alone=alone,
        waiting_beside_counting=counting,
        waiting=reconfiguring,
        commas=_commas(),
    )


def _build(origins: Origins) -> float:
    listed = origins.listed
    Guard(Origins(1, origins.subdomains).policy)  # what is loaded once
    times = []
    for _ in range(3):
        gc.collect()
        started = perf_counter()
        Guard(policy_of(listed))
        times.append(perf_counter() - started)
    return median(times)


def _memory(origins: Origins) -> tuple[float, float]:
    listed = origins.listed
    gc.collect()
    tracemalloc.start()
    guard = Guard(policy_of(listed))
    gc.collect()
    made, _ = tracemalloc.get_traced_memory()
    for origin in () if origins.subdomains else listed:
        guard.decide("/", origin, "GET", {})
    gc.collect()
    asked, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made / origins.size, asked / origins.size


def _swap(origins: Origins) -> float:
    times = []
    guard = Guard(policy_of(origins.listed))
    for _ in range(5):
        state = guard.adapter.snapshot.replace_policies(policy_of(origins.listed))
        old = guard.adapter.snapshot  # a request that is under way keeps it for as long
        started = perf_counter()
        guard.adapter._replace(state)
        times.append(perf_counter() - started)
        del old
    return median(times)


def _waiting(origins: Origins) -> list[float]:
    """How late requests are, beside a thread that does nothing, counts and reconfigures.

    By turns, so that what else runs on the machine delays all three alike.
    """
    listed = origins.listed
    guard = Guard(policy_of(listed))
    layer = wsgi(CORSMiddleware(plain, guard))
    asked = Asked(origins.last)

    def reconfigure() -> None:
        guard.reconfigure(policy_of(listed))

    kinds = (lambda: sleep(_PAUSE), _count, reconfigure)
    late: list[list[float]] = [[] for _ in kinds]
    for _ in range(_TURNS):
        for work, samples in zip(kinds, late, strict=True):
            samples += _late(layer, asked, work)
    return [quantiles(samples, n=100)[98] for samples in late]


def _late(layer: Layer, asked: Asked, work: Callable[[], None]) -> list[float]:
    """How late requests are that come every millisecond, as those of a server that waits."""
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


class _Hostile(Asked):
    """A preflight that asks for as many header names as a server will read, all of them empty."""

    __slots__ = ()

    def fields(self) -> dict[str, str]:
        return {**super().fields(), "Access-Control-Request-Headers": "," * 1_000_000}


def _commas() -> Spread:
    layer = wsgi(CORSMiddleware(plain, Origins(10).policy))
    usual = REQUESTS["preflight"]
    hostile = _Hostile(usual.origin, usual.preflight)
    environs = hostile.environs(1)

    class Same(_Hostile):
        """What is timed is the answer: one megabyte is enough for all of its requests."""

        __slots__ = ()

        def environs(self, count: int) -> list[dict[str, object]]:
            return [dict(environs[0]) for _ in range(count)]

    cells: dict[str, Cell] = {
        "usual": layer.cell(usual),
        "hostile": layer.cell(Same(usual.origin, usual.preflight)),
    }
    rounds = Rounds(cells)
    rounds.run(range(50))
    return rounds.added("hostile", "usual")
