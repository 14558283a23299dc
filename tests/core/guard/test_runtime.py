"""A guard that several threads reconfigure while others ask it: no answer mixes two policies.

Each thread does what hypothesis has it do, one thing after another, and notes when it began and
when it was done, on a clock that only counts. A policy may be the one in force during a call where
it was being put there before the call was over, and where no other was both begun after it was in
and in before the call began.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from support.guards import decide

from corsguard import Decision, Engine, Guard, Policy, PolicyError
from corsguard.guard.runtime import GuardRuntime
from corsguard.guard.view_policies import View

APP, EVIL = "https://app.example", "https://evil.example"


def policy(number: int) -> Policy:
    """Its number shows in every answer: in the fields, or in who gets any."""
    return Policy(
        allow_origins=[APP, f"https://p{number}.example"],
        allow_methods=["PUT", f"M{number}"],
        allow_headers=[f"X-{number}"],
        expose_headers=[f"X-Exposed-{number}"],
        max_age=number,
    )


POLICIES = [policy(number) for number in range(6)]
REFUSED = {"/": POLICIES[0], "no prefix": POLICIES[1]}
VIEW = policy(6)
PREFLIGHT = {"Access-Control-Request-Method": "M3", "Access-Control-Request-Headers": "x-3"}

Request = tuple[str, str]
REQUESTS = [
    (origin, method)
    for origin in (APP, EVIL, *(f"https://p{number}.example" for number in range(6)))
    for method in ("GET", "OPTIONS")
]
EXPECTED = {
    (number, request): Engine(each).decide(*request, PREFLIGHT)
    for number, each in enumerate([*POLICIES, VIEW])
    for request in REQUESTS
}


class Span(NamedTuple):
    """When something began and when it was done."""

    start: int
    end: int


class Clock:
    """Counts: what ended before another thing began has the smaller number."""

    def __init__(self) -> None:
        self._ticks = count()
        self._lock = Lock()

    def tick(self) -> int:
        with self._lock:
            return next(self._ticks)


class Worker(Thread):
    """Does what it is given, one thing after another, until it is given None."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.tasks: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while (task := self.tasks.get()) is not None:
                task()
        except Exception as error:
            self.error = error


class Reconfigured(RuleBasedStateMachine):
    """One guard, threads that replace its policies, and threads that ask it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.guard = Guard({"/": POLICIES[0]})
        self.guard.adapter.add_views([("view", VIEW)])
        self.put: list[tuple[int, Span]] = [(0, Span(self.clock.tick(), self.clock.tick()))]
        self.asked: list[tuple[Request, Span, Decision]] = []
        self.asked_of_view: list[tuple[Request, Decision]] = []
        self.writers = [Worker() for _ in range(2)]
        self.readers = [Worker() for _ in range(3)]
        for worker in self.workers:
            worker.start()

    @property
    def workers(self) -> list[Worker]:
        return [*self.writers, *self.readers]

    @rule(by=st.integers(0, 1), numbers=st.lists(st.integers(0, 5), min_size=1, max_size=8))
    def reconfigure(self, by: int, numbers: list[int]) -> None:
        for number in numbers:
            self.writers[by].tasks.put(partial(self._put, number))

    @rule(by=st.integers(0, 1))
    def reconfigure_wrongly(self, by: int) -> None:
        self.writers[by].tasks.put(self._put_wrongly)

    @rule(by=st.integers(0, 1))
    def adopt(self, by: int) -> None:
        self.writers[by].tasks.put(partial(self.guard.adapter.add_views, [("view", policy(7))]))

    @rule(
        by=st.integers(0, 2),
        requests=st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=20),
    )
    def decide(self, by: int, requests: list[Request]) -> None:
        for request in requests:
            self.readers[by].tasks.put(partial(self._decide, request))
            self.readers[by].tasks.put(partial(self._decide_view, request))

    def teardown(self) -> None:
        for worker in self.workers:
            worker.tasks.put(None)
        for worker in self.workers:
            worker.join()
            if worker.error:
                raise worker.error
        for request, span, decision in self.asked:
            held = {number for number, put in self.put if self._may_hold(put, span)}
            assert decision in [EXPECTED[number, request] for number in held]
        for request, decision in self.asked_of_view:
            assert decision == EXPECTED[len(POLICIES), request]

    def _put(self, number: int) -> None:
        start = self.clock.tick()
        self.guard.reconfigure({"/": POLICIES[number]})
        self.put.append((number, Span(start, self.clock.tick())))

    def _put_wrongly(self) -> None:
        with pytest.raises(PolicyError):
            self.guard.reconfigure(REFUSED)

    def _decide(self, request: Request) -> None:
        start = self.clock.tick()
        decision = self.guard.decide("/items", *request, PREFLIGHT)
        self.asked.append((request, Span(start, self.clock.tick()), decision))

    def _decide_view(self, request: Request) -> None:
        view = View("own", VIEW)
        decision = decide(self.guard, "/items", *request, PREFLIGHT, view=view)
        self.asked_of_view.append((request, decision))

    def _may_hold(self, put: Span, call: Span) -> bool:
        """Whether what was put may have been in force at some moment of a call."""
        replaced = any(put.end < other.start and other.end < call.start for _, other in self.put)
        return put.start < call.end and not replaced


@pytest.mark.slow
def test_decisions_during_reconfigure_follow_one_policy() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns wherever they can
    try:
        run_state_machine_as_test(Reconfigured, settings=settings(max_examples=50))
    finally:
        sys.setswitchinterval(interval)


def test_wake_up_may_end_while_a_request_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(Policy(allow_origins=[APP]))
    looks = iter([bool])  # as if another thread removed it between two looks
    monkeypatch.setattr(GuardRuntime, "_wake", property(lambda _: next(looks, None)), raising=False)

    assert guard.decide("/", APP, "GET", {}).allowed
