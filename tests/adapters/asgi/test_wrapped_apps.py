"""The application is found behind layers that do not keep the next one in `app`."""

from __future__ import annotations

import asyncio
import functools
import logging
import types
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar
from litestar import get as litestar_get
from litestar.middleware import DefineMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support.asgi_exchange import APP, Answering, App, ask, get, scope_of
from werkzeug.local import LocalProxy

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
ADMIN = Policy(allow_origins=[APP], expose_headers=["X-Admin"])
ROUTES = {"/": POLICY, "/admin": None}
OF_ROOT = {"access-control-allow-origin": APP, "vary": "Origin"}
OF_ADMIN = {**OF_ROOT, "access-control-expose-headers": "X-Admin"}
NONE: dict[str, str] = {}


def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def service(root_path: str = "/v1") -> FastAPI:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions have the server say it
        app = FastAPI(root_path=root_path)
    app.add_route("/admin", hello, methods=["GET", "POST"])
    return app


# Layers, each of which hides what it wraps in another place


def closure(app: App) -> App:
    async def timing(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return timing


def closure_without_a_value(app: App) -> App:
    async def timing(scope: Any, receive: Any, send: Any) -> None:
        await (app if scope else unset)(scope, receive, send)  # noqa: F821  # it has no value

    unset = app
    del unset
    return timing


def two_closures(app: App) -> App:
    return closure(closure(app))


def default(app: App) -> App:
    async def timing(scope: Any, receive: Any, send: Any, app: App = app) -> None:
        await app(scope, receive, send)

    return timing


def keyword_default(app: App) -> App:
    async def timing(scope: Any, receive: Any, send: Any, *, app: App = app) -> None:
        await app(scope, receive, send)

    return timing


def module_of(name: str, source: str, **variables: Any) -> Any:
    """Return a module of an application, whose functions read its global variables."""
    module = types.ModuleType(name)
    vars(module).update(variables)
    exec(source, vars(module))
    return module


def global_variable(app: App) -> App:
    source = "async def timing(scope, receive, send):\n    await inner(scope, receive, send)"
    timing: App = module_of("main", source, inner=app).timing
    return timing


def global_of_an_inner_function(app: App) -> App:
    source = """
async def timing(scope, receive, send):
    async def run():
        await inner(scope, receive, send)
    await run()
"""
    timing: App = module_of("main", source, inner=app).timing
    return timing


def variable_of_a_module(app: App) -> App:
    package, module = types.ModuleType("package"), types.ModuleType("package.service")
    vars(package).update(service=module)
    vars(module).update(inner=app, package=package)
    source = """
async def timing(scope, receive, send):
    await package.service.inner(scope, receive, send)
"""
    timing: App = module_of("main", source, package=package).timing
    return timing


class Inner:
    def __init__(self, app: App) -> None:
        self.inner = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner(scope, receive, send)


class Wrapped:
    def __init__(self, app: App) -> None:
        self._wrapped = Inner(app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._wrapped(scope, receive, send)


class Slots:
    __slots__ = ("inner", "unset")

    def __init__(self, app: App) -> None:
        self.inner = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner(scope, receive, send)


class Handler:
    """It is no application; its method is."""

    def __init__(self, app: App) -> None:
        self.inner = app

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner(scope, receive, send)

    def handler(self) -> App:
        async def handle(scope: Any, receive: Any, send: Any) -> None:
            await self.inner(scope, receive, send)

        return handle


def method(app: App) -> App:
    return Handler(app).handle


def closure_over_self(app: App) -> App:
    return Handler(app).handler()


def partial(app: App) -> App:
    async def timing(app: App, scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return functools.partial(timing, app)


def partial_of_a_keyword(app: App) -> App:
    async def timing(scope: Any, receive: Any, send: Any, *, app: App) -> None:
        await app(scope, receive, send)

    return functools.partial(timing, app=app)


def class_variable(app: App) -> App:
    class Timing:
        inner = staticmethod(app)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.inner(scope, receive, send)

    return Timing()


def closure_of_a_method(app: App) -> App:
    class Timing:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.run(scope, receive, send)

        async def run(self, scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)

    return Timing()


OPAQUE = pytest.mark.parametrize(
    "layer",
    [
        closure,
        closure_without_a_value,
        two_closures,
        default,
        keyword_default,
        global_variable,
        global_of_an_inner_function,
        variable_of_a_module,
        Inner,
        Wrapped,
        Slots,
        method,
        closure_over_self,
        partial,
        partial_of_a_keyword,
        class_variable,
        closure_of_a_method,
    ],
)


@OPAQUE
def test_opaque_layer_uses_the_root_path_of_fastapi(
    layer: Callable[[App], App], caplog: pytest.LogCaptureFixture
) -> None:
    app = CORSMiddleware(layer(service()), ROUTES)
    for root_path in ("", "/other", "/v1"):
        answer = get(app, "/v1/admin", root_path=root_path)
        assert (answer.status, answer.cors) == (200, NONE)
        assert get(app, "/v1/other", root_path=root_path).cors == OF_ROOT
    enforced = CORSMiddleware(layer(service()), Guard(ROUTES, enforce=True))
    for root_path in ("", "/v1"):
        scope = scope_of("POST", "/v1/admin", [("Origin", APP)], root_path=root_path)
        assert ask(enforced, scope).status == 403
    assert [text for text in caplog.messages if "root_path" in text] == []


@OPAQUE
def test_opaque_layer_uses_the_rule_of_starlette(layer: Callable[[App], App]) -> None:
    app = CORSMiddleware(layer(Starlette(routes=[Route("/admin", hello)])), ROUTES)
    answer = get(app, "/svc/admin", root_path="/svc")
    assert (answer.status, answer.cors) == (200, NONE)
    assert get(app, "/svc/other", root_path="/svc").cors == OF_ROOT


def test_application_assigned_later_is_found() -> None:
    held: Any = Inner(Answering())
    del held.inner
    app = CORSMiddleware(held, ROUTES)
    held.inner = service()
    assert get(app, "/v1/admin").cors == NONE
    assert get(app, "/v1/other").cors == OF_ROOT


def test_closure_variable_assigned_later_is_found_at_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def timing(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await inner(scope, receive, send)

    app = CORSMiddleware(timing, ROUTES)
    inner = service()
    with caplog.at_level(logging.INFO):
        asyncio.run(app({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert caplog.messages == []
    assert get(app, "/v1/admin").cors == NONE


# More than one application


def either(one: App, other: App) -> App:
    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        await (one if scope["path"].startswith("/v1") else other)(scope, receive, send)

    return dispatch


@pytest.mark.parametrize("turn", [1, -1])
def test_applications_that_differ_have_no_route(
    turn: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = CORSMiddleware(either(*[service(), service("")][::turn]), {"/": POLICY, "/other": ADMIN})
    assert get(app, "/other").cors == OF_ADMIN  # both read it
    assert get(app, "/v1/admin").cors == NONE
    [warned] = caplog.messages
    assert warned.startswith("no route applies to /v1/admin (root_path ''): ")
    assert "Wrap the framework's application itself" in warned


def test_applications_that_agree_have_routes() -> None:
    app = CORSMiddleware(either(service(), service()), ROUTES)
    assert get(app, "/v1/admin").cors == NONE
    assert get(app, "/v1/other").cors == OF_ROOT


def test_application_around_the_middleware_is_ignored() -> None:
    outer = Starlette()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        scope["seen"] = outer
        await PlainTextResponse("hello")(scope, receive, send)

    outer.router.routes.append(Mount("/svc", CORSMiddleware(inner, {"/": POLICY})))
    assert get(outer, "/svc/admin").cors == NONE


def test_opaque_layer_in_starlette_reads_the_path_of_the_router() -> None:
    layers = [Middleware(CORSMiddleware, policy={"/": ADMIN}), Middleware(Inner)]
    app = Starlette(routes=[Route("/admin", hello)], middleware=layers)
    assert get(app, "/svc/admin", root_path="/svc").cors == OF_ADMIN


def test_opaque_layer_in_litestar_does_not_lead_back() -> None:
    @litestar_get("/svc/admin", sync_to_thread=False)
    def admin() -> str:
        return "hello"

    layers: list[Any] = [DefineMiddleware(CORSMiddleware, policy={"/admin": ADMIN}), Inner]
    app = Litestar([admin], middleware=layers, logging_config=None)
    for root_path in ("", "/svc"):
        answer = get(app, f"{root_path}/svc/admin", root_path=root_path)
        assert (answer.status, answer.cors) == (200, NONE)


# Collections, of which a layer may call one or another


class Collected:
    def __init__(self, app: App, of: Callable[[list[App]], Any]) -> None:
        self.apps = of([app])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        [app] = self.apps.values() if isinstance(self.apps, dict) else self.apps
        await app(scope, receive, send)


COLLECTIONS = pytest.mark.parametrize(
    "of", [list, tuple, set, frozenset, lambda apps: {"/": apps[0]}]
)


@COLLECTIONS
def test_fastapi_with_a_root_path_in_a_collection_has_no_route(
    of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = CORSMiddleware(Collected(service(), of), Guard(ROUTES, enforce=True))
    for path in ("/v1/admin", "/v1/other"):
        assert ask(app, scope_of("POST", path, [("Origin", APP)])).status == 403
    assert get(app, "/other").cors == OF_ROOT
    [warned] = [text for text in caplog.messages if "root_path" in text]
    assert warned.startswith("no route applies to /v1/admin (root_path '')")


@COLLECTIONS
@pytest.mark.parametrize("inner", [service(""), Starlette()])
def test_fastapi_without_root_path_in_a_collection_has_routes(inner: App, of: Any) -> None:
    app = CORSMiddleware(Collected(inner, of), ROUTES)
    assert get(app, "/v1/admin").cors == OF_ROOT
    assert get(app, "/v1/admin", root_path="/v1").cors == NONE


def test_fastapi_around_the_middleware_is_ignored() -> None:
    outer = service()
    layer: Any = Answering()
    layer.apps = [outer]
    scope = scope_of("GET", "/v1/other", [("Origin", APP)], app=outer)
    assert ask(CORSMiddleware(layer, ROUTES), scope).cors == OF_ROOT


# What is not found


class Hidden:
    """A layer that keeps the next one in what is no application itself."""

    def __init__(self, app: App) -> None:
        self.state = Handler(app)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.state.inner(scope, receive, send)


def test_ignored_root_path_of_an_application_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = CORSMiddleware(Hidden(service()), ROUTES)
    for _ in range(2):
        get(app, "/v1/admin\n")
    [warned] = caplog.records
    assert (warned.levelname, warned.name) == ("WARNING", "corsguard")
    text = warned.getMessage()
    assert text.startswith(r"the policy for /v1/admin\n was chosen without root_path '/v1': ")
    assert "Wrap the framework's application itself" in text


@pytest.mark.parametrize(
    ("app", "policy"),
    [
        (Hidden(service()), POLICY),
        (Hidden(service("")), ROUTES),
        (Hidden(service("/")), ROUTES),
        (Hidden(Starlette(routes=[Mount("/v1", routes=[Route("/admin", hello)])])), ROUTES),
        (Hidden(Answering()), ROUTES),
    ],
)
def test_request_without_an_ignored_root_path_logs_nothing(
    app: App, policy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    get(CORSMiddleware(app, policy), "/v1/admin")
    assert caplog.messages == []


def test_proxy_and_property_are_never_evaluated() -> None:
    def evaluate() -> Any:
        raise AssertionError("a proxy was evaluated")

    class Layer(Inner):
        proxy: Any = LocalProxy(evaluate)
        kind = FastAPI

        @property
        def attribute(self) -> Any:
            return evaluate()

    proxy: Any = LocalProxy(evaluate)
    app = Layer(service())
    app.beside = [proxy]  # type: ignore[attr-defined]
    app.proxy = proxy
    assert get(CORSMiddleware(app, ROUTES), "/v1/admin").cors == NONE


class Endless(Answering):
    """Each of its objects holds another."""

    @classmethod
    def chain(cls, length: int) -> Endless:
        first = cls()
        last: Any = first
        for _ in range(length):
            last.inner = cls()
            last = last.inner
        last.inner = service()
        return first


@pytest.mark.parametrize(("length", "cors"), [(10, NONE), (2000, OF_ROOT)])
def test_search_stops_after_a_number_of_objects(length: int, cors: dict[str, str]) -> None:
    assert get(CORSMiddleware(Endless.chain(length), ROUTES), "/v1/admin").cors == cors
