"""Django: one process has one settings object, so each layer sets its own before it is timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from tools.benchmarks.floors import django_floor
from tools.benchmarks.stacks.layers import BARE, CORSGUARD, FLOOR, JSON, Layer, Stack, wsgi
from tools.benchmarks.workload import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins


def _items(request: HttpRequest) -> HttpResponse:
    return HttpResponse(JSON, content_type="application/json")


class _Urls:
    urlpatterns = (path("items", _items),)


_floor: Callable[[Any], Any]


def floor(get_response: Any) -> Any:
    """Return the floor, under the name that MIDDLEWARE takes."""
    return _floor(get_response)


def _layer(*middleware: str, **options: object) -> Layer:
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            LOGGING_CONFIG=None,
            MIDDLEWARE=[],
            ROOT_URLCONF=_Urls,
            SECRET_KEY="bench",
        )
        django.setup()

    def prepare() -> None:
        # Not override_settings: its signal has middleware read the settings again.
        for name, value in options.items():
            setattr(settings, name, value)

    prepare()
    settings.MIDDLEWARE = list(middleware)
    return wsgi(WSGIHandler(), prepare)


def _django_floor(origins: Origins) -> Layer:
    global _floor
    _floor = django_floor(origins.listed)
    return _layer(f"{__name__}.floor")


def _cors_headers(origins: Origins) -> Layer:
    return _layer(
        "corsheaders.middleware.CorsMiddleware",
        CORS_ALLOWED_ORIGINS=[] if origins.subdomains else origins.listed,
        CORS_ALLOWED_ORIGIN_REGEXES=origins.regexes if origins.subdomains else [],
        CORS_ALLOW_CREDENTIALS=True,
        CORS_ALLOW_METHODS=METHODS,
        CORS_ALLOW_HEADERS=HEADERS,
        CORS_EXPOSE_HEADERS=[EXPOSED],
        CORS_PREFLIGHT_MAX_AGE=MAX_AGE,
    )


STACKS = (
    Stack(
        "Django",
        "django-cors-headers",
        {
            BARE: lambda _: _layer(),
            CORSGUARD: lambda origins: _layer(
                "corsguard_django.CORSMiddleware", CORSGUARD=origins.policy
            ),
            FLOOR: _django_floor,
            "django-cors-headers": _cors_headers,
        },
        lacks="django-cors-headers answers a refused preflight 200, without headers",
    ),
)
