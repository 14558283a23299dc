"""The cost of 1,000,000 exact origins: memory, start, a change of one, and what others wait for."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from statistics import median, quantiles
from threading import Thread
from time import perf_counter, sleep
from typing import NamedTuple

from tools.benchmarks.workload import Origins, build_policy

from corsguard import Guard, Policy

MILLION = 1_000_000

_PAUSE = 0.001
_BUILDS = 3
_CHANGES = 20


class MillionCosts(NamedTuple):
    """Times in seconds, memory in bytes for each origin."""

    build: float
    memory: float
    """What corsguard takes over the strings themselves."""
    memory_with_strings: float
    add: float
    """Adding one origin: a new policy from the old one, validated, compiled and in force."""
    remove: float
    delay_alone: float
    """The longest time that a thread waits beyond its sleep, with nothing else to do."""
    delay: float
    """The 99th percentile of that while another thread builds the policy and its guard."""
    longest_delay: float
    longest_delay_by_replacement: float
    """The longest time while another thread replaces all policies, which frees the old ones."""
    longest_delay_by_change: float
    """The longest time while another thread adds and removes origins, one at a time."""


def measure() -> MillionCosts:
    """Measure each of these.

    The longest delay is the median of several builds: a call that does not release the interpreter
    delays other threads in each of them, what else runs on the machine only in some.
    """
    listed = Origins(MILLION).listed
    memory = _measure_memory(listed)
    delays = [[*_tick(_build_into([], listed))] for _ in range(_BUILDS)]
    policy = build_policy(listed)
    guard = Guard(policy)
    add, remove = _measure_changes(guard, policy)
    changing = [*_tick(lambda: _measure_changes(guard, policy))]
    return MillionCosts(
        build=_measure_build(listed),
        memory=memory / MILLION,
        memory_with_strings=(memory + sum(map(sys.getsizeof, listed))) / MILLION,
        add=add,
        remove=remove,
        delay_alone=max(_tick(lambda: sleep(1))),
        delay=median(quantiles(late, n=100)[98] for late in delays),
        longest_delay=median(max(late) for late in delays),
        longest_delay_by_replacement=median(
            max(_tick(lambda: guard.reconfigure(build_policy(listed)))) for _ in range(_BUILDS)
        ),
        longest_delay_by_change=max(changing),
    )


def _measure_memory(listed: list[str]) -> int:
    """Return the bytes of a guard over those of its origins."""
    gc.collect()
    tracemalloc.start()
    guard = Guard(build_policy(listed))
    gc.collect()
    made, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del guard
    return made


def _measure_build(listed: list[str]) -> float:
    times = []
    for _ in range(3):
        gc.collect()
        started = perf_counter()
        Guard(build_policy(listed))
        times.append(perf_counter() - started)
    return median(times)


def _measure_changes(guard: Guard, policy: Policy) -> tuple[float, float]:
    """Return how long it takes to add one origin, and to remove it again."""
    adding, removing = [], []
    for number in range(_CHANGES):
        origin = f"https://new{number}.example.com"
        started = perf_counter()
        policy = policy.with_origins(add=[origin])
        guard.reconfigure(policy)
        adding.append(perf_counter() - started)
        started = perf_counter()
        policy = policy.with_origins(remove=[origin])
        guard.reconfigure(policy)
        removing.append(perf_counter() - started)
    return median(adding), median(removing)


def _build_into(guards: list[Guard], listed: list[str]) -> Callable[[], None]:
    """Return a function that builds a guard and keeps it, so that freeing it is not timed."""
    return lambda: guards.append(Guard(build_policy(listed)))


def _tick(work: Callable[[], object]) -> Iterator[float]:
    """Yield how late a thread wakes up that sleeps for a millisecond, while another one works."""
    beside = Thread(target=work)
    beside.start()
    while beside.is_alive():
        due = perf_counter() + _PAUSE
        sleep(_PAUSE)
        yield perf_counter() - due
    beside.join()
