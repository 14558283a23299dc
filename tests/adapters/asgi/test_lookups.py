"""Look-ups and callables that see the request, under ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support.asgi_exchange import APP, EVIL, Answering, App, ask, exchange, get, scope_of

from corsguard import CORSRequest, Guard, OriginLookup, Policy
from corsguard_asgi import CORSMiddleware

ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
REFUSED = {"vary": "Origin"}


class Tenants:
    """What a service asks its database."""

    def __init__(self, *origins: str) -> None:
        self.origins = set(origins)
        self.asked: list[str] = []
        self.seen: list[CORSRequest] = []

    async def has(self, origin: str) -> bool:
        await asyncio.sleep(0)
        self.asked.append(origin)
        return origin in self.origins

    async def has_at(self, origin: str, request: CORSRequest) -> bool:
        self.seen.append(request)
        return origin == f"https://app.{request.host}" and request.path != "/closed"


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def wrap(app: App, entry: Any, **options: Any) -> CORSMiddleware:
    policy = Policy(allow_origins=[entry], predicate_timeout=60)  # a busy machine takes its time
    return CORSMiddleware(app, Guard(policy, **options))


def test_lookup_is_asked_once_for_many_requests() -> None:
    tenants = Tenants(APP)
    lookup = OriginLookup(tenants.has)
    app = wrap(Answering(), lookup)

    async def run() -> None:
        scope = scope_of(headers=[("Origin", APP)])
        answers = await asyncio.gather(*(exchange(app, {**scope}) for _ in range(500)))
        assert [answer.cors for answer in answers] == [ALLOWED] * 500

    asyncio.run(run())
    assert get(app).cors == ALLOWED
    assert tenants.asked == [APP]
    assert lookup.stats.hits == 0  # the cache has answered
    tenants.origins.clear()
    lookup.forget(APP)
    assert get(app).cors == REFUSED
    assert get(app, origin=EVIL).cors == REFUSED


def test_client_that_goes_away_does_not_stop_the_question() -> None:
    asked: list[str] = []

    async def run() -> None:
        entered, released = asyncio.Event(), asyncio.Event()

        async def waits(origin: str) -> bool:
            asked.append(origin)
            entered.set()
            await released.wait()
            return True

        app = wrap(Answering(), OriginLookup(waits))
        scope = scope_of(headers=[("Origin", APP)])
        gone = asyncio.create_task(exchange(app, scope))
        await entered.wait()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        waiting = asyncio.create_task(exchange(app, scope))
        await asyncio.sleep(0)
        released.set()
        assert (await waiting).cors == ALLOWED

    asyncio.run(run())
    assert asked == [APP]


@pytest.mark.parametrize("enforce", [False, True])
@pytest.mark.parametrize("is_lookup", [False, True])
def test_tenants_on_two_hosts_never_read_each_others_answers(
    is_lookup: bool, enforce: bool
) -> None:
    tenants = Tenants()
    entry: Any = OriginLookup(tenants.has_at) if is_lookup else tenants.has_at
    app = wrap(Answering(), entry, enforce=enforce)
    for _ in range(3):
        for host in ("one.example", "two.example"):
            for path in ("/items", "/closed"):
                for method in ("GET", "POST"):
                    headers = [("Host", host), ("Origin", "https://app.one.example")]
                    answer = ask(app, scope_of(method, path, headers))
                    is_allowed = (host, path) == ("one.example", "/items")
                    assert ("access-control-allow-origin" in answer.cors) is is_allowed
                    refused = enforce and method == "POST" and not is_allowed
                    assert answer.status == (403 if refused else 200)
    assert len(tenants.seen) == (4 if is_lookup else 24)


def test_preflight_and_its_request_look_the_same_to_a_callable() -> None:
    tenants = Tenants()
    app = wrap(Answering(), tenants.has_at)
    headers = [("Host", "one.example"), ("Origin", APP)]
    requested = [("Access-Control-Request-Method", "PUT")]
    ask(app, scope_of("OPTIONS", "/items", [*headers, *requested]))
    ask(app, scope_of("PUT", "/items", [*headers, ("Cookie", "session=1")]))
    expected = CORSRequest("/items", APP, "PUT", host="one.example")
    assert tenants.seen == [expected, expected]


def test_callable_gets_the_path_that_the_router_reads() -> None:
    tenants = Tenants()
    router = Starlette(routes=[Mount("/v1", routes=[Route("/items", hello)])])
    app = wrap(router, tenants.has_at)
    ask(app, scope_of("GET", "/api/v1/items", [("Origin", APP)], root_path="/api"))
    assert [request.path for request in tenants.seen] == ["/v1/items"]


def test_callable_gets_no_path_that_it_could_mistake(caplog: pytest.LogCaptureFixture) -> None:
    tenants = Tenants()
    app = wrap(Answering(), tenants.has_at)  # no router that is known
    ask(app, scope_of("GET", "/api/items", [("Origin", APP)], root_path="/api"))
    assert [request.path for request in tenants.seen] == ["//api/items"]
    assert "no route applies to /api/items" in caplog.text


def test_lifespan_says_that_paths_are_not_known(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="corsguard")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        return None

    asyncio.run(wrap(app, Tenants().has_at)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert "no route applies to a request with a root path" in caplog.text


def test_sync_lookup_runs_in_a_thread() -> None:
    app = wrap(Answering(), OriginLookup(lambda origin: origin == APP))
    assert get(app).cors == ALLOWED
    assert get(app, origin=EVIL).cors == REFUSED
