"""Starlette, with the middleware around the application and among its user middleware."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from adapters.asgi.exchange import (
    APP,
    EVIL,
    App,
    Message,
    ask,
    get,
    scope_of,
    websocket_scope,
)
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from corsguard import Guard, Policy, PolicyError
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}

SetUp = Callable[[Starlette], App]


class BrokenError(Exception):
    pass


def around(app: Starlette) -> App:
    return CORSMiddleware(app, POLICY)


def added(app: Starlette) -> App:
    app.add_middleware(CORSMiddleware, policy=POLICY)
    return app


SET_UPS = pytest.mark.parametrize("set_up", [around, added])


def crash(request: Request) -> Response:
    raise BrokenError


def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def starlette(**options: Any) -> Starlette:
    def gone(request: Request) -> Response:
        raise HTTPException(410)

    async def half(request: Request) -> Response:
        async def chunks() -> Any:
            yield "begun"
            raise BrokenError

        return StreamingResponse(chunks())

    routes = [
        Route("/crash", crash),
        Route("/gone", gone),
        Route("/half", half),
        Route("/moved", lambda request: RedirectResponse("/hello")),
        Route("/hello", hello),
        Route("/upload", read_all, methods=["POST"]),
    ]
    return Starlette(routes=routes, **options)


async def read_all(request: Request) -> Response:
    return PlainTextResponse(await request.body())


class Handler:
    """A custom handler, sync or async, that knows how often it ran, and where."""

    def __init__(self) -> None:
        self.ran: list[tuple[Exception, bool]] = []

    def answer(self, request: Request, error: Exception) -> Response:
        self.ran.append((error, threading.current_thread() is threading.main_thread()))
        return JSONResponse({"error": "custom"}, 500, {"X-Custom": "1", "Vary": "Accept"})

    async def answer_async(self, request: Request, error: Exception) -> Response:
        return self.answer(request, error)

    async def __call__(self, request: Request, error: Exception) -> Response:
        return self.answer(request, error)


@SET_UPS
@pytest.mark.parametrize(
    ("path", "status"), [("/hello", 200), ("/moved", 307), ("/gone", 410), ("/nothing", 404)]
)
def test_every_answer_carries_the_headers(set_up: SetUp, path: str, status: int) -> None:
    app = set_up(starlette())
    answer = get(app, path)
    assert (answer.status, answer.cors) == (status, ALLOWED)
    refused = get(app, path, EVIL)
    assert (refused.status, refused.cors) == (status, {"vary": "Origin"})


@SET_UPS
def test_preflights_are_answered(set_up: SetUp) -> None:
    asked = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    assert ask(set_up(starlette()), scope_of("OPTIONS", "/hello", asked)).status == 204


# The 500 of an unhandled exception


@SET_UPS
def test_a_500_carries_the_headers_from_the_first_request_on(set_up: SetUp) -> None:
    app = set_up(starlette())
    for _ in range(3):
        answer = get(app, "/crash")
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert answer.cors == ALLOWED
        assert isinstance(answer.error, BrokenError)
    refused = get(app, "/crash", EVIL)
    assert (refused.status, refused.cors) == (500, {"vary": "Origin"})
    assert get(app, "/crash", None).cors == {"vary": "Origin"}


@SET_UPS
@pytest.mark.parametrize("key", [500, Exception])
@pytest.mark.parametrize("kind", ["answer", "answer_async", "__call__"])
def test_a_custom_handler_runs_once(set_up: SetUp, key: Any, kind: str) -> None:
    handler = Handler()
    given = handler if kind == "__call__" else getattr(handler, kind)
    app = set_up(starlette(exception_handlers={key: given}))
    for number in range(1, 4):
        answer = get(app, "/crash")
        assert (answer.status, answer.body) == (500, b'{"error":"custom"}')
        assert answer.cors == {**ALLOWED, "vary": "Accept, Origin"}
        assert ("x-custom", "1") in answer.fields
        assert len(handler.ran) == number
        # Starlette runs sync handlers in a thread of their own, and so it stays.
        assert handler.ran[-1] == (answer.error, kind != "answer")
        assert isinstance(answer.error, BrokenError)


@SET_UPS
def test_a_partial_handler_runs_once(set_up: SetUp) -> None:
    async def answer(status: int, request: Request, error: Exception) -> Response:
        return PlainTextResponse("partial", status)

    app = set_up(starlette(exception_handlers={500: functools.partial(answer, 503)}))
    crashed = get(app, "/crash")
    assert (crashed.status, crashed.body, crashed.cors) == (503, b"partial", ALLOWED)


@SET_UPS
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_the_debug_page_carries_the_headers(set_up: SetUp, accept: str) -> None:
    handler = Handler()
    app = set_up(starlette(debug=True, exception_handlers={500: handler.answer}))
    for _ in range(2):
        answer = ask(app, scope_of("GET", "/crash", [("Origin", APP), ("Accept", accept)]))
        assert (answer.status, answer.cors) == (500, ALLOWED)
        assert b"BrokenError" in answer.body
        assert (b"<html>" in answer.body) is (accept == "text/html")
        assert isinstance(answer.error, BrokenError)
    assert handler.ran == []


@SET_UPS
def test_a_handler_may_read_the_decision(set_up: SetUp) -> None:
    def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse(request.scope["corsguard.decision"].reason, 500)

    assert get(set_up(starlette(exception_handlers={500: answer})), "/crash").body == b"ALLOWED"


@SET_UPS
def test_a_handler_that_raises_is_not_run_again(set_up: SetUp) -> None:
    ran: list[Exception] = []

    def answer(request: Request, error: Exception) -> Response:
        ran.append(error)
        raise LookupError

    crashed = get(set_up(starlette(exception_handlers={500: answer})), "/crash")
    assert isinstance(crashed.error, LookupError)
    assert len(ran) == 1


@SET_UPS
def test_an_error_after_the_answer_started_changes_nothing_of_it(set_up: SetUp) -> None:
    handler = Handler()
    answer = get(set_up(starlette(exception_handlers={500: handler.answer})), "/half")
    assert (answer.status, answer.body, answer.cors) == (200, b"begun", ALLOWED)
    assert isinstance(answer.error, BrokenError)
    assert len(handler.ran) == 1  # as without us: it may be where errors are counted


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
def test_middleware_between_does_not_matter(outer: Middleware) -> None:
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


def test_an_answer_that_other_middleware_makes_of_the_error_stands() -> None:
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


def test_an_error_of_middleware_outside_has_no_decision_to_carry() -> None:
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


def test_middleware_outside_still_reads_which_route_was_taken() -> None:
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


# What only wrapping covers


def test_the_body_limit_of_starlette_is_covered_by_wrapping_alone() -> None:
    too_much = [("Origin", APP), ("Content-Length", "100")]
    for set_up, cors in ((around, ALLOWED), (added, {})):
        app = set_up(starlette(max_body_size=10))
        answer = ask(app, scope_of("POST", "/upload", too_much))
        assert (answer.status, answer.cors) == (413, cors)


def test_a_mistake_in_what_is_added_shows_when_starlette_makes_its_middleware() -> None:
    app = starlette()
    app.add_middleware(CORSMiddleware, policy={"api": POLICY})
    assert isinstance(get(app).error, PolicyError)


# Applications within applications


def test_the_policy_of_a_mounted_application_is_that_of_its_own_paths() -> None:
    inner = starlette()
    inner.add_middleware(CORSMiddleware, policy={"/hello": POLICY})
    app = Starlette(routes=[Mount("/inner", inner), Route("/hello", hello)])
    assert get(app, "/inner/hello").cors == ALLOWED
    assert get(app, "/hello").cors == {}


def test_a_mounted_application_answers_its_own_errors() -> None:
    outer_handler, inner_handler = Handler(), Handler()
    inner = starlette(exception_handlers={500: inner_handler.answer})
    added(inner)
    app = Starlette(routes=[Mount("/inner", inner)], exception_handlers={500: outer_handler.answer})
    for number in range(1, 3):
        answer = get(app, "/inner/crash")
        assert answer.cors == {**ALLOWED, "vary": "Accept, Origin"}
        assert isinstance(answer.error, BrokenError)
        assert len(inner_handler.ran) == number


def test_the_middleware_of_an_application_covers_those_mounted_in_it() -> None:
    app = Starlette(routes=[Mount("/inner", starlette())])
    added(app)
    assert get(app, "/inner/hello").cors == ALLOWED
    crashed = get(app, "/inner/crash")
    assert (crashed.status, crashed.cors) == (500, ALLOWED)


def test_a_wrapped_application_may_be_mounted() -> None:
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


# WebSockets


@SET_UPS
def test_websockets_are_accepted_and_refused(set_up: SetUp) -> None:
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    routed = Starlette(routes=[WebSocketRoute("/items", echo)])
    app: App = routed
    if set_up is added:
        routed.add_middleware(CORSMiddleware, policy=Guard(POLICY, enforce=True))
    else:
        app = CORSMiddleware(routed, Guard(POLICY, enforce=True))
    passed = ask(app, websocket_scope([("Origin", APP)]))
    assert passed.sent[0]["type"] == "websocket.accept"
    refused = ask(app, websocket_scope([("Origin", EVIL)]))
    assert refused.sent == [{"type": "websocket.close", "code": 1008}]
