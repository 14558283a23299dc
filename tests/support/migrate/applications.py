"""Applications with the CORS library of a case, and their configuration as `migrate` reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from corsheaders.signals import check_request_enabled
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from flask import Blueprint, Flask
from flask_cors import CORS, cross_origin
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from support import django_project

from corsguard.cli.migrate.configuration import (
    OriginRegex,
    PathScope,
    PeerConfiguration,
    PeerPolicy,
)
from corsguard.cli.migrate.peers import django_cors_headers, read_peer
from corsguard.cli.migrate.peers.defaults import EXPRESS_CORS

__all__ = [
    "Tenants",
    "configure_django",
    "decide",
    "flask_app",
    "read_django",
    "read_express",
    "read_flask",
    "read_starlette",
    "starlette_app",
]

assert django_project.settings.configured  # type: ignore[attr-defined]


def fail() -> str:
    raise AssertionError("a view ran")


def flask_app(options: Mapping[str, Any], place: str = "app") -> Flask:
    """Return an application with CORS on itself, on a blueprint, or on a view."""
    app = Flask("shop")
    blueprint = Blueprint("api", "shop", url_prefix="/api")
    blueprint.add_url_rule("/items", "items", fail, methods=["GET", "POST", "PUT", "DELETE"])
    blueprint.add_url_rule("/items/<int:number>", "item", fail, methods=["GET", "PATCH"])
    if place == "blueprint":
        CORS(blueprint, **options)
    app.register_blueprint(blueprint)
    view = cross_origin(**options)(lambda: fail()) if place == "view" else fail
    app.add_url_rule("/report", "report", view, methods=["GET", "PUT"])
    app.add_url_rule("/report/private", "private", fail)
    if place == "app":
        CORS(app, **options)
    return app


def read_flask(options: Mapping[str, Any], place: str = "app") -> PeerConfiguration:
    return read_peer(flask_app(options, place), "shop:app")


class Tenants(CORSMiddleware):
    """A subclass that decides by code."""

    def is_allowed_origin(self, origin: str) -> bool:
        raise AssertionError("code of the application ran")


def starlette_app(options: Mapping[str, Any], kind: Any = CORSMiddleware) -> Starlette:
    def view(request: object) -> Any:
        raise AssertionError("a view ran")

    app = Starlette(
        routes=[
            Route("/items", view, methods=["GET", "POST"]),
            Route("/items/{number:int}", view, methods=["GET", "PUT", "DELETE"]),
        ]
    )
    app.add_middleware(kind, **options)
    return app


def read_starlette(options: Mapping[str, Any], kind: Any = CORSMiddleware) -> PeerConfiguration:
    return read_peer(starlette_app(options, kind), "shop:app")


def decide(sender: object, request: object, **_: object) -> bool:
    raise AssertionError("code of the application ran")


@contextmanager
def configure_django(
    options: Mapping[str, Any], *, receives: bool = False, **others: Any
) -> Iterator[None]:
    """Give the project these settings, and a receiver of the peer's signal, for a while."""

    def view(request: object, **_: object) -> HttpResponse:
        raise AssertionError("a view ran")

    urls = ModuleType("shop_urls")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path("api/items/", view, name="items"),
        path("api/items/<int:number>/", view, name="item"),
        path("media/<str:name>", view, name="media"),
        path("admin/", view, name="admin"),
    ]
    given = {
        "MIDDLEWARE": ["corsheaders.middleware.CorsMiddleware"],
        "ROOT_URLCONF": urls,
        **options,
        **others,
    }
    with override_settings(**given):
        if receives:
            check_request_enabled.connect(decide)
        try:
            yield
        finally:
            check_request_enabled.disconnect(decide)


def read_django(options: Mapping[str, Any], *, receives: bool = False) -> PeerConfiguration:
    with configure_django(options, receives=receives):
        found = django_cors_headers.read_settings()
    assert found is not None
    return found


def read_express(options: Mapping[str, Any]) -> PeerConfiguration:
    """Return a configuration of express's cors, as docs/migrating.md says to read it."""
    given = options.get("origin", "*")
    entries = [given] if isinstance(given, str) else given
    policy = PeerPolicy(
        "cors()",
        PathScope(),
        tuple(each for each in entries if isinstance(each, str)),
        tuple(
            OriginRegex(each.pattern, is_prefix=True)
            for each in entries
            if isinstance(each, re.Pattern)
        ),
        bool(options.get("credentials")),
        tuple(options.get("methods", EXPRESS_CORS.methods)),
        EXPRESS_CORS.headers,
        (),
        EXPRESS_CORS.max_age,
    )
    return PeerConfiguration("express cors", "2.8.5", "", (policy,))
