"""Quart, with the middleware around the application, and around its `asgi_app`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from quart import Quart, Response, websocket
from support.asgi_exchange import APP, EVIL, App, ask, get, scope_of, websocket_scope

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
SetUp = Callable[[Quart, Any], App]


class BrokenError(Exception):
    pass


def around(app: Quart, policy: Any = POLICY) -> App:
    return CORSMiddleware(app, policy)


def inside(app: Quart, policy: Any = POLICY) -> App:
    """As Quart's documentation has it, so that `app.run` and the test client go through it."""
    app.asgi_app = CORSMiddleware(app.asgi_app, policy)  # type: ignore[method-assign]
    return app


SET_UPS = pytest.mark.parametrize("set_up", [around, inside])


def quart() -> Quart:
    app = Quart(__name__)

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.get("/crash")
    async def crash() -> str:
        raise BrokenError

    @app.websocket("/items")
    async def items() -> None:
        await websocket.accept()

    return app


@SET_UPS
@pytest.mark.parametrize(("path", "status"), [("/hello", 200), ("/nothing", 404), ("/crash", 500)])
def test_response_made_by_quart_has_cors_headers(set_up: SetUp, path: str, status: int) -> None:
    app = set_up(quart(), POLICY)
    answer = get(app, path)
    assert (answer.status, answer.cors, answer.error) == (status, ALLOWED, None)
    assert get(app, path, EVIL).cors == {"vary": "Origin"}


@SET_UPS
def test_preflight_is_answered(set_up: SetUp) -> None:
    asked = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    assert ask(set_up(quart(), POLICY), scope_of("OPTIONS", "/hello", asked)).status == 204


@SET_UPS
def test_custom_handler_runs_once(set_up: SetUp) -> None:
    app = quart()
    ran: list[Exception] = []

    @app.errorhandler(Exception)
    async def answer(error: Exception) -> Response:
        ran.append(error)
        return Response("custom", 500)

    answered = get(set_up(app, POLICY), "/crash")
    assert (answered.status, answered.body, answered.cors) == (500, b"custom", ALLOWED)
    assert len(ran) == 1


@SET_UPS
def test_exception_that_quart_propagates_becomes_a_500(set_up: SetUp) -> None:
    app = quart()
    app.config["PROPAGATE_EXCEPTIONS"] = True
    answer = get(set_up(app, POLICY), "/crash")
    assert (answer.status, answer.cors) == (500, ALLOWED)
    assert "BrokenError" in repr(answer.error)  # newer versions of Quart raise it in a group


@SET_UPS
def test_websocket_is_accepted_or_refused(set_up: SetUp) -> None:
    app = set_up(quart(), Guard(POLICY, enforce=True))
    passed = ask(app, websocket_scope([("Origin", APP)]))
    assert passed.sent[0]["type"] == "websocket.accept"
    refused = ask(app, websocket_scope([("Origin", EVIL)]))
    assert refused.sent == [{"type": "websocket.close", "code": 1008}]
