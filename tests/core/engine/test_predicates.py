"""Regular expressions and callables of a policy: results, errors, timeouts, plain http."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from threading import Event

import pytest
from support.engine_requests import EVIL, A, decide_actual, find_header
from support.guards import decide_async as decide_async_with

from corsguard import Decision, Engine, Guard, OriginEntry, Policy, Reason

HTTP = "http://app.a.example"
LOOPBACK = ["http://localhost:3000", "http://x.localhost", "http://127.0.0.1:80808"[:-1]]


@pytest.mark.filterwarnings("ignore:.*never-matches:corsguard.PolicyWarning")
@pytest.mark.parametrize("entry", [re.compile(r"http://[a-z0-9.:]+\.a\.example"), lambda _: True])
def test_regex_and_callable_do_not_allow_plain_http(entry: OriginEntry) -> None:
    assert decide_actual(Policy(allow_origins=[entry]), HTTP).allowed
    with_credentials = Policy(allow_origins=[entry], allow_credentials=True)
    assert decide_actual(with_credentials, HTTP).reason is Reason.ORIGIN_NOT_ALLOWED
    assert not Engine(Policy(allow_origins=[entry]), enforced=True).decide(HTTP, "GET", {}).allowed
    flagged = Policy(
        allow_origins=[entry], allow_credentials=True, dangerously_allow_insecure_origins=True
    )
    assert decide_actual(flagged, HTTP).allowed


@pytest.mark.parametrize("origin", LOOPBACK)
def test_callable_may_allow_plain_http_of_loopback(origin: str) -> None:
    policy = Policy(allow_origins=[lambda _: True], allow_credentials=True)
    assert decide_actual(policy, origin).allowed


class Predicate:
    """A callable that gives the answers it is made with, one after the other."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def __call__(self, origin: str) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]  # what a user's code may do


def test_callable_result_is_never_cached() -> None:
    engine = Engine(Policy(allow_origins=[Predicate(True, False, True)]))
    assert [engine.decide(EVIL, "GET", {}).allowed for _ in range(3)] == [True, False, True]


def test_callable_is_not_called_for_a_listed_origin() -> None:
    engine = Engine(Policy(allow_origins=[Predicate(), A]))
    assert engine.decide(A, "GET", {}).allowed


@pytest.mark.parametrize("answer", [1, "yes", None, ValueError("down")])
def test_callable_that_raises_or_returns_no_bool_refuses(
    answer: object,
) -> None:
    decision = decide_actual(Policy(allow_origins=[Predicate(answer)]), A)
    assert decision.reason is Reason.ORIGIN_NOT_ALLOWED
    [(name, error)] = decision.faults
    assert "Predicate" in name
    assert isinstance(error, ValueError if isinstance(answer, ValueError) else TypeError)


def test_callable_after_a_failed_one_is_called() -> None:
    policy = Policy(allow_origins=[Predicate(ValueError("down")), Predicate(True)])
    decision = decide_actual(policy, A)
    assert decision.allowed
    assert len(decision.faults) == 1


async def says_yes(origin: str) -> bool:
    await asyncio.sleep(0)
    return origin == A


async def never_answers(origin: str) -> bool:
    await asyncio.Event().wait()
    return True


def decide_async(policy: Policy, origin: str | None) -> Decision:
    return asyncio.run(Engine(policy).decide_async(origin, "GET", {}))


def test_decide_async_awaits_an_async_callable() -> None:
    policy = Policy(allow_origins=[lambda _: False, says_yes])
    assert find_header(decide_async(policy, A), "Allow-Origin") == A
    assert decide_async(policy, EVIL).reason is Reason.ORIGIN_NOT_ALLOWED
    assert decide_async(policy, None).reason is Reason.NOT_CORS


def test_async_callable_past_its_timeout_refuses() -> None:
    policy = Policy(allow_origins=[never_answers], predicate_timeout=0.01)
    decision = decide_async(policy, A)
    assert decision.reason is Reason.ORIGIN_NOT_ALLOWED
    assert [type(error) for _, error in decision.faults] == [TimeoutError]


def test_sync_callable_has_no_timeout() -> None:
    async def in_thread(ask: Callable[[], object], _seconds: float) -> object:
        return await asyncio.to_thread(ask)

    def predicate(origin: str) -> bool:
        return not Event().wait(0.1)

    policy = Policy(allow_origins=[predicate], predicate_timeout=0.001)
    deciding = decide_async_with(Guard(policy), "/", A, "GET", {}, call=in_thread)
    assert asyncio.run(deciding).reason is Reason.ALLOWED


def test_async_callable_whose_task_is_cancelled_refuses() -> None:
    async def predicate(origin: str) -> bool:
        other = asyncio.create_task(never_answers(origin))
        other.cancel()
        return await other

    decision = decide_async(Policy(allow_origins=[predicate], predicate_timeout=600), A)
    assert decision.reason is Reason.ORIGIN_NOT_ALLOWED
    assert [str(error) for _, error in decision.faults] == ["what it waited for was cancelled"]


def test_cancelled_request_cancels_the_async_callable() -> None:
    cancelled: list[bool] = []

    async def predicate(origin: str) -> bool:
        entered.set()
        try:
            return await never_answers(origin)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def run() -> None:
        policy = Policy(allow_origins=[predicate], predicate_timeout=600)
        task = asyncio.create_task(Engine(policy).decide_async(A, "GET", {}))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    entered = asyncio.Event()
    asyncio.run(run())
    assert cancelled == [True]


def test_async_callable_under_decide_refuses() -> None:
    decision = decide_actual(Policy(allow_origins=[says_yes]), A)
    assert decision.reason is Reason.ORIGIN_NOT_ALLOWED
    assert "coroutine" in str(decision.faults[0][1])
