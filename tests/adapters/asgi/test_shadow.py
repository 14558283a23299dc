"""The shadow mode of the ASGI middleware changes nothing, and says what would differ."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware as StarletteCORS
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from support.shadow import call_asgi as call
from support.shadow import list_rows, read_lines

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware
from corsguard_asgi.shadow import ShadowMiddleware

APP, EVIL = "https://app.example", "https://evil.example"
POLICY = Policy(allow_origins=[APP])
NOTHING = {"/": None}
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "x-one"}


async def _stream(_: Any) -> StreamingResponse:
    async def chunks() -> Any:
        yield b"one"
        yield b"two"

    return StreamingResponse(chunks(), 299)


async def _fail(_: Any) -> None:
    raise ValueError("of the application")


async def _chat(socket: Any) -> None:
    await socket.accept()
    await socket.close()


ROUTES = [Route("/api", _stream, methods=["GET", "POST"]), Route("/fail", _fail)]
OLD = Starlette(
    routes=[*ROUTES, WebSocketRoute("/chat", _chat)],
    middleware=[Middleware(StarletteCORS, allow_origin_regex=".*", allow_credentials=True)],
)


@pytest.mark.parametrize("policy", [POLICY, NOTHING, Guard(POLICY, enforce=True)])
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/api", "http"),
        ("POST", "/api", "http"),
        ("OPTIONS", "/api", "http"),
        ("GET", "/fail", "http"),
        ("GET", "/chat", "websocket"),
    ],
)
@pytest.mark.parametrize(
    "fields",
    [{}, {"origin": APP}, {"origin": EVIL, "cookie": "a=b"}, {"origin": EVIL, **PREFLIGHT}],
)
def test_everything_passes_as_it_is(
    policy: Any, method: str, path: str, kind: str, fields: dict[str, str]
) -> None:
    shadow = CORSMiddleware(OLD, policy, shadow=True)

    assert call(shadow, method, path, kind, **fields) == call(OLD, method, path, kind, **fields)


def test_differences_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    shadow = CORSMiddleware(OLD, {"/api": POLICY}, shadow=True)

    call(shadow, origin=EVIL, cookie="a=b")
    call(shadow, path="/other", origin=APP)
    call(shadow, "OPTIONS", origin=EVIL, access_control_request_method="GET")

    assert list_rows(caplog) == [
        ("served-with-cookies", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", APP, None, "NO_POLICY", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
    ]


def test_own_error_page_without_headers_is_not_compared(caplog: pytest.LogCaptureFixture) -> None:
    call(CORSMiddleware(OLD, POLICY, shadow=True), path="/fail", origin=APP)

    assert list_rows(caplog) == []


def test_header_fields_that_can_be_read_once_pass(caplog: pytest.LogCaptureFixture) -> None:
    async def old(_: Any, __: Any, send: Any) -> None:
        fields = ((name, b"*") for name in (b"access-control-allow-origin",))
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body"})

    sent, _, _ = call(CORSMiddleware(old, NOTHING, shadow=True), origin=APP)

    assert [*sent[0]["headers"]] == [(b"access-control-allow-origin", b"*")]
    assert [row[0] for row in list_rows(caplog)] == ["would-refuse"]


def test_async_callables_are_awaited(caplog: pytest.LogCaptureFixture) -> None:
    async def allow(origin: str) -> bool:
        await asyncio.sleep(0)
        return origin == APP

    policy = Policy(allow_origins=[allow], allow_credentials=True, allow_headers=["x-one"])
    shadow = CORSMiddleware(OLD, policy, shadow=True)

    for _ in range(2):
        call(shadow, origin=APP, cookie="a=b")

    assert {line.verdict for line in read_lines(caplog)} == {"served-with-cookies"}


def test_cached_exchange_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    shadow = CORSMiddleware(OLD, NOTHING, shadow=True)

    for _ in range(10):
        call(shadow, origin=APP)

    assert [row[-1] for row in list_rows(caplog)] == [1, 10]


def test_error_of_the_comparison_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def old(scope: Any, _: Any, send: Any) -> None:
        assert scope["headers"] is None
        await send({"type": "http.response.start", "status": 200})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    shadow: Any = CORSMiddleware(old, POLICY, shadow=True)
    asyncio.run(shadow({"type": "http", "method": "GET", "path": "/", "headers": None}, None, send))

    assert sent == [{"type": "http.response.start", "status": 200}]
    assert "the shadow mode failed: TypeError" in caplog.text


def test_lifespan_and_unknown_scopes_pass() -> None:
    seen: list[Any] = []

    async def old(*given: Any) -> None:
        seen.append(given)

    shadow: Any = CORSMiddleware(old, {"/api": POLICY}, shadow=True)
    for kind in ("lifespan", "other"):
        asyncio.run(shadow({"type": kind}, 1, 2))

    assert seen == [({"type": "lifespan"}, 1, 2), ({"type": "other"}, 1, 2)]


def test_shadow_as_middleware_of_starlette(caplog: pytest.LogCaptureFixture) -> None:
    listed = [
        Middleware(CORSMiddleware, policy=NOTHING, shadow=True),
        Middleware(StarletteCORS, allow_origins=[APP]),
    ]
    app = Starlette(routes=ROUTES, middleware=listed)
    plain = Starlette(routes=ROUTES, middleware=listed[1:])

    assert call(app, origin=APP) == call(plain, origin=APP)
    assert [row[0] for row in list_rows(caplog)] == ["would-refuse"]
    assert isinstance(app.build_middleware_stack().app, ShadowMiddleware)  # type: ignore[attr-defined]
