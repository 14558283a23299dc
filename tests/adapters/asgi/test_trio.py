"""Async callables of `allow_origins` where trio runs the application, and beside it."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import httpx
import pytest
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from support.asgi_exchange import APP, EVIL, REQUEST, Answering, Message, get, scope_of
from support.servers.threaded import Server, serving

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware

ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
REFUSED = {"vary": "Origin"}


class Tenants:
    """What a service asks its database, on trio."""

    async def know(self, origin: str) -> bool:
        await trio.lowlevel.checkpoint()
        return origin == APP

    async def __call__(self, origin: str) -> bool:
        return await self.know(origin)


def know_later(origin: str) -> Any:
    """Return a coroutine from a plain function."""
    return Tenants().know(origin)


async def never(origin: str) -> bool:
    await trio.sleep_forever()
    raise AssertionError


async def cors_of(app: Any, origin: str = APP, **others: Any) -> dict[str, str]:
    """The CORS fields of an answer of an application."""
    sent: list[Message] = []

    async def receive() -> Message:
        return REQUEST

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of(headers=[("Origin", origin)], **others), receive, send)
    fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return {name: value for name, value in fields.items() if name == "vary" or "access" in name}


@pytest.mark.parametrize("know", [Tenants().know, Tenants(), know_later])
def test_async_callable_is_awaited(know: Any) -> None:
    app = CORSMiddleware(Answering(), Policy(allow_origins=[know]))
    assert trio.run(cors_of, app, APP) == ALLOWED
    assert trio.run(cors_of, app, EVIL) == REFUSED


def test_callable_that_times_out_refuses(caplog: pytest.LogCaptureFixture) -> None:
    policy = Policy(allow_origins=[never], predicate_timeout=0.01)
    assert trio.run(cors_of, CORSMiddleware(Answering(), policy)) == REFUSED
    assert "never of allow_origins failed, which counts as False: TimeoutError" in caplog.text


def test_callable_that_raises_refuses(caplog: pytest.LogCaptureFixture) -> None:
    async def unreachable(origin: str) -> bool:
        raise ConnectionError

    app = CORSMiddleware(Answering(), Policy(allow_origins=[unreachable]))
    assert trio.run(cors_of, app) == REFUSED
    assert "unreachable of allow_origins failed" in caplog.text


def test_callable_that_needs_asyncio_refuses(caplog: pytest.LogCaptureFixture) -> None:
    async def asks_asyncio(origin: str) -> bool:
        await asyncio.sleep(1)
        raise AssertionError

    app = CORSMiddleware(Answering(), Policy(allow_origins=[asks_asyncio]))
    assert trio.run(cors_of, app) == REFUSED
    assert "asks_asyncio of allow_origins failed" in caplog.text


def test_cancelled_request_cancels_the_callable() -> None:
    reached: list[str] = []

    async def cancelled() -> bool:
        with trio.CancelScope() as request:

            async def slow(origin: str) -> bool:
                request.cancel()
                try:
                    return await never(origin)
                except trio.Cancelled:
                    reached.append("cancelled")
                    raise

            await cors_of(CORSMiddleware(Answering(), Policy(allow_origins=[slow])))
        return request.cancelled_caught

    assert trio.run(cancelled)
    assert reached == ["cancelled"]


def test_asyncio_works_with_trio_imported() -> None:
    async def know(origin: str) -> bool:
        await asyncio.sleep(0)
        return origin == APP

    app = CORSMiddleware(Answering(), Policy(allow_origins=[know]))
    assert get(app).cors == ALLOWED


def by_hypercorn_on_trio(app: Any, listening: socket.socket) -> Server:
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.tests")
    config.graceful_timeout = 1
    stopping = trio.Event()
    entered: list[trio.lowlevel.TrioToken] = []

    async def main() -> None:
        entered.append(trio.lowlevel.current_trio_token())
        await serve(app, config, shutdown_trigger=stopping.wait)

    def stop() -> None:
        entered[0].run_sync_soon(stopping.set)

    return lambda: trio.run(main), stop


def test_hypercorn_serves_starlette_on_trio() -> None:
    app = Starlette(routes=[Route("/", hello, methods=["GET", "POST"])])
    guard = Guard(Policy(allow_origins=[Tenants()]), enforce=True)
    app.add_middleware(CORSMiddleware, policy=guard)
    with serving(by_hypercorn_on_trio, app) as url, httpx.Client(base_url=url) as client:
        answers = [
            client.request(method, "/", headers={"Origin": origin})
            for method in ("GET", "POST")
            for origin in (APP, EVIL)
        ]
    assert [(answer.status_code, answer.text[:9]) for answer in answers] == [
        (200, "trio"),
        (200, "trio"),
        (200, "trio"),
        (403, "corsguard"),
    ]
    allowed = [answer.headers.get("Access-Control-Allow-Origin") for answer in answers]
    assert allowed == [APP, None, APP, None]


async def hello(request: Request) -> PlainTextResponse:
    trio.lowlevel.current_task()
    return PlainTextResponse("trio")
