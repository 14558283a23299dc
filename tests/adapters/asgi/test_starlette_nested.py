"""Starlette, with other middleware around ours, and with applications within applications."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    PlainTextResponse,
    Response,
)
from starlette.routing import Mount, Route
from support.asgi_exchange import (
    APP,
    App,
    Message,
    ask,
    get,
    scope_of,
)
from support.starlette_app import (
    ALLOWED,
    POLICY,
    BrokenError,
    Handler,
    added,
    crash,
    hello,
    starlette,
)

from corsguard_asgi import CORSMiddleware

# Other middleware around ours


async def pass_on(request: Request, call_next: Any) -> Any:
    return await call_next(request)


class Copying:
    """What the ASGI specification asks of a middleware that changes the scope."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        await self.app({**scope, "copied": True}, receive, send)


class Translating(Copying):
    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except BrokenError as error:
            raise LookupError from error


@pytest.mark.parametrize(
    "outer",
    [
        Middleware(BaseHTTPMiddleware, dispatch=pass_on),
        Middleware(GZipMiddleware),
        Middleware(Copying),
        Middleware(Translating),
        Middleware(ServerErrorMiddleware),  # as OpenTelemetry's instrumentation has it
    ],
    ids=lambda outer: outer.cls.__name__,
)
def test_500_behind_other_middleware_has_cors_headers(outer: Middleware) -> None:
    handler = Handler()
    cors = Middleware(CORSMiddleware, policy=POLICY)
    app = starlette(middleware=[outer, cors], exception_handlers={500: handler.answer})
    for _ in range(2):
        crashed = get(app, "/crash")
        assert crashed.status == 500
        assert crashed.cors["access-control-allow-origin"] == APP
        assert isinstance(crashed.error, BrokenError | LookupError)
        assert get(app, "/hello").cors["access-control-allow-origin"] == APP
    assert len(handler.ran) == 2


def test_error_response_of_other_middleware_is_kept() -> None:
    async def rescue(request: Request, call_next: Any) -> Response:
        try:
            response: Response = await call_next(request)
        except BrokenError:
            return PlainTextResponse("rescued", 503)
        return response

    handler = Handler()
    app = added(starlette(exception_handlers={500: handler.answer}))
    assert isinstance(app, Starlette)
    app.add_middleware(BaseHTTPMiddleware, dispatch=rescue)
    answer = get(app, "/crash")
    assert (answer.status, answer.body, answer.error) == (503, b"rescued", None)
    assert handler.ran == []


def test_exception_of_outer_middleware_has_no_cors_headers() -> None:
    async def fail(request: Request, call_next: Any) -> Response:
        if "fail" in request.headers:
            raise BrokenError
        response: Response = await call_next(request)
        return response

    app = starlette()
    added(app)
    app.add_middleware(BaseHTTPMiddleware, dispatch=fail)
    assert get(app, "/crash").cors == ALLOWED
    failed = ask(app, scope_of("GET", "/hello", [("Origin", APP), ("Fail", "1")]))
    assert (failed.status, failed.cors) == (500, {})
    assert isinstance(failed.error, BrokenError)


def test_outer_middleware_reads_the_route_from_the_scope() -> None:
    seen: list[object] = []

    async def watch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        seen.append(request.scope["endpoint"])
        return response

    app = starlette()
    added(app)
    app.add_middleware(BaseHTTPMiddleware, dispatch=watch)
    get(app, "/hello")
    assert seen == [hello]


# Applications within applications


def test_mounted_application_has_the_policy_of_its_own_path() -> None:
    inner = starlette()
    inner.add_middleware(CORSMiddleware, policy={"/hello": POLICY})
    app = Starlette(routes=[Mount("/inner", inner), Route("/hello", hello)])
    assert get(app, "/inner/hello").cors == ALLOWED
    assert get(app, "/hello").cors == {}


def test_mounted_application_handles_its_own_errors() -> None:
    outer_handler, inner_handler = Handler(), Handler()
    inner = starlette(exception_handlers={500: inner_handler.answer})
    added(inner)
    app = Starlette(routes=[Mount("/inner", inner)], exception_handlers={500: outer_handler.answer})
    for number in range(1, 3):
        answer = get(app, "/inner/crash")
        assert answer.cors == {**ALLOWED, "vary": "Accept, Origin"}
        assert isinstance(answer.error, BrokenError)
        assert len(inner_handler.ran) == number


def test_middleware_covers_mounted_applications() -> None:
    app = Starlette(routes=[Mount("/inner", starlette())])
    added(app)
    assert get(app, "/inner/hello").cors == ALLOWED
    crashed = get(app, "/inner/crash")
    assert (crashed.status, crashed.cors) == (500, ALLOWED)


def test_wrapped_application_can_be_mounted() -> None:
    async def bare(scope: Message, receive: Any, send: Any) -> None:
        raise BrokenError

    handler = Handler()
    app = Starlette(
        routes=[
            Mount("/bare", CORSMiddleware(bare, POLICY)),
            Mount("/inner", CORSMiddleware(starlette(), {"/hello": POLICY})),
            Route("/crash", crash),
        ],
        exception_handlers={500: handler.answer},
    )
    assert get(app, "/inner/hello").cors == ALLOWED
    assert get(app, "/inner/moved").cors == {}
    for number in range(1, 3):
        answer = get(app, "/bare/x")
        assert answer.status == 500
        assert answer.cors == {**ALLOWED, "vary": "Accept, Origin"}
        assert isinstance(answer.error, BrokenError)
        assert len(handler.ran) == 2 * number - 1
        assert get(app, "/crash").cors == {"vary": "Accept"}
