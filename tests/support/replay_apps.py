"""Stub applications behind the CORS layers that a replay compares. None of them has a view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import support.django_project  # noqa: F401  # the settings
from corsheaders.middleware import CorsMiddleware as DjangoCorsHeaders
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from flask import Flask
from flask_cors import CORS
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware as StarletteCORS
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from corsguard import Guard
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_django import CORSMiddleware as DjangoMiddleware
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

WSGIApp = Callable[[Any, Any], Any]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PATHS: Mapping[str, tuple[str, ...]] = {"/api": METHODS, "/items": ("GET", "DELETE")}


def build_flask(paths: Iterable[str] = PATHS, **options: Any) -> Flask:
    """Return an application behind flask-cors."""
    app = _build_flask_stub(paths)
    CORS(app, **options)
    return app


def build_wsgi(mapping: Mapping[str, Any], paths: Iterable[str] = PATHS) -> WSGIMiddleware:
    return WSGIMiddleware(_build_flask_stub(paths), Guard.from_mapping(mapping))


def build_starlette(**options: Any) -> StarletteCORS:
    """Return an application behind Starlette's middleware."""
    return StarletteCORS(_build_starlette_stub(), **options)


def build_asgi(mapping: Mapping[str, Any]) -> ASGIMiddleware:
    return ASGIMiddleware(_build_starlette_stub(), Guard.from_mapping(mapping))


@contextmanager
def open_django(mapping: Mapping[str, Any], **settings: Any) -> Iterator[tuple[WSGIApp, WSGIApp]]:
    """Yield an application behind django-cors-headers and one behind corsguard."""
    with override_settings(CORSGUARD=mapping, ROOT_URLCONF=(), **settings):
        yield _build_django(DjangoCorsHeaders), _build_django(DjangoMiddleware)


def _build_flask_stub(paths: Iterable[str]) -> Flask:
    app = Flask("stub")
    for path in paths:
        app.add_url_rule(path, path.replace("/", "_"), lambda: "stub", methods=METHODS)
    return app


def _build_starlette_stub() -> Starlette:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("stub")

    return Starlette(routes=[Route(path, answer, methods=[*METHODS]) for path in PATHS])


def _build_django(middleware: Any) -> WSGIApp:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse("stub")

    handle = middleware(answer)

    def app(environ: Any, start_response: Any) -> Any:
        response = handle(WSGIRequest(environ))
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
        return response

    return app
