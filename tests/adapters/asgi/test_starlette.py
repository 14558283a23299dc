"""Starlette, with the middleware around the application and among its user middleware."""

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
    starlette,
)

from corsguard import Guard, PolicyError
from corsguard_asgi import CORSMiddleware

SET_UPS = pytest.mark.parametrize("set_up", [around, added])


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
