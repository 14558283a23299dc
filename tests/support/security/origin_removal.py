"""Applications behind each adapter that take `Origin` off the request before they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from flask import Flask, request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from support.asgi_exchange import get
from support.stacks.django import ASGI, WSGI, DjangoClient
from support.stacks.wsgi import environ_of, through_validator
from support.table import by_name

from corsguard import Guard
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_flask import CORSGuard
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_starlette import cors_policy
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

ServeWithoutOrigin = Callable[[Guard, str], dict[str, str]]
"""Return the fields of the response for a guard and an origin."""


def wsgi(guard: Guard, origin: str) -> dict[str, str]:
    def forget(environ: Any, start_response: Any) -> Iterable[bytes]:
        del environ["HTTP_ORIGIN"]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    environ = environ_of("GET", "/items", [("Origin", origin)])
    return by_name(through_validator(WSGIMiddleware(forget, guard), environ)[1])


def asgi(guard: Guard, origin: str) -> dict[str, str]:
    async def forget(scope: Any, receive: Any, send: Any) -> None:
        scope["headers"].clear()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    return by_name(get(ASGIMiddleware(forget, guard), origin=origin).fields)


def flask(guard: Guard, origin: str) -> dict[str, str]:
    app = Flask(__name__)
    CORSGuard(app, guard)

    @app.get("/items")
    def forget() -> str:
        del request.environ["HTTP_ORIGIN"]
        return "ok"

    return by_name(through_validator(app, environ_of("GET", "/items", [("Origin", origin)]))[1])


def starlette(guard: Guard, origin: str) -> dict[str, str]:
    @cors_policy(allow_origins=["https://own.example"])
    async def own(request: Request) -> Response:
        return PlainTextResponse("own")

    async def forget(request: Request) -> Response:
        request.scope["headers"].clear()
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/items", forget), Route("/own", own)])
    StarletteGuard(app, guard)
    return by_name(get(app, origin=origin).fields)


def django(guard: Guard, origin: str) -> dict[str, str]:
    return _in_django(WSGI, guard, origin)


def django_async(guard: Guard, origin: str) -> dict[str, str]:
    return _in_django(ASGI, guard, origin)


def _in_django(handler: type[WSGI | ASGI], guard: Guard, origin: str) -> dict[str, str]:
    def forget(asked: HttpRequest) -> HttpResponse:
        del asked.META["HTTP_ORIGIN"]
        return HttpResponse("ok")

    client = DjangoClient(guard, handler, [path("items", forget)], [])
    headers = [("Host", "api.example.com"), ("Origin", origin)]
    return by_name(client.send("GET", "/items", headers).headers)


APPLICATIONS: list[ServeWithoutOrigin] = [wsgi, asgi, flask, starlette, django, django_async]
