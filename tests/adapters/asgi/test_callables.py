"""Callables of `allow_origins` under ASGI, where async ones are awaited."""

from __future__ import annotations

import asyncio

import pytest
from support.asgi_exchange import APP, EVIL, Answering, ask, exchange, get, scope_of

from corsguard import Guard, Policy, Reason
from corsguard_asgi import CORSMiddleware

ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
REFUSED = {"vary": "Origin"}


class Tenants:
    """What a service asks its database."""

    def __init__(self, *origins: str) -> None:
        self.origins = set(origins)
        self.asked: list[str] = []

    async def know(self, origin: str) -> bool:
        await asyncio.sleep(0)
        self.asked.append(origin)
        return origin in self.origins


async def never(origin: str) -> bool:
    await asyncio.Event().wait()
    raise AssertionError


def test_async_callable_is_awaited_for_each_request() -> None:
    tenants = Tenants(APP)
    app = CORSMiddleware(Answering(), Policy(allow_origins=[tenants.know]))
    assert get(app).cors == ALLOWED
    assert get(app, origin=EVIL).cors == REFUSED
    tenants.origins.clear()
    assert get(app).cors == REFUSED
    assert tenants.asked == [APP, EVIL, APP]


def test_preflight_awaits_the_callable() -> None:
    app = CORSMiddleware(Answering(), Policy(allow_origins=[Tenants(APP).know]))
    asked = ("Access-Control-Request-Method", "GET")
    assert ask(app, scope_of("OPTIONS", headers=[("Origin", APP), asked])).status == 204
    assert ask(app, scope_of("OPTIONS", headers=[("Origin", EVIL), asked])).status == 403


def test_callable_that_times_out_refuses(caplog: pytest.LogCaptureFixture) -> None:
    policy = Policy(allow_origins=[never], predicate_timeout=0.01)
    answering = Answering()
    assert get(CORSMiddleware(answering, policy)).cors == REFUSED
    assert answering.decision.reason is Reason.ORIGIN_NOT_ALLOWED
    assert "never of allow_origins failed" in caplog.text


def test_callable_that_raises_refuses(caplog: pytest.LogCaptureFixture) -> None:
    async def unreachable(origin: str) -> bool:
        raise ConnectionError

    answer = get(CORSMiddleware(Answering(), Policy(allow_origins=[unreachable])))
    assert (answer.error, answer.cors) == (None, REFUSED)
    assert "unreachable of allow_origins failed" in caplog.text


def test_cancelled_request_cancels_the_callable() -> None:
    reached: list[str] = []

    async def cancelled() -> None:
        begun = asyncio.Event()

        async def slow(origin: str) -> bool:
            begun.set()
            try:
                return await never(origin)
            except asyncio.CancelledError:
                reached.append("cancelled")
                raise

        app = CORSMiddleware(Answering(), Policy(allow_origins=[slow]))
        request = asyncio.ensure_future(exchange(app, scope_of(headers=[("Origin", APP)])))
        await begun.wait()
        request.cancel()
        await request

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert reached == ["cancelled"]


def test_sync_callable_is_called() -> None:
    app = CORSMiddleware(Answering(), Policy(allow_origins=[lambda origin: origin == APP]))
    assert get(app).cors == ALLOWED
    assert get(app, origin=EVIL).cors == REFUSED


def test_guard_can_be_given_an_async_callable_while_in_use() -> None:
    guard = Guard(Policy(allow_origins=[EVIL]))
    app = CORSMiddleware(Answering(), guard)
    assert get(app).cors == REFUSED
    guard.reconfigure(Policy(allow_origins=[Tenants(APP).know]))
    assert get(app).cors == ALLOWED
