"""The served applications: each example, with `/load` and a thread that reconfigures it.

`gunicorn 'tools.load.applications:wsgi()'`, `uvicorn --factory tools.load.applications:fastapi`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from importlib import import_module
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from tools.load.policies import BROKEN, NUMBERS, PATH, routes_with

from corsguard import Guard

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TIMES_A_SECOND = 10
NEVER = Event()


class BrokenError(Exception):
    """An error that an application raises after its first chunk."""


def example(name: str) -> Any:
    """Import the module of an example."""
    folder = str(Path(__file__).parents[3] / "examples")
    if folder not in sys.path:
        sys.path.append(folder)
    return import_module(name)


def reconfigure_often(guard: Guard) -> None:
    """Give the guard another policy for `/load` ten times a second, from now on."""

    def reconfigure() -> None:
        for number in cycle(NUMBERS):
            guard.reconfigure(routes_with(guard.policies, number))
            NEVER.wait(1 / TIMES_A_SECOND)

    guard.reconfigure(routes_with(guard.policies, 0))
    Thread(target=reconfigure, daemon=True).start()


def worker_id() -> bytes:
    """Return the response of the views at `/load`: the id of their process."""
    return str(os.getpid()).encode()


def broken() -> Iterator[bytes]:
    """Yield one chunk, then raise."""
    yield b"first"
    raise BrokenError


async def broken_async() -> AsyncIterator[bytes]:
    """Yield one chunk, then raise, for ASGI."""
    for chunk in broken():
        yield chunk


def wsgi() -> WSGIApplication:
    """Build the plain WSGI example."""
    from corsguard_wsgi import CORSMiddleware

    wsgi_app = example("wsgi_app")
    api: WSGIApplication = wsgi_app.Api(":memory:")
    guard: Guard = wsgi_app.GUARD

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path not in {PATH, BROKEN}:
            return api(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [worker_id()] if path == PATH else broken()

    reconfigure_often(guard)
    return CORSMiddleware(application, guard)


def flask() -> WSGIApplication:
    """Build the Flask example."""
    from flask import Flask, Response

    app: Flask = example("flask_app").create_app()
    methods = ["GET", "POST", "PUT"]
    app.add_url_rule(PATH, "load", lambda: Response(worker_id()), methods=methods)
    app.add_url_rule(BROKEN, "broken", lambda: Response(broken()))
    reconfigure_often(app.extensions["corsguard"].guard)
    return app


def django() -> WSGIApplication:
    """Build the Django example."""
    django_app = example("django_app")
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.http import HttpResponse, StreamingHttpResponse
    from django.urls import path

    django_app.urlpatterns += [
        path(PATH[1:], lambda request: HttpResponse(worker_id())),
        path(BROKEN[1:], lambda request: StreamingHttpResponse(broken())),
    ]
    with connection.schema_editor() as editor:
        editor.create_model(django_app.Item)
    settings.CORSGUARD = guard = Guard.from_mapping(settings.CORSGUARD)
    reconfigure_often(guard)
    return WSGIHandler()


def asgi() -> Callable[..., Any]:
    """Build a plain ASGI application behind the middleware of the FastAPI example."""
    from corsguard_asgi import CORSMiddleware

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        found = scope["path"] in {PATH, BROKEN}
        status = 200 if found else 404
        await send({"type": "http.response.start", "status": status, "headers": []})
        if scope["path"] == BROKEN:
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            raise BrokenError
        await send({"type": "http.response.body", "body": worker_id() if found else b""})

    guard = Guard({}, enforce=True)
    reconfigure_often(guard)
    return CORSMiddleware(application, guard)


def fastapi() -> Callable[..., Any]:
    """Build the FastAPI example."""
    from fastapi.responses import PlainTextResponse, StreamingResponse

    fastapi_app = example("fastapi_app")
    app = fastapi_app.app
    app.add_api_route(PATH, lambda: PlainTextResponse(worker_id()), methods=["GET", "POST", "PUT"])
    app.add_api_route(BROKEN, lambda: StreamingResponse(broken_async()))
    reconfigure_often(fastapi_app.cors.guard)
    served: Callable[..., Any] = app
    return served
