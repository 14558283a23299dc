"""The same small service behind corsguard and behind the libraries that README compares it with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import httpx
import support.django_project  # noqa: F401  # the settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, override_settings
from django.urls import path
from flask import Flask, abort
from flask_cors import CORS
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from corsguard_flask import CORSGuard

__all__ = ["ANY", "LIBRARIES", "Reply", "Send", "Setup", "corsguard", "send_to_asgi"]

ANY = ("*",)


class Setup(NamedTuple):
    """What the CORS layer of a service is to do."""

    origins: tuple[str, ...] = ("https://app.example.com", "https://admin.example.com")
    is_regex: bool = False
    credentials: bool = False
    needs_login: bool = False
    """True if the service refuses every request that it sees with 401."""


class Reply(NamedTuple):
    """The response to a request."""

    status: int
    headers: Mapping[str, str]
    """The names are in lower case."""


Send = Callable[..., Reply]
"""Sends a method, a path and header fields to the service."""
Serve = Callable[[Setup, list[str]], AbstractContextManager[Send]]
"""Serves until the end of the block; what the service writes is added to the list."""


def _flask(written: list[str], *, needs_login: bool) -> Flask:
    app = Flask("compared")

    @app.route("/items", methods=["GET", "POST"])
    def items() -> str:
        written.append("items")
        return "items"

    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError("a bug")

    if needs_login:
        app.before_request(lambda: abort(401))
    app.logger.disabled = True  # which logs the crash
    return app


def _send_to_flask(app: Flask) -> Send:
    client = app.test_client()

    def send(method: str, url: str, **headers: str) -> Reply:
        response = client.open(url, method=method, headers=_name_headers(headers))
        return Reply(response.status_code, {k.lower(): v for k, v in response.headers})

    return send


def _name_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def corsguard(setup: Setup, written: list[str], *, enforce: bool = False) -> Iterator[Send]:
    """Flask with corsguard."""
    app = _flask(written, needs_login=setup.needs_login)
    entries = [re.compile(each) if setup.is_regex else each for each in setup.origins]
    CORSGuard(app, allow_origins=entries, allow_credentials=setup.credentials, enforce=enforce)
    yield _send_to_flask(app)


@contextmanager
def flask_cors(setup: Setup, written: list[str]) -> Iterator[Send]:
    """Flask with flask-cors, which takes a text with certain characters as a regular expression."""
    app = _flask(written, needs_login=setup.needs_login)
    origins = "*" if setup.origins == ANY else list(setup.origins)
    CORS(app, origins=origins, supports_credentials=setup.credentials)
    yield _send_to_flask(app)


@contextmanager
def django_cors_headers(setup: Setup, written: list[str]) -> Iterator[Send]:
    """Django with django-cors-headers as the first middleware."""

    def items(request: HttpRequest) -> HttpResponse:
        written.append("items")
        return HttpResponse("items")

    def crash(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("a bug")

    urls = ModuleType("compared_urls")
    urls.urlpatterns = [path("items", items), path("crash", crash)]  # type: ignore[attr-defined]
    middleware = ["corsheaders.middleware.CorsMiddleware"]
    if setup.needs_login:
        middleware.append(f"{__name__}.refuse_all")
    key = "CORS_ALLOWED_ORIGIN_REGEXES" if setup.is_regex else "CORS_ALLOWED_ORIGINS"
    origins: dict[str, Any] = {key: list(setup.origins)}
    if setup.origins == ANY:
        origins = {"CORS_ALLOW_ALL_ORIGINS": True}
    with override_settings(
        MIDDLEWARE=middleware,
        ROOT_URLCONF=urls,
        CORS_ALLOW_CREDENTIALS=setup.credentials,
        **origins,
    ):
        client = Client(raise_request_exception=False)

        def send(method: str, url: str, **headers: str) -> Reply:
            response = client.generic(method, url, headers=_name_headers(headers))
            return Reply(response.status_code, {k.lower(): v for k, v in response.items()})

        yield send


def refuse_all(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponse]:
    """Return a middleware of Django that answers every request with 401."""
    return lambda request: HttpResponse(status=401)


@contextmanager
def starlette(setup: Setup, written: list[str]) -> Iterator[Send]:
    """Starlette with its own middleware in front of all other middleware."""

    async def items(request: Request) -> Response:
        written.append("items")
        return PlainTextResponse("items")

    async def crash(request: Request) -> Response:
        raise RuntimeError("a bug")

    regex = setup.origins[0] if setup.is_regex else None
    middleware = [
        Middleware(
            CORSMiddleware,
            allow_origins=() if setup.is_regex else list(setup.origins),
            allow_origin_regex=regex,
            allow_credentials=setup.credentials,
        )
    ]
    if setup.needs_login:
        middleware.append(Middleware(_RefuseAll))
    routes = [Route("/items", items, methods=["GET", "POST"]), Route("/crash", crash)]
    app = Starlette(routes=routes, middleware=middleware)
    yield send_to_asgi(app)


class _RefuseAll:
    def __init__(self, app: object) -> None:
        pass

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await Response(status_code=401)(scope, receive, send)


def send_to_asgi(app: Any) -> Send:
    """Return a Send for an ASGI application."""

    async def request(method: str, url: str, headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, url, headers=headers)

    def send(method: str, url: str, **headers: str) -> Reply:
        response = asyncio.run(request(method, url, _name_headers(headers)))
        return Reply(response.status_code, response.headers)

    return send


LIBRARIES: dict[str, Serve] = {
    "corsguard": corsguard,
    "flask-cors": flask_cors,
    "django-cors-headers": django_cors_headers,
    "Starlette": starlette,
}
"""Column of README's table -> its service."""
