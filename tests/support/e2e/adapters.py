"""The application behind each adapter, on real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import support.django_project  # noqa: F401  # the settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings
from django.urls import re_path
from fastapi import FastAPI, Request, WebSocket
from flask import Flask, Response
from flask import request as flask_request
from starlette.responses import StreamingResponse
from support.asgi_exchange import App, raw
from support.e2e.site import Site
from support.e2e.sockets import by_asgi, by_wsgi
from support.stacks.wsgi import status_line

from corsguard import Guard
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_flask import CORSGuard
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Serve = Callable[[Site, Guard], AbstractContextManager[str]]


def wsgi_application(site: Site) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = {"host": environ["HTTP_HOST"], "cookie": environ.get("HTTP_COOKIE", "")}
        reply = site.reply(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers)
        start_response(status_line(reply.status), list(reply.headers))
        return reply.flow()

    return application


def flask_application(site: Site) -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.route("/<path:path>", methods=METHODS)
    def view(path: str) -> Response:
        headers = {name.lower(): value for name, value in flask_request.headers}
        reply = site.reply(flask_request.method, f"/{path}", headers)
        return Response(reply.flow(), reply.status, dict(reply.headers))

    return app


def django_urls(site: Site) -> tuple[Any, ...]:
    def view(request: HttpRequest) -> StreamingHttpResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        reply = site.reply(request.method or "", request.path, headers)
        return StreamingHttpResponse(reply.flow(), status=reply.status, headers=dict(reply.headers))

    return (re_path("", view),)


def fastapi_application(site: Site) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.api_route("/{path:path}", methods=METHODS, response_model=None)
    async def view(request: Request, path: str) -> StreamingResponse:
        reply = site.reply(request.method, f"/{path}", request.headers)
        return StreamingResponse(reply.async_flow(), reply.status, dict(reply.headers))

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    return app


def asgi_application(site: Site) -> App:
    """Build the application without a framework; its sockets echo each message."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            message = await receive()
            await send({"type": "websocket.send", "text": message["text"]})
            await receive()
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        reply = site.reply(scope["method"], scope["path"], headers)
        fields = raw(list(reply.headers))
        await send({"type": "http.response.start", "status": reply.status, "headers": fields})
        async for chunk in reply.async_flow():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    return application


def count_wsgi_requests(site: Site, app: WSGIApplication) -> WSGIApplication:
    """Wrap app so that the site notes each request."""

    def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        site.arrived.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return app(environ, start_response)

    return counted


def count_asgi_requests(site: Site, app: App) -> App:
    async def counted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            site.arrived.append((scope["method"], scope["path"]))
        await app(scope, receive, send)

    return counted


@contextmanager
def by_django(site: Site, **settings: object) -> Iterator[str]:
    """Yield the URL at which Django answers; the settings apply until the end of the block."""
    held = override_settings(ALLOWED_HOSTS=["*"], ROOT_URLCONF=django_urls(site), **settings)
    with held, by_wsgi(count_wsgi_requests(site, WSGIHandler())) as url:
        yield url


def wsgi(site: Site, guard: Guard) -> AbstractContextManager[str]:
    return by_wsgi(count_wsgi_requests(site, WSGIMiddleware(wsgi_application(site), guard)))


def flask(site: Site, guard: Guard) -> AbstractContextManager[str]:
    app = flask_application(site)
    CORSGuard(app, guard)
    return by_wsgi(count_wsgi_requests(site, app))


def django(site: Site, guard: Guard) -> AbstractContextManager[str]:
    return by_django(site, CORSGUARD=guard)


def asgi(site: Site, guard: Guard) -> AbstractContextManager[str]:
    return by_asgi(count_asgi_requests(site, ASGIMiddleware(asgi_application(site), guard)))


def fastapi(site: Site, guard: Guard) -> AbstractContextManager[str]:
    app = fastapi_application(site)
    StarletteGuard(app, guard)
    return by_asgi(count_asgi_requests(site, app))


ADAPTERS: dict[str, Serve] = {
    "wsgi": wsgi,
    "flask": flask,
    "django": django,
    "asgi": asgi,
    "fastapi": fastapi,
}
WITH_WEBSOCKETS = ["asgi", "fastapi"]
