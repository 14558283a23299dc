"""OriginLookup on asyncio and on trio: one question for all, which no request can cancel."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from threading import Event, Thread, get_ident
from typing import Any

import pytest
import trio

from corsguard import Decision, Guard, OriginLookup, Policy
from corsguard.policy.lookup_state import StaleAnswerError

A = "https://a.example"
B = "https://b.example"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def build_guard(lookup: OriginLookup, timeout: float = 30) -> Guard:
    return Guard(Policy(allow_origins=[lookup], predicate_timeout=timeout))


async def decide(guard: Guard, origin: str = A) -> Decision:
    return await guard.decide_async("/", origin, "GET", {})


class Gate:
    """An async predicate of asyncio that waits for the test in each call."""

    def __init__(self, *, answer: Any = True) -> None:
        self.asked: list[str] = []
        self.entered = asyncio.Event()
        self.released = asyncio.Event()
        self.answer = answer

    async def __call__(self, origin: str) -> bool:
        self.asked.append(origin)
        self.entered.set()
        await self.released.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return bool(self.answer)


@pytest.mark.parametrize("answer", [True, False, ValueError("down")])
def test_tasks_share_one_question(answer: object) -> None:
    async def run() -> None:
        gate = Gate(answer=answer)
        lookup = OriginLookup(gate)
        guard = build_guard(lookup)
        tasks = [asyncio.create_task(decide(guard)) for _ in range(500)]
        await gate.entered.wait()
        gate.released.set()
        decisions = await asyncio.gather(*tasks)
        assert {decision.allowed for decision in decisions} == {answer is True}
        assert gate.asked == [A]
        assert lookup.stats.joined == 499

    asyncio.run(run())


def test_cancelled_request_does_not_cancel_the_question() -> None:
    async def run() -> None:
        gate = Gate()
        guard = build_guard(OriginLookup(gate))
        leader = asyncio.create_task(decide(guard))
        await gate.entered.wait()
        follower = asyncio.create_task(decide(guard))
        other = asyncio.create_task(decide(guard))
        await asyncio.sleep(0)
        for task in (leader, other):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        gate.released.set()
        assert (await follower).allowed
        assert gate.asked == [A]
        assert (await decide(guard)).allowed
        assert gate.asked == [A]

    asyncio.run(run())


def test_question_of_which_every_request_was_cancelled_is_remembered() -> None:
    async def run() -> None:
        gate = Gate()
        lookup = OriginLookup(gate)
        guard = build_guard(lookup)
        task = asyncio.create_task(decide(guard))
        await gate.entered.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.collect()
        gate.released.set()
        while lookup.stats.open:
            await asyncio.sleep(0)
        assert (await decide(guard)).allowed
        assert gate.asked == [A]

    asyncio.run(run())


def test_store_that_hangs_makes_one_request_wait() -> None:
    clock = Clock()
    asked: list[str] = []

    async def hangs(origin: str) -> bool:
        asked.append(origin)
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        lookup = OriginLookup(hangs, clock=clock)
        guard = build_guard(lookup, timeout=0.02)
        for period in range(3):
            first = await decide(guard, f"https://n{period}.example")
            assert [type(error) for _, error in first.faults] == [TimeoutError]
            for number in range(100):
                task = asyncio.create_task(decide(guard, f"https://m{number}.example"))
                await asyncio.sleep(0)
                assert task.done(), "it waits for the store"
                assert not task.result().allowed
            clock.now += 1
        assert len(asked) == 3
        assert lookup.stats.not_asked == 300

    asyncio.run(run())


def test_requests_do_not_wait_for_the_attempt_at_a_store_that_hangs() -> None:
    clock = Clock()

    async def run() -> None:
        gate = Gate()
        lookup = OriginLookup(gate, clock=clock)
        guard = build_guard(lookup, timeout=0.01)
        await decide(guard)
        while lookup.stats.open:
            await asyncio.sleep(0.001)
        clock.now += 1
        attempt = asyncio.create_task(build_guard(lookup).adapter.decide_async(request_of(A)))
        while lookup.stats.open < 1:
            await asyncio.sleep(0)
        assert not (await decide(guard)).allowed
        assert not (await decide(guard, B)).allowed
        gate.released.set()
        assert (await attempt).allowed
        assert (await decide(guard, B)).allowed

    asyncio.run(run())


def request_of(origin: str) -> Any:
    from corsguard import CORSRequest

    return CORSRequest("/", origin, "GET")


def test_old_answer_is_revalidated_in_a_task() -> None:
    clock = Clock()
    answers = [True, False]

    async def answer(origin: str) -> bool:
        await asyncio.sleep(0)
        return answers.pop(0)

    async def run() -> None:
        lookup = OriginLookup(answer, clock=clock)
        guard = build_guard(lookup)
        assert (await decide(guard)).allowed
        clock.now += 31
        assert (await decide(guard)).allowed
        assert (await decide(guard)).allowed  # while it is asked
        while lookup.stats.open:
            await asyncio.sleep(0)
        assert not (await decide(guard)).allowed

    asyncio.run(run())


def test_old_answer_counts_while_the_store_hangs() -> None:
    clock = Clock()
    gates: list[Gate] = []

    async def answer(origin: str) -> bool:
        return await gates[0](origin)

    async def run() -> None:
        gates.append(Gate())
        gates[0].released.set()
        guard = build_guard(OriginLookup(answer, clock=clock), timeout=0.01)
        assert (await decide(guard)).allowed
        gates[0].released.clear()
        clock.now += 61
        decision = await decide(guard)
        assert decision.allowed
        assert [type(error) for _, error in decision.faults] == [StaleAnswerError]
        clock.now += 300
        assert not (await decide(guard)).allowed

    asyncio.run(run())


def test_sync_predicate_runs_in_a_thread() -> None:
    threads: list[int] = []
    cleaned: list[int] = []

    def answer(origin: str) -> bool:
        threads.append(get_ident())
        return origin == A

    async def run() -> None:
        guard = build_guard(OriginLookup(answer))
        assert (await decide(guard)).allowed
        assert not (await decide(guard, B)).allowed
        assert len(threads) == 2
        assert get_ident() not in threads

    asyncio.run(run())
    assert cleaned == []


def test_sync_predicate_that_blocks_does_not_block_the_event_loop() -> None:
    released = Event()

    def blocks(origin: str) -> bool:
        return released.wait(30)

    async def run() -> None:
        lookup = OriginLookup(blocks)
        guard = build_guard(lookup, timeout=0.01)
        assert not (await decide(guard)).allowed
        assert not (await decide(guard, B)).allowed
        released.set()
        while lookup.stats.open:
            await asyncio.sleep(0.001)
        assert (await decide(guard)).allowed

    asyncio.run(run())


def test_event_loops_and_threads_share_one_question() -> None:
    entered, released = Event(), Event()
    asked: list[str] = []
    answers: list[bool] = []

    def blocks(origin: str) -> bool:
        asked.append(origin)
        entered.set()
        return released.wait(30)

    lookup = OriginLookup(blocks)
    guard = build_guard(lookup)

    async def ask_many() -> None:
        decisions = await asyncio.gather(*(decide(guard) for _ in range(20)))
        answers.extend(decision.allowed for decision in decisions)

    async def ask_on_trio() -> None:
        answers.append((await decide(guard)).allowed)

    def ask_in_thread() -> None:
        answers.append(guard.decide("/", A, "GET", {}).allowed)

    works: list[Callable[[], object]] = [
        lambda: asyncio.run(ask_many()),
        lambda: asyncio.run(ask_many()),
        lambda: trio.run(ask_on_trio),
        ask_in_thread,
        ask_in_thread,
    ]
    threads = [Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    while lookup.stats.joined < 42:
        Event().wait(0.001)
    released.set()
    for thread in threads:
        thread.join(30)
    assert answers == [True] * 43
    assert asked == [A]


def test_event_loop_that_ends_fails_its_question() -> None:
    async def never(origin: str) -> bool:
        await asyncio.Event().wait()
        raise AssertionError

    lookup = OriginLookup(never)

    async def run(*, begin: bool) -> None:
        task = asyncio.create_task(decide(build_guard(lookup)))
        await asyncio.sleep(0)
        if begin:
            await asyncio.sleep(0)
        task.cancel()

    for begin in (True, False):  # before the question's own task has begun, too
        asyncio.run(run(begin=begin))
        lookup.clear()
    assert (lookup.stats.open, lookup.stats.failures) == (0, 2)


def test_event_loop_that_has_ended_is_not_woken() -> None:
    released = Event()

    def blocks(origin: str) -> bool:
        return released.wait(30)

    lookup = OriginLookup(blocks)
    asyncio.run(decide(build_guard(lookup, timeout=0.01)))
    released.set()
    while lookup.stats.open:
        Event().wait(0.001)
    assert lookup.stats.allowed == 1


def test_plain_function_that_returns_an_awaitable_is_a_failure() -> None:
    async def answer() -> bool:
        raise AssertionError

    lookup = OriginLookup(lambda _: answer())
    decision = asyncio.run(decide(build_guard(lookup)))
    assert [str(error) for _, error in decision.faults] == [
        "a bool was expected, and it returned coroutine"
    ]


def test_async_answer_counts_where_nothing_can_await_it_if_it_is_remembered() -> None:
    async def answer(origin: str) -> bool:
        return origin == A

    guard = build_guard(OriginLookup(answer))
    [(_, error)] = guard.decide("/", A, "GET", {}).faults
    assert str(error) == "it is async, and nothing can await it here"
    assert asyncio.run(decide(guard)).allowed
    assert guard.decide("/", A, "GET", {}).allowed


def test_trio_tasks_share_one_question() -> None:
    asked: list[str] = []
    decisions: list[Decision] = []

    async def run() -> None:
        entered, released = trio.Event(), trio.Event()

        async def waits(origin: str) -> bool:
            asked.append(origin)
            entered.set()
            await released.wait()
            return origin == A

        guard = build_guard(OriginLookup(waits))

        async def request() -> None:
            decisions.append(await decide(guard))

        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as cancelled:
                async with trio.open_nursery() as first:
                    first.start_soon(request)
                    await entered.wait()
                    cancelled.cancel()
            for _ in range(100):
                nursery.start_soon(request)
            await trio.testing.wait_all_tasks_blocked()
            released.set()

    trio.run(run)
    assert asked == [A]
    assert [decision.allowed for decision in decisions] == [True] * 100


def test_trio_question_that_is_cut_off_is_a_failure() -> None:
    async def never(origin: str) -> bool:
        await trio.sleep_forever()
        raise AssertionError

    lookup = OriginLookup(never)

    async def run() -> None:
        with trio.move_on_after(0.01):
            await decide(build_guard(lookup))

    trio.run(run)
    assert (lookup.stats.open, lookup.stats.failures) == (0, 1)


def test_timeout_on_trio_refuses() -> None:
    async def never(origin: str) -> bool:
        await trio.sleep_forever()
        raise AssertionError

    guard = build_guard(OriginLookup(never), timeout=0.01)

    async def run() -> Decision:
        return await decide(guard)

    decision = trio.run(run)
    assert [type(error) for _, error in decision.faults] == [TimeoutError]


def test_waiter_awaits_an_async_predicate_in_a_thread() -> None:
    async def answer(origin: str) -> bool:
        await asyncio.sleep(0)
        return origin == A

    def wait(answer: Awaitable[object], seconds: float) -> object:
        async def awaited() -> object:
            return await answer

        return asyncio.run(awaited())

    adapter = build_guard(OriginLookup(answer)).adapter
    assert adapter.decide(request_of(A), wait=wait).allowed
    assert not adapter.decide(request_of(B), wait=wait).allowed
