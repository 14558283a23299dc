"""Real routers, with the same four views on each, behind the adapter that serves them.

A request is sent with its path as on the wire, in bytes, so that nothing normalises it on the
way: it is decoded once, as the server interfaces say, and handed to the application.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

import bottle
import support.django_project  # noqa: F401  # the settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from django.urls import re_path
from fastapi import APIRouter, FastAPI
from flask import Flask
from litestar import Litestar, asgi, route
from litestar.middleware import DefineMiddleware
from quart import Quart
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support.application import Fields
from support.asgi_exchange import exchange, scope_of
from support.stacks.wsgi import environ_of
from werkzeug.test import run_wsgi_app

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_django import cors_policy as django_policy
from corsguard_flask import CORSGuard, cors_policy
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

METHODS = ["GET", "POST"]
VIEWS = {
    "admin": "/api/admin",
    "users": "/api/admin/users",
    "items": "/api/items",
    "public": "/public",
}
"""From the name of a view, which is what it answers, to its path."""


class Reply(NamedTuple):
    status: int
    headers: Fields
    body: str


Send = Callable[[str, str, Fields], Reply]
"""Send a method to a path as on the wire, and return the reply."""


class Router(NamedTuple):
    name: str
    serve: Callable[[Guard, Policy | None], Any]
    """The application with its adapter; a policy is that of the views below `/api/admin`, on
    those that have policies of views."""
    send: Callable[..., Reply]
    has_view_policies: bool = False
    ignores_root_path: bool = False
    """Whether the views are at their paths, whatever `root_path` says."""

    def wire(self, root_path: str, path: str) -> str:
        """Return a view's path on the wire, where the application is served at a root path."""
        return path if self.ignores_root_path else root_path + path

    @contextmanager
    def served(self, guard: Guard, admin: Policy | None, root_path: str = "") -> Iterator[Send]:
        """Something to send requests with; `root_path` is where the server says the application
        is."""
        app = self.serve(guard, admin)
        more = {"root_path": root_path} if root_path else {}
        if isinstance(app, DjangoProject):
            with override_settings(CORSGUARD=guard, ROOT_URLCONF=app.urlconf):
                yield partial(self.send, app.handler(), **more)
        else:
            yield partial(self.send, app, **more)


def over_wsgi(app: Any, method: str, wire: str, headers: Fields, root_path: str = "") -> Reply:
    environ = environ_of(method, "", [("Host", "api.example.com"), *headers])
    environ["SCRIPT_NAME"] = root_path
    environ["PATH_INFO"] = unquote_to_bytes(wire).decode("latin-1").removeprefix(root_path)
    body, status, fields = run_wsgi_app(app, environ)
    return Reply(int(status[:3]), list(fields), b"".join(body).decode())


@cache
def runner() -> asyncio.Runner:
    return asyncio.Runner()


def over_asgi(app: Any, method: str, wire: str, headers: Fields, root_path: str = "") -> Reply:
    raw_path = wire.encode()
    scope = scope_of(method, unquote(wire), headers, raw_path=raw_path, root_path=root_path)
    answer = runner().run(exchange(app, scope))
    return Reply(answer.status, answer.fields, answer.body.decode())


def build_plain_wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    """Build an application that looks its path up without a router."""
    names = {path: name for name, path in VIEWS.items()}
    name = names.get(environ["PATH_INFO"])
    start_response("200 OK" if name else "404 Not Found", [("Content-Type", "text/plain")])
    return [(name or "").encode()]


def in_bottle(guard: Guard, admin: Policy | None) -> Any:
    app = bottle.Bottle()
    for name, path in VIEWS.items():
        app.route(path, METHODS, lambda name=name: name)
    return WSGIMiddleware(app, guard)


def in_bottle_by_rule(guard: Guard, admin: Policy | None) -> Any:
    """Build the same with wildcard rules, which Bottle matches in another way."""
    app = bottle.Bottle()
    for name, path in VIEWS.items():
        head, _, last = path.rpartition("/")
        app.route(f"{head}/<last:re:{last}>", METHODS, lambda last, name=name: name)
    return WSGIMiddleware(app, guard)


def in_flask(guard: Guard, admin: Policy | None) -> Any:
    app = Flask(__name__, static_folder=None)
    CORSGuard(app, guard)
    for name, path in VIEWS.items():
        view: Callable[[], str] = partial(str, name)
        if admin and path.startswith("/api/admin"):
            view = cors_policy(admin)(view)
        app.add_url_rule(path, name, view, methods=METHODS)
    return app


class DjangoProject(NamedTuple):
    urlconf: tuple[Any, ...]
    handler: Callable[[], Any]


def in_django(
    handler: Callable[[], Any], to: Callable[..., Any], guard: Guard, admin: Policy | None
) -> DjangoProject:
    patterns = []
    for name, path in VIEWS.items():

        def answer(request: HttpRequest, name: str = name) -> HttpResponse:
            return HttpResponse(name)

        async def answer_async(request: HttpRequest, name: str = name) -> HttpResponse:
            return HttpResponse(name)

        view: Any = answer_async if handler is ASGIHandler else answer
        if admin and path.startswith("/api/admin"):
            view = django_policy(admin)(view)
        pattern = path[1:] if to is django_path else f"^{path[1:]}$"
        patterns.append(to(pattern, view))
    return DjangoProject(tuple(patterns), handler)


def starlette_view(name: str) -> Callable[[Request], Any]:
    async def view(request: Request) -> PlainTextResponse:
        return PlainTextResponse(name)

    return view


def starlette() -> Starlette:
    routes = [Route(path, starlette_view(name), methods=METHODS) for name, path in VIEWS.items()]
    return Starlette(routes=routes)


def in_starlette(guard: Guard, admin: Policy | None) -> Any:
    return ASGIMiddleware(starlette(), guard)


def in_starlette_added(guard: Guard, admin: Policy | None) -> Any:
    app = starlette()
    app.add_middleware(Opaque)
    app.add_middleware(ASGIMiddleware, policy=guard)
    return app


def in_starlette_mounts(guard: Guard, admin: Policy | None) -> Any:
    users = [
        Route("/", starlette_view("admin"), methods=METHODS),
        Route("/users", starlette_view("users"), methods=METHODS),
    ]
    api = [
        Route("/admin", starlette_view("admin"), methods=METHODS),
        Mount("/admin", routes=users),
        Route("/items", starlette_view("items"), methods=METHODS),
    ]
    public = Route("/public", starlette_view("public"), methods=METHODS)
    return ASGIMiddleware(Starlette(routes=[Mount("/api", routes=api), public]), guard)


def in_starlette_mounted(guard: Guard, admin: Policy | None) -> Any:
    """Mount a wrapped application in another one, which adds to `root_path`."""
    return Starlette(routes=[Mount("/svc", ASGIMiddleware(starlette(), guard))])


def in_starlette_guard(guard: Guard, admin: Policy | None, *, mounts: bool = False) -> Any:
    """Build views behind CORSGuard, those below /api/admin with a policy of their own."""

    def build(name: str, path: str) -> Route:
        view = starlette_view(name)
        is_admin = admin and name in {"admin", "users"}
        return Route(path, cors_policy(admin)(view) if is_admin else view, methods=METHODS)

    routes: list[Any] = [build(name, path) for name, path in VIEWS.items()]
    if mounts:
        users = Mount("/admin", Starlette(routes=[build("users", "/users")]))
        api = [build("admin", "/admin"), users, build("items", "/items")]
        routes = [Mount("/api", routes=api), build("public", "/public")]
    app = Starlette(routes=routes)
    app.add_middleware(Opaque)
    StarletteGuard(app, guard)
    return app


def in_fastapi_guard(guard: Guard, admin: Policy | None, root_path: str = "") -> Any:
    """Build views in included routers, and set the policy of one of these."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = FastAPI(openapi_url=None, root_path=root_path)
    cors = StarletteGuard(app, guard)
    api, inner = APIRouter(prefix="/api"), APIRouter(prefix="/admin")
    for router, path, name in (
        (inner, "", "admin"), (inner, "/users", "users"), (api, "/items", "items"),
        (app, "/public", "public"),
    ):  # fmt: skip
        router.add_api_route(path, starlette_view(name), methods=METHODS, response_model=None)
    api.include_router(inner)
    app.include_router(api)
    if admin:
        cors.set_policy(inner, admin)
    return app


class Opaque:
    """A middleware that does not say what it wraps."""

    def __init__(self, app: Any) -> None:
        self._wrapped = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._wrapped(scope, receive, send)


def fastapi(root_path: str = "") -> FastAPI:
    with warnings.catch_warnings():
        # Of newer versions: the server is to say what the root path is.
        warnings.simplefilter("ignore")
        app = FastAPI(openapi_url=None, root_path=root_path)
    for name, path in VIEWS.items():
        app.api_route(path, methods=METHODS, response_model=None)(starlette_view(name))
    return app


def in_fastapi(guard: Guard, admin: Policy | None) -> Any:
    return ASGIMiddleware(fastapi(), guard)


def in_fastapi_added(guard: Guard, admin: Policy | None) -> Any:
    app = fastapi("/svc")
    app.add_middleware(ASGIMiddleware, policy=guard)
    return app


def in_fastapi_of_a_root_path(guard: Guard, admin: Policy | None) -> Any:
    return ASGIMiddleware(GZipMiddleware(fastapi("/svc")), guard)


def litestar_handlers() -> list[Any]:
    def handler(name: str, path: str) -> Any:
        async def answer() -> str:
            return name

        methods: Any = METHODS
        return route(path, http_method=methods, status_code=200, media_type="text/plain")(answer)

    return [handler(*view) for view in VIEWS.items()]


def in_litestar(guard: Guard, admin: Policy | None) -> Any:
    return ASGIMiddleware(Litestar(litestar_handlers()), guard)


def in_litestar_added(guard: Guard, admin: Policy | None) -> Any:
    return Litestar(
        litestar_handlers(), middleware=[DefineMiddleware(ASGIMiddleware, policy=guard)]
    )


def litestar_mounts() -> list[Any]:
    def handler(name: str, path: str) -> Any:
        @asgi(path, is_mount=True, copy_scope=True)
        async def mounted(scope: Any, receive: Any, send: Any) -> None:
            await PlainTextResponse(name)(scope, receive, send)

        return mounted

    return [handler(*view) for view in VIEWS.items()]


def in_litestar_mounts(guard: Guard, admin: Policy | None) -> Any:
    return ASGIMiddleware(Litestar(litestar_mounts()), guard)


def quart() -> Quart:
    app = Quart(__name__)
    for name, path in VIEWS.items():

        async def view(name: str = name) -> str:
            return name

        app.add_url_rule(path, name, view, methods=METHODS)
    return app


def in_quart(guard: Guard, admin: Policy | None) -> Any:
    return ASGIMiddleware(quart(), guard)


def in_quart_inside(guard: Guard, admin: Policy | None) -> Any:
    app = quart()
    app.asgi_app = ASGIMiddleware(app.asgi_app, guard)  # type: ignore[method-assign]
    return app


def in_falcon(name: str, guard: Guard, admin: Policy | None) -> Any:
    import falcon
    import falcon.asgi

    class View:
        def __init__(self, name: str) -> None:
            self._name = name

        def on_get(self, request: Any, response: Any) -> None:
            response.text = self._name

        on_post = on_get

    class AsyncView(View):
        async def on_get(self, request: Any, response: Any) -> None:  # type: ignore[override]
            response.text = self._name

        on_post = on_get  # type: ignore[assignment]

    is_async = name == "falcon-asgi"
    app: Any = falcon.asgi.App() if is_async else falcon.App()
    for view, path in VIEWS.items():
        app.add_route(path, AsyncView(view) if is_async else View(view))
    return (ASGIMiddleware if is_async else WSGIMiddleware)(app, guard)


LITESTAR_MOUNTS = Router("litestar-mounts", in_litestar_mounts, over_asgi)
ROUTERS = [
    Router("wsgi", lambda guard, admin: WSGIMiddleware(build_plain_wsgi, guard), over_wsgi),
    Router("bottle", in_bottle, over_wsgi),
    Router("bottle-rules", in_bottle_by_rule, over_wsgi),
    Router("flask", in_flask, over_wsgi, has_view_policies=True),
    Router("django", partial(in_django, WSGIHandler, django_path), over_wsgi, True),
    Router("django-regex", partial(in_django, WSGIHandler, re_path), over_wsgi, True),
    Router("django-async", partial(in_django, ASGIHandler, django_path), over_asgi, True),
    Router("starlette", in_starlette, over_asgi),
    Router("starlette-added", in_starlette_added, over_asgi),
    Router("starlette-mounts", in_starlette_mounts, over_asgi),
    Router("fastapi", in_fastapi, over_asgi),
    Router("starlette-guard", in_starlette_guard, over_asgi, has_view_policies=True),
    Router("starlette-guard-mounts", partial(in_starlette_guard, mounts=True), over_asgi, True),
    Router("fastapi-guard", in_fastapi_guard, over_asgi, has_view_policies=True),
    Router("litestar", in_litestar, over_asgi),
    Router("litestar-added", in_litestar_added, over_asgi),
    Router("quart", in_quart, over_asgi),
    Router("quart-inside", in_quart_inside, over_asgi),
]
if find_spec("falcon"):
    ROUTERS.append(Router("falcon", partial(in_falcon, "falcon"), over_wsgi))
    falcon_asgi = partial(in_falcon, "falcon-asgi")
    ROUTERS.append(Router("falcon-asgi", falcon_asgi, over_asgi, ignores_root_path=True))
AT_SVC = [
    Router("fastapi-guard-root-path", partial(in_fastapi_guard, root_path="/svc"), over_asgi, True),
    Router("fastapi-root-path", in_fastapi_of_a_root_path, over_asgi),
    Router("fastapi-root-path-added", in_fastapi_added, over_asgi),
    Router("starlette-mounted", in_starlette_mounted, over_asgi),
]
"""Applications that are at /svc by themselves, whatever the server says."""
