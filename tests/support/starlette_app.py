"""The Starlette application that the tests of Starlette are about, and the ways to set it up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from support.asgi_exchange import (
    APP,
    App,
)

from corsguard import Policy
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard

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


def guarded(app: Starlette) -> App:
    CORSGuard(app, POLICY)
    return app


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
