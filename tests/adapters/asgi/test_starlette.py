"""Starlette: the middleware around the application, among its user middleware, and CORSGuard."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    PlainTextResponse,
    Response,
)
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from support.asgi_exchange import (
    APP,
    EVIL,
    App,
    ask,
    get,
    scope_of,
    websocket_scope,
)
from support.starlette_app import (
    ALLOWED,
    POLICY,
    BrokenError,
    Handler,
    SetUp,
    added,
    around,
    guarded,
    starlette,
)

from corsguard import Guard, PolicyError
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard

SET_UPS = pytest.mark.parametrize("set_up", [around, added, guarded])


@SET_UPS
@pytest.mark.parametrize(
    ("path", "status"), [("/hello/", 307), ("/gone", 410), ("/nothing", 404), ("/upload", 405)]
)
def test_error_made_by_starlette_has_cors_headers(set_up: SetUp, path: str, status: int) -> None:
    answer = get(set_up(starlette()), path)
    assert (answer.status, answer.cors) == (status, ALLOWED)


# The 500 of an unhandled exception


@SET_UPS
def test_500_has_cors_headers_from_the_first_request_on(set_up: SetUp) -> None:
    app = set_up(starlette())
    for _ in range(3):
        answer = get(app, "/crash")
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert answer.cors == ALLOWED
        assert isinstance(answer.error, BrokenError)


@SET_UPS
@pytest.mark.parametrize("key", [500, Exception])
@pytest.mark.parametrize("kind", ["answer", "answer_async", "__call__"])
def test_custom_handler_runs_once(set_up: SetUp, key: Any, kind: str) -> None:
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
def test_partial_handler_runs_once(set_up: SetUp) -> None:
    async def answer(status: int, request: Request, error: Exception) -> Response:
        return PlainTextResponse("partial", status)

    app = set_up(starlette(exception_handlers={500: functools.partial(answer, 503)}))
    crashed = get(app, "/crash")
    assert (crashed.status, crashed.body, crashed.cors) == (503, b"partial", ALLOWED)


@SET_UPS
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_debug_page_has_cors_headers(set_up: SetUp, accept: str) -> None:
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
def test_handler_reads_the_decision(set_up: SetUp) -> None:
    def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse(request.scope["corsguard.decision"].reason, 500)

    assert get(set_up(starlette(exception_handlers={500: answer})), "/crash").body == b"ALLOWED"


@SET_UPS
def test_handler_that_raises_is_not_run_again(set_up: SetUp) -> None:
    ran: list[Exception] = []

    def answer(request: Request, error: Exception) -> Response:
        ran.append(error)
        raise LookupError

    crashed = get(set_up(starlette(exception_handlers={500: answer})), "/crash")
    assert isinstance(crashed.error, LookupError)
    assert len(ran) == 1


@SET_UPS
def test_exception_after_the_start_does_not_change_the_response(set_up: SetUp) -> None:
    handler = Handler()
    answer = get(set_up(starlette(exception_handlers={500: handler.answer})), "/half")
    assert (answer.status, answer.body, answer.cors) == (200, b"begun", ALLOWED)
    assert isinstance(answer.error, BrokenError)
    assert len(handler.ran) == 1  # as without us: it may be where errors are counted


# What add_middleware does not cover


def test_body_limit_response_has_cors_headers_unless_added() -> None:
    too_much = [("Origin", APP), ("Content-Length", "100")]
    for set_up, cors in ((around, ALLOWED), (guarded, ALLOWED), (added, {})):
        app = set_up(starlette(max_body_size=10))
        answer = ask(app, scope_of("POST", "/upload", too_much))
        assert (answer.status, answer.cors) == (413, cors)


def test_bad_policy_is_raised_when_starlette_builds_middleware() -> None:
    app = starlette()
    app.add_middleware(CORSMiddleware, policy={"api": POLICY})
    assert isinstance(get(app).error, PolicyError)


# WebSockets


@SET_UPS
def test_websocket_is_accepted_or_refused(set_up: SetUp) -> None:
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    routed = Starlette(routes=[WebSocketRoute("/items", echo)])
    app: App = routed
    if set_up is added:
        routed.add_middleware(CORSMiddleware, policy=Guard(POLICY, enforce=True))
    elif set_up is guarded:
        CORSGuard(routed, Guard(POLICY, enforce=True))
    else:
        app = CORSMiddleware(routed, Guard(POLICY, enforce=True))
    passed = ask(app, websocket_scope([("Origin", APP)]))
    assert passed.sent[0]["type"] == "websocket.accept"
    refused = ask(app, websocket_scope([("Origin", EVIL)]))
    assert refused.sent == [{"type": "websocket.close", "code": 1008}]
