"""The path that a policy is looked up by is the one that the application's router reads."""

from __future__ import annotations

import asyncio
import functools
import logging
import warnings
from collections.abc import Callable
from typing import Any

import falcon
import falcon.asgi
import pytest
import support.django_project  # noqa: F401  # the settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from fastapi import FastAPI
from litestar import Litestar, asgi
from litestar.middleware import DefineMiddleware
from quart import Quart
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from support.asgi_exchange import APP, Answering, App, Exchange, ask, get, scope_of

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
ADMIN = Policy(allow_origins=[APP], expose_headers=["X-Admin"])
ROUTES = {"/": POLICY, "/admin": ADMIN, "/svc/admin": None}
OF_ROOT = {"access-control-allow-origin": APP, "vary": "Origin"}
OF_ADMIN = {**OF_ROOT, "access-control-expose-headers": "X-Admin"}
NONE: dict[str, str] = {}


def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


def starlette(**options: Any) -> Starlette:
    return Starlette(routes=[Route("/admin", hello), Route("/svc/admin", hello)], **options)


def fastapi(root_path: str) -> FastAPI:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions have the server say it
        app = FastAPI(root_path=root_path)
    app.add_route("/admin", hello)
    return app


# An application that is not known


@pytest.mark.parametrize("path", ["/svc/admin", "/svc", "/admin", "/x/svc/admin", "admin", ""])
@pytest.mark.parametrize("root_path", ["/svc", "/svc/", "svc"])
def test_unknown_application_under_a_root_path_has_no_route(root_path: str, path: str) -> None:
    app = CORSMiddleware(Answering(), ROUTES)
    assert get(app, path, root_path=root_path).cors == NONE


@pytest.mark.parametrize("root_path", ["", "/", None])
def test_unknown_application_without_root_path_has_routes(root_path: str | None) -> None:
    app = CORSMiddleware(Answering(), ROUTES)
    assert get(app, "/admin", root_path=root_path).cors == OF_ADMIN
    assert get(app, "/other", root_path=root_path).cors == OF_ROOT
    assert get(app, "/svc/admin", root_path=root_path).cors == NONE


def test_single_policy_applies_to_an_unknown_application(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        app = CORSMiddleware(Answering(), POLICY)
        assert get(app, "/svc/admin", root_path="/svc").cors == OF_ROOT
    assert caplog.messages == []


def test_unknown_application_under_enforce_is_refused() -> None:
    own = Policy(allow_origins=[APP])
    by_route = Guard({"/": own}, enforce=True, enforce_exempt=["/hooks"])
    everywhere = Guard(own, enforce=True, enforce_exempt=["/hooks"])
    for guard, origin in ((by_route, APP), (everywhere, "https://evil.example")):
        app = CORSMiddleware(Answering(), guard)
        for path in ("/svc/admin", "/svc/hooks", "/hooks"):
            scope = scope_of("POST", path, [("Origin", origin)], root_path="/svc")
            assert ask(app, scope).status == 403


@pytest.mark.parametrize(
    "guard", [Guard(ROUTES), Guard(POLICY, enforce=True, enforce_exempt=["/hooks"])]
)
def test_unknown_application_is_logged_at_start_and_once_later(
    guard: Guard, caplog: pytest.LogCaptureFixture
) -> None:
    async def start(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"

    started_with: Any = None
    with caplog.at_level(logging.INFO):
        asyncio.run(CORSMiddleware(start, guard)({"type": "lifespan"}, started_with, started_with))
    app = CORSMiddleware(Answering(), guard)
    [started] = caplog.records
    assert (started.levelname, started.name) == ("INFO", "corsguard")
    assert "no route applies to a request with a root path" in started.getMessage()
    caplog.clear()
    for _ in range(2):
        get(app, "/svc/admin\n", "https://evil.example", root_path="/svc\n")
    warned = [text for text in caplog.messages if "root_path" in text]
    assert [text.partition(":")[0] for text in warned] == [
        r"no route applies to /svc/admin\n (root_path '/svc\\n')"
    ]
    assert "Answering" in warned[0]
    assert "Wrap the framework's application itself" in warned[0]
    assert "one policy for every path" in warned[0]


def test_known_application_logs_nothing_at_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        CORSMiddleware(starlette(), ROUTES)
    assert caplog.messages == []


def test_routes_configured_later_are_logged_then(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(Policy(allow_origins=[lambda origin: True]))
    app = CORSMiddleware(Answering(), guard)
    get(app, root_path="/svc")
    assert caplog.messages == []
    guard.reconfigure(ROUTES)
    get(app, root_path="/svc")
    assert len(caplog.messages) == 1


# FastAPI, whose own root path replaces the server's


def layered(app: App) -> App:
    return GZipMiddleware(app)


def decorated(app: App) -> App:
    @functools.wraps(app)
    async def around(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return around


def twice(app: App) -> App:
    return CORSMiddleware(app, Guard(None, enforce=True))


LAYERS = pytest.mark.parametrize("layer", [lambda app: app, layered, decorated, twice])


@LAYERS
@pytest.mark.parametrize("root_path", ["", "/other", "/v1"])
def test_root_path_of_fastapi_is_removed(layer: Callable[[App], App], root_path: str) -> None:
    app = CORSMiddleware(layer(fastapi("/v1")), {"/": POLICY, "/admin": None})
    answer = get(app, "/v1/admin", root_path=root_path)
    assert (answer.status, answer.cors) == (200, NONE)
    assert get(app, "/v1/other", root_path=root_path).cors == OF_ROOT
    enforced = CORSMiddleware(layer(fastapi("/v1")), Guard({"/other": POLICY}, enforce=True))
    refused = scope_of("POST", "/v1/admin", [("Origin", APP)], root_path=root_path)
    assert ask(enforced, refused).status == 403


def test_root_path_that_fastapi_gets_later_is_removed() -> None:
    service = fastapi("")
    app = CORSMiddleware(service, {"/": POLICY, "/admin": None})
    service.root_path = "/v1"
    assert get(app, "/v1/admin").cors == NONE


def test_middleware_added_to_fastapi_reads_the_scope() -> None:
    app = fastapi("/v1")
    app.add_middleware(CORSMiddleware, policy=ROUTES)
    assert get(app, "/v1/admin").cors == OF_ADMIN
    assert get(app, "/admin").cors == OF_ADMIN
    assert get(app, "/v1/other").cors == OF_ROOT


# Starlette, in front of it and within


@LAYERS
def test_starlette_removes_whole_segments(layer: Callable[[App], App]) -> None:
    app = CORSMiddleware(layer(starlette()), ROUTES)
    for path, cors in {
        "/svc/admin": OF_ADMIN,
        "/admin": OF_ADMIN,
        "/svc": OF_ROOT,
        "/svcadmin": OF_ROOT,
        "/svc/svc/admin": NONE,
        "/x/svc/admin": OF_ROOT,
        "/svc//admin": NONE,
    }.items():
        assert get(app, path, root_path="/svc").cors == cors


def test_starlette_ignores_a_root_path_with_a_last_slash() -> None:
    app = CORSMiddleware(starlette(), ROUTES)
    answer = get(app, "/svc/admin", root_path="/svc/")
    assert (answer.status, answer.cors) == (200, NONE)  # which is the policy of /svc/admin


class Opaque:
    """A middleware that does not say what it wraps."""

    def __init__(self, app: App) -> None:
        self._inner = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._inner(scope, receive, send)


def test_middleware_added_to_starlette_ignores_inner_layers() -> None:
    app = starlette(middleware=[Middleware(CORSMiddleware, policy=ROUTES), Middleware(Opaque)])
    assert get(app, "/svc/admin", root_path="/svc").cors == OF_ADMIN


def test_mounted_unknown_application_has_no_routes() -> None:
    inner = CORSMiddleware(Answering(), ROUTES)
    app = starlette(middleware=[Middleware(CORSMiddleware, policy={"/other": POLICY})])
    app.mount("/inner", inner)
    assert get(app, "/inner/admin").cors == NONE
    app = Starlette(routes=[Mount("/inner", inner)])
    assert get(app, "/inner/admin").cors == NONE


def test_mounted_application_has_routes_below_its_mount() -> None:
    inner = CORSMiddleware(starlette(), ROUTES)
    mounted = Mount("/svc", routes=[Route("/admin", hello)], middleware=[cors()])
    for mount in (Mount("/svc", inner), mounted):
        assert get(Starlette(routes=[mount]), "/svc/admin").cors == OF_ADMIN


def cors() -> Middleware:
    return Middleware(CORSMiddleware, policy=ROUTES)


def test_mounted_falcon_reads_the_whole_path() -> None:
    app = Starlette(routes=[Mount("/svc", CORSMiddleware(falcon_app(), ROUTES))])
    answer = get(app, "/svc/admin")
    assert (answer.status, answer.cors) == (200, NONE)


class Endpoint(HTTPEndpoint):
    def get(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")


@pytest.mark.parametrize("endpoint", [hello, Endpoint])
def test_middleware_of_one_route_reads_the_path_of_the_router(endpoint: Any) -> None:
    app = Starlette(routes=[Route("/admin", endpoint, middleware=[cors()])])
    for root_path in ("", "/svc"):
        answer = get(app, f"{root_path}/admin", root_path=root_path)
        assert (answer.status, answer.cors) == (200, OF_ADMIN)


class OfWSGI(Answering):
    """What makes an ASGI application of a WSGI one."""

    def __init__(self, app: object) -> None:
        super().__init__()
        self.app = app


def test_wsgi_application_behind_asgi_is_unknown() -> None:
    app = CORSMiddleware(OfWSGI(falcon.App()), ROUTES)
    assert get(app, "/svc/admin", root_path="/svc").cors == NONE


def test_layer_that_wraps_itself_ends_the_search() -> None:
    app = Answering()
    app.app = app  # type: ignore[attr-defined]
    assert get(CORSMiddleware(app, ROUTES), "/svc/admin", root_path="/svc").cors == NONE


# The others


def falcon_app() -> falcon.asgi.App[Any, Any]:
    class View:
        async def on_get(self, request: Any, response: Any) -> None:
            response.text = "hello"

    app = falcon.asgi.App()
    app.add_route("/admin", View())
    app.add_route("/svc/admin", View())
    return app


def test_falcon_ignores_the_root_path() -> None:
    app = CORSMiddleware(falcon_app(), ROUTES)
    answer = get(app, "/svc/admin", root_path="/svc")
    assert (answer.status, answer.cors) == (200, NONE)
    assert get(app, "/admin", root_path="/svc").cors == OF_ADMIN


def litestar(*layers: Any) -> Litestar:
    @asgi("/admin", is_mount=True, copy_scope=True)
    async def admin(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("mounted")(scope, receive, send)

    @asgi("/plain", copy_scope=True)
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("plain")(scope, receive, send)

    return Litestar([admin, plain], middleware=[*layers], logging_config=None)


@pytest.mark.parametrize("path", ["/svc/admin", "/x/svc/admin/", "/svcadmin", "/admin"])
def test_litestar_removes_the_root_path_anywhere(path: str) -> None:
    answer = get(CORSMiddleware(litestar(), ROUTES), path, root_path="/svc")
    assert (answer.status, answer.cors) == (200, OF_ADMIN)


@pytest.mark.parametrize("root_path", ["", "/svc"])
def test_mount_of_litestar_has_no_route(root_path: str, caplog: pytest.LogCaptureFixture) -> None:
    layer = DefineMiddleware(CORSMiddleware, policy={"/": POLICY, "/plain": ADMIN})
    app: App = litestar(layer)
    plain, mounted = (
        get(app, f"{root_path}{path}", root_path=root_path) for path in ("/plain", "/admin/x")
    )
    assert (plain.body, plain.cors) == (b"plain", OF_ADMIN)
    assert (mounted.body, mounted.cors) == (b"mounted", NONE)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"no route applies to /x/ (root_path {root_path!r})")


def quart(*, inside: bool) -> App:
    app = Quart(__name__)

    @app.get("/admin")
    async def admin() -> str:
        return "hello"

    if not inside:
        return CORSMiddleware(app, ROUTES)
    app.asgi_app = CORSMiddleware(app.asgi_app, ROUTES)  # type: ignore[method-assign]
    return app


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("path", "status", "cors"),
    [
        ("/svc/admin", 200, OF_ADMIN),
        ("/svcadmin", 200, OF_ADMIN),
        ("/svc", 404, NONE),
        ("/admin", 404, NONE),
        ("/svc/other", 404, OF_ROOT),
    ],
)
def test_quart_removes_the_root_path_at_the_beginning(
    inside: bool, path: str, status: int, cors: dict[str, str]
) -> None:
    answer = get(quart(inside=inside), path, root_path="/svc")
    assert (answer.status, answer.cors) == (status, cors)


def django_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


DJANGO = (django_path("admin", django_view), django_path("svc/admin", django_view))


@pytest.mark.parametrize(
    ("force", "root_path", "cors"),
    [(None, "/svc", OF_ADMIN), ("/svc", "", OF_ADMIN), ("/x", "/svc", NONE), (None, "", NONE)],
)
def test_django_removes_its_script_name(
    force: str | None, root_path: str, cors: dict[str, str]
) -> None:
    with override_settings(MIDDLEWARE=[], ROOT_URLCONF=DJANGO, FORCE_SCRIPT_NAME=force):
        answer: Exchange = get(
            CORSMiddleware(ASGIHandler(), ROUTES), "/svc/admin", root_path=root_path
        )
    assert (answer.status, answer.cors) == (200, cors)
