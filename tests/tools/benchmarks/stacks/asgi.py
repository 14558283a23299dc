"""Bare ASGI and Starlette."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware as StarletteCORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tools.benchmarks.floors import asgi_floor
from tools.benchmarks.stacks.layers import (
    BARE,
    BY_ROUTE,
    CORSGUARD,
    ENFORCED,
    FLOOR,
    JSON,
    STARLETTE_ADAPTER,
    Layer,
    Stack,
    asgi,
    by_route,
    enforced,
)
from tools.benchmarks.workload import EXPOSED, HEADERS, MAX_AGE, METHODS, Origins

from corsguard import Policy
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard

PEER = "Starlette's own"

_FIELDS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(JSON))]


async def _plain(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _FIELDS})
    await send({"type": "http.response.body", "body": JSON})


async def _items(request: Request) -> Response:
    return Response(JSON, media_type="application/json")


def _starlette() -> Starlette:
    return Starlette(routes=[Route("/items", _items, methods=METHODS)])


def _options(origins: Origins) -> dict[str, Any]:
    where: dict[str, Any]
    if origins.subdomains:
        where = {"allow_origin_regex": "|".join(origins.regexes)}
    else:
        where = {"allow_origins": origins.listed}
    return {
        **where,
        "allow_credentials": True,
        "allow_methods": METHODS,
        "allow_headers": HEADERS,
        "expose_headers": [EXPOSED],
        "max_age": MAX_AGE,
    }


def _with(middleware: Any, **options: Any) -> Layer:
    app = _starlette()
    app.add_middleware(middleware, **options)
    return asgi(app)


def _install(policy: Policy) -> Layer:
    app = _starlette()
    CORSGuard(app, policy)
    return asgi(app)


STACKS = (
    Stack(
        "ASGI",
        PEER,
        {
            BARE: lambda _: asgi(_plain),
            CORSGUARD: lambda origins: asgi(CORSMiddleware(_plain, origins.policy)),
            BY_ROUTE: lambda origins: asgi(CORSMiddleware(_plain, by_route(origins))),
            ENFORCED: lambda origins: asgi(CORSMiddleware(_plain, enforced(origins))),
            FLOOR: lambda origins: asgi(asgi_floor(_plain, origins.listed)),
            PEER: lambda origins: asgi(StarletteCORSMiddleware(_plain, **_options(origins))),
        },
        lacks="Starlette's own answers a refused preflight 400; many patterns of subdomains are "
        "one regular expression",
    ),
    Stack(
        "Starlette",
        PEER,
        {
            BARE: lambda _: asgi(_starlette()),
            CORSGUARD: lambda origins: _with(CORSMiddleware, policy=origins.policy),
            STARLETTE_ADAPTER: lambda origins: _install(origins.policy),
            BY_ROUTE: lambda origins: _with(CORSMiddleware, policy=by_route(origins)),
            ENFORCED: lambda origins: _with(CORSMiddleware, policy=enforced(origins)),
            PEER: lambda origins: _with(StarletteCORSMiddleware, **_options(origins)),
        },
    ),
)
