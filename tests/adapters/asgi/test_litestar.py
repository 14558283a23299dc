"""Litestar, with the middleware around the application, and in its list of middleware."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.middleware import DefineMiddleware
from support.asgi_exchange import APP, EVIL, App, Exchange, ask, scope_of
from support.asgi_exchange import get as ask_for

from corsguard import Policy
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}


class BrokenError(Exception):
    pass


@get("/hello", media_type=MediaType.TEXT, sync_to_thread=False)
def hello() -> str:
    return "hello"


@post("/only-post", sync_to_thread=False)
def only_post() -> None:
    return None


@get("/crash", sync_to_thread=False)
def crash() -> None:
    raise BrokenError


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    return Response("custom", status_code=500, media_type=MediaType.TEXT)


HANDLERS = [hello, only_post, crash]


def around(app: Litestar) -> App:
    return CORSMiddleware(app, POLICY)


@pytest.mark.parametrize(
    ("path", "status"), [("/hello", 200), ("/nothing", 404), ("/only-post", 405), ("/crash", 500)]
)
def test_response_made_by_litestar_has_cors_headers(path: str, status: int) -> None:
    app = around(Litestar(HANDLERS))
    answer = ask_for(app, path)
    assert (answer.status, answer.cors, answer.error) == (status, ALLOWED, None)
    assert ask_for(app, path, EVIL).cors == {"vary": "Origin"}


def test_preflight_is_answered() -> None:
    asked = [("Origin", APP), ("Access-Control-Request-Method", "GET")]
    assert ask(around(Litestar(HANDLERS)), scope_of("OPTIONS", "/hello", asked)).status == 204


def test_custom_500_handler_has_cors_headers() -> None:
    app = around(Litestar(HANDLERS, exception_handlers={500: answer_error}))
    answer = ask_for(app, "/crash")
    assert (answer.status, answer.body, answer.cors) == (500, b"custom", ALLOWED)


def test_middleware_in_the_list_covers_routes_and_errors() -> None:
    cors = DefineMiddleware(CORSMiddleware, policy=POLICY)
    app: App = Litestar(HANDLERS, middleware=[cors], exception_handlers={500: answer_error})
    covered: list[Exchange] = [ask_for(app, path) for path in ("/hello", "/crash")]
    assert [(answer.status, answer.cors) for answer in covered] == [(200, ALLOWED), (500, ALLOWED)]
    assert covered[1].body == b"custom"
    missing = ask_for(app, "/nothing")
    assert (missing.status, missing.cors) == (404, {})
