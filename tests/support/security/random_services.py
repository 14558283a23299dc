"""Applications behind each adapter whose policies, views and URLconfs are drawn at random.

A `World` describes an application. A `Service` is one built from it, which gets one
request after another, and may be changed in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import support.django_project  # noqa: F401  # the settings
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import clear_url_caches, path
from django.utils.decorators import sync_and_async_middleware
from django.views import View as DjangoView
from flask import Flask
from flask.views import MethodView
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from support.application import Fields
from support.asgi_exchange import ask, scope_of
from support.stacks.asgi import application as asgi_application
from support.stacks.django import ASGI, WSGI
from support.stacks.wsgi import application as wsgi_application
from support.stacks.wsgi import environ_of, through_validator

from corsguard import Guard, OriginLookup, Policies, Policy
from corsguard.engine.csrf import Enforce
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_django import cors_exempt, cors_policy
from corsguard_flask import CORSGuard
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HOST = "api.example.com"
APP, EVIL = "https://app.example.com", "https://evil.example"
PLAIN_HTTP, SUBDOMAIN = "http://app.example.com", "https://eu.b.example"

LISTED = Policy(allow_origins=[APP], allow_methods=["PUT"], expose_headers=["X-Total"])
PARTNER = Policy(
    allow_origins=[EVIL, re.compile(r"https://[a-z]+\.b\.example")],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
ASKED = Policy(allow_origins=[APP, lambda origin: origin.endswith(".b.example")])
LOOKUPS = (
    OriginLookup(lambda origin: origin in {APP, SUBDOMAIN}),
    OriginLookup(
        lambda origin, request: origin == APP and (request.host, request.path) != (HOST, "/admin")
    ),
)
BY_ORIGIN, BY_PATH = (
    Policy(allow_origins=[EVIL, lookup], allow_methods=["PUT"], allow_credentials=True)
    for lookup in LOOKUPS
)
OPEN = Policy(allow_origins=["*"], allow_methods=["PUT"], allow_headers=["X-A"])
CLOSED_POLICIES = (LISTED, PARTNER, ASKED, BY_ORIGIN, BY_PATH)

Mark = Policy | None | str
"""The decorator of a view: a policy, None for `cors_exempt`, "" for none."""
Marks = Mapping[str, Mark]
"""path of a view -> how it is decorated."""
Answer = tuple[int, Fields, bytes]

PATHS = ("/items", "/admin", "/open")
BY_METHOD = "/by-method"
"""Its view is a class, and the mark decorates the handler of PUT alone."""
ABOVE, BELOW, CACHED = "X-Above", "X-Below", "X-Cached"
"""Which URLconf a middleware sets, above corsguard and below; whether one below answers."""


class World(NamedTuple):
    policies: Policies
    enforce: Enforce
    marks: Marks
    other_marks: Marks
    """Those of the other URLconf, where a framework has several."""

    def guard(self) -> Guard:
        return Guard(self.policies, enforce=self.enforce)


class Service(Protocol):
    guard: Guard

    def send(self, method: str, path: str, headers: Fields) -> Answer: ...

    def replace(self, path: str, mark: Mark) -> None:
        """Put another view in the place of the one at path."""


def decorate(view: Any, mark: Mark) -> Any:
    if isinstance(mark, str):
        return view
    return cors_exempt(view) if mark is None else cors_policy(mark)(view)


class _WithoutViews:
    """A service of an adapter that knows no views."""

    def __init__(self, world: World) -> None:
        self.guard = world.guard()

    def replace(self, path: str, mark: Mark) -> None:
        pass


class WSGIService(_WithoutViews):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._app = WSGIMiddleware(wsgi_application, self.guard)

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        return through_validator(self._app, environ_of(method, path, headers))


class ASGIService(_WithoutViews):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._app = ASGIMiddleware(asgi_application, self.guard)

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        exchange = ask(self._app, scope_of(method, path, headers))
        return exchange.status, exchange.fields, exchange.body


class FlaskService:
    def __init__(self, world: World) -> None:
        self.guard = world.guard()
        self._flask = Flask(__name__, static_folder=None)
        for where in PATHS:
            view = decorate(_flask_view(), world.marks.get(where, ""))
            self._flask.add_url_rule(where, where.strip("/"), view, methods=["GET", "POST", "PUT"])
        by_method = _flask_class(world.marks.get(BY_METHOD, ""))
        self._flask.add_url_rule(BY_METHOD, view_func=by_method)
        self._flask.wsgi_app = _caching(self._flask.wsgi_app)  # type: ignore[method-assign, assignment]
        CORSGuard(self._flask, self.guard)

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        return through_validator(self._flask, environ_of(method, path, headers))

    def replace(self, path: str, mark: Mark) -> None:
        self._flask.view_functions[path.strip("/")] = decorate(_flask_view(), mark)


def _flask_view() -> Callable[[], str]:
    def view() -> str:
        return "seen"

    return view


def _flask_class(mark: Mark) -> Any:
    def put(self: Any) -> str:
        return "put"

    members = {"get": lambda self: "got", "put": decorate(put, mark)}
    return type("ByMethod", (MethodView,), members).as_view("by-method")  # type: ignore[attr-defined]


def _caching(app: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_X_CACHED" not in environ:
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"cached"]

    return answer


class StarletteService:
    """Starlette, with the views of the other URLconf below /other, to which a middleware leads."""

    def __init__(self, world: World) -> None:
        self.guard = world.guard()
        other = Mount("/other", routes=_starlette_routes(world.other_marks))
        self._starlette = Starlette(routes=[*_starlette_routes(world.marks), other])
        StarletteGuard(self._starlette, self.guard)
        self._starlette.add_middleware(_caching_asgi)
        self._starlette.add_middleware(_rewriting(BELOW))

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        app = _rewriting(ABOVE)(self._starlette)
        exchange = ask(app, scope_of(method, path, headers))
        return exchange.status, exchange.fields, exchange.body

    def replace(self, path: str, mark: Mark) -> None:
        self._starlette.routes[PATHS.index(path)] = _starlette_route(path, mark)


def _starlette_routes(marks: Marks) -> list[Any]:
    async def put(self: Any, request: Request) -> Response:
        return PlainTextResponse("put")

    members = {"get": _starlette_get, "put": decorate(put, marks.get(BY_METHOD, ""))}
    by_method = type("ByMethod", (HTTPEndpoint,), members)
    routes = [_starlette_route(where, marks.get(where, "")) for where in PATHS]
    return [*routes, Route(BY_METHOD, by_method)]


def _starlette_route(path: str, mark: Mark) -> Route:
    async def view(request: Request) -> Response:
        return PlainTextResponse("seen")

    return Route(path, decorate(view, mark), methods=["GET", "POST", "PUT"])


async def _starlette_get(self: Any, request: Request) -> Response:
    return PlainTextResponse("got")


def _rewriting(field: str) -> Callable[[Any], Any]:
    """Return a middleware that leads to the views of the URLconf that a field names."""

    def around(app: Any) -> Any:
        async def rewrite(scope: Any, receive: Any, send: Any) -> None:
            name = dict(scope["headers"]).get(field.lower().encode())
            if name is not None:
                path = scope["path"].removeprefix("/other")
                scope = {**scope, "path": f"/other{path}" if name == b"other" else path}
            await app(scope, receive, send)

        return rewrite

    return around


def _caching_asgi(app: Any) -> Any:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        is_cached = CACHED.lower().encode() in dict(scope["headers"])
        await (PlainTextResponse("cached") if is_cached else app)(scope, receive, send)

    return answer


class DjangoService:
    """Django, as long as the settings are those that it was made with."""

    def __init__(self, guard: Guard, handler: WSGI | ASGI) -> None:
        self.guard = guard
        self.send = handler.exchange

    def replace(self, path: str, mark: Mark) -> None:
        """Do nothing: the views of a URLconf are what they are."""


URLCONFS: dict[str, Any] = {}
"""Value of X-Above or X-Below -> its URLconf."""


@contextmanager
def _django(world: World, handler: type[WSGI | ASGI], *, is_async: bool) -> Iterator[Service]:
    guard = world.guard()
    root = _urlconf(world.marks, is_async=is_async)
    URLCONFS.update(root=root, other=_urlconf(world.other_marks, is_async=is_async))
    stack = [f"{__name__}.above", "corsguard_django.CORSMiddleware", f"{__name__}.below"]
    with override_settings(ROOT_URLCONF=root, CORSGUARD=guard, MIDDLEWARE=stack):
        yield DjangoService(guard, handler())
    URLCONFS.clear()
    clear_url_caches()


def _urlconf(marks: Marks, *, is_async: bool) -> Any:
    make_view = _async_django_view if is_async else _django_view
    patterns = [
        path(where.strip("/"), decorate(make_view(), marks.get(where, ""))) for where in PATHS
    ]
    handlers = {"get": make_view(), "put": decorate(make_view(), marks.get(BY_METHOD, ""))}
    by_method: Any = type("ByMethod", (DjangoView,), handlers)
    return (*patterns, path(BY_METHOD.strip("/"), by_method.as_view()))


def _django_view() -> Callable[..., Any]:
    def view(*args: Any) -> HttpResponse:
        return HttpResponse("seen", "text/plain")

    return view


def _async_django_view() -> Callable[..., Any]:
    async def view(*args: Any) -> HttpResponse:
        return HttpResponse("seen", "text/plain")

    return view


def _middleware(before: Callable[[HttpRequest], HttpResponse | None]) -> Any:
    """Return a middleware that answers what `before` does, in either mode."""

    @sync_and_async_middleware
    def middleware(get_response: Any) -> Any:
        if not iscoroutinefunction(get_response):
            return lambda request: before(request) or get_response(request)

        async def respond(request: HttpRequest) -> Any:
            return before(request) or await get_response(request)

        return respond

    return middleware


def _set_urlconf(request: HttpRequest, field: str) -> None:
    if name := request.headers.get(field):
        request.urlconf = URLCONFS[name]


def _before_above(request: HttpRequest) -> None:
    _set_urlconf(request, ABOVE)


def _before_below(request: HttpRequest) -> HttpResponse | None:
    _set_urlconf(request, BELOW)
    return HttpResponse("cached", "text/plain") if CACHED in request.headers else None


above, below = _middleware(_before_above), _middleware(_before_below)


@contextmanager
def wsgi(world: World) -> Iterator[Service]:
    yield WSGIService(world)


@contextmanager
def asgi(world: World) -> Iterator[Service]:
    yield ASGIService(world)


@contextmanager
def flask(world: World) -> Iterator[Service]:
    yield FlaskService(world)


@contextmanager
def starlette(world: World) -> Iterator[Service]:
    yield StarletteService(world)


def django(world: World) -> AbstractContextManager[Service]:
    return _django(world, WSGI, is_async=False)


def django_async(world: World) -> AbstractContextManager[Service]:
    return _django(world, ASGI, is_async=True)


Serve = Callable[[World], AbstractContextManager[Service]]
ADAPTERS: Sequence[Serve] = (wsgi, asgi, flask, starlette, django, django_async)
