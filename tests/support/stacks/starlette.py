"""The ways to serve the application behind the Starlette and FastAPI adapter."""

from __future__ import annotations

from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from support.asgi_exchange import App
from support.stacks.asgi import ASGIStack, Watch, fastapi, starlette

from corsguard import Guard, Policy
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy

OWN = Policy(allow_origins=["https://own.example"])


@cors_policy(OWN)
def own(request: Request) -> Response:
    return PlainTextResponse("own")


@cors_exempt
def exempt(request: Request) -> Response:
    return PlainTextResponse("exempt")


def guarded(app: Starlette, watch: Watch, guard: Guard, *, with_views: bool = False) -> App:
    """Install CORSGuard on an application, before another middleware is added."""
    CORSGuard(app, guard)
    app.add_middleware(watch)
    if with_views:
        app.router.add_route("/of/its/own", own)
        app.router.add_route("/exempt", exempt)
        app.router.routes.append(app.router.routes.pop(0))  # the one for every path comes last
    return app


def in_starlette(watch: Watch, guard: Guard, *, with_views: bool = False) -> App:
    return guarded(starlette(), watch, guard, with_views=with_views)


def in_fastapi(watch: Watch, guard: Guard, *, with_views: bool = False) -> App:
    return guarded(fastapi(), watch, guard, with_views=with_views)


STACKS = [
    ASGIStack("starlette-guard", in_starlette),
    ASGIStack("starlette-guard-with-views", partial(in_starlette, with_views=True)),
    ASGIStack("fastapi-guard", in_fastapi),
    ASGIStack("fastapi-guard-with-views", partial(in_fastapi, with_views=True)),
]
