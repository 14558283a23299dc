"""The ways to serve the application behind the ASGI adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from support.application import Fields, Reply, reply_to
from support.asgi_exchange import App, ask, raw, scope_of
from support.table import Answer

from corsguard import Decision, Guard
from corsguard_asgi import CORSMiddleware

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Run the described application, written for an ASGI server."""
    reply = reply_to(scope["method"], scope["path"])
    headers = raw(reply.headers)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for chunk in reply.chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})


async def view(request: Request) -> Response:
    reply = reply_to(request.method, request.scope["path"])
    response = StreamingResponse(_chunks(reply), reply.status)
    response.raw_headers = raw(reply.headers)
    return response


async def _chunks(reply: Reply) -> AsyncIterator[bytes]:
    for chunk in reply.chunks:
        yield chunk


def starlette() -> Starlette:
    return Starlette(routes=[Route("/{rest:path}", view, methods=_METHODS)])


def fastapi() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.api_route("/{rest:path}", methods=_METHODS, response_model=None)(view)
    return app


def bare(watch: Watch, guard: Guard) -> App:
    return CORSMiddleware(watch(application), guard)


def starlette_around(watch: Watch, guard: Guard) -> App:
    return CORSMiddleware(watch(starlette()), guard)


def fastapi_around(watch: Watch, guard: Guard) -> App:
    return CORSMiddleware(watch(fastapi()), guard)


def starlette_added(watch: Watch, guard: Guard) -> App:
    app = starlette()
    app.add_middleware(watch)
    app.add_middleware(CORSMiddleware, policy=guard)
    return app


def fastapi_added(watch: Watch, guard: Guard) -> App:
    app = fastapi()
    app.add_middleware(watch)
    app.add_middleware(CORSMiddleware, policy=guard)
    return app


Watch = Callable[[App], App]
Build = Callable[[Watch, Guard], App]


class ASGIStack(NamedTuple):
    name: str
    serve: Build
    has_router: bool = True
    catches: bool = True

    def build(self, guard: Guard) -> ASGIClient:
        return ASGIClient(self, guard)


class ASGIClient:
    def __init__(self, stack: ASGIStack, guard: Guard) -> None:
        self._has_router = stack.has_router
        self._scopes: list[Any] = []
        self._decisions: list[Decision] = []
        guard.subscribe(lambda decision, facts: self._decisions.append(decision))
        self._served = stack.serve(self._watched, guard)

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        if self._has_router:
            path = path or "/"  # as a server has it: no route of Starlette is empty
        answer = ask(self._served, scope_of(method, path, headers))
        called = bool(self._scopes)
        # What was answered without the application left its decision with the subscribers.
        decision = self._scopes[-1]["corsguard.decision"] if called else self._decisions[-1]
        return Answer(answer.status, answer.fields, answer.body, called, decision)

    def _watched(self, app: App) -> App:
        async def watched(scope: Any, receive: Any, send: Any) -> None:
            self._scopes.append(scope)
            await app(scope, receive, send)

        return watched


STACKS = [
    ASGIStack("asgi", bare, has_router=False),
    ASGIStack("starlette", starlette_around),
    ASGIStack("starlette-added", starlette_added),
    ASGIStack("fastapi", fastapi_around),
    ASGIStack("fastapi-added", fastapi_added),
]
