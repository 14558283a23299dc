"""Per-view policies that are particular to Starlette and FastAPI.

support/rows/views.py has the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial, wraps
from types import ModuleType
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from support.asgi_exchange import APP, EVIL, ask, scope_of
from support.starlette_requests import (
    PARTNER,
    PARTNERS,
    POLICY,
    PUBLIC,
    connect,
    fetch,
    get_allow_origin,
    preflight,
    view,
)

from corsguard import Guard, Policy
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy
from corsguard_starlette.listing import rows_of

pytestmark = pytest.mark.usefixtures("no_leftovers")

Endpoint = Callable[[Request], Response]


def new_view() -> Endpoint:
    return lambda request: view(request)


def guarded(*routes: BaseRoute) -> tuple[Starlette, CORSGuard]:
    app = Starlette(routes=routes)
    return app, CORSGuard(app, POLICY)


# Decorators


class Called:
    async def __call__(self, request: Request) -> Response:
        return PlainTextResponse("called")

    def method(self, request: Request) -> Response:
        return PlainTextResponse("method")


def with_wraps(endpoint: Endpoint) -> Endpoint:
    @wraps(endpoint)
    def wrapper(request: Request) -> Response:
        return endpoint(request)

    return wrapper


@pytest.mark.parametrize(
    "endpoint",
    [
        cors_policy(PUBLIC)(partial(new_view())),
        partial(cors_policy(PUBLIC)(new_view())),
        cors_policy(PUBLIC)(Called().method),
        with_wraps(cors_policy(PUBLIC)(new_view())),
    ],
)
def test_endpoint_of_every_kind_has_its_policy(endpoint: Endpoint) -> None:
    app, _ = guarded(Route("/", endpoint))
    assert get_allow_origin(app) == "*"


def test_fastapi_endpoint_that_is_an_object_has_its_policy() -> None:
    class Endpoint:
        def __call__(self) -> str:
            return "called"

    app = FastAPI()
    CORSGuard(app, POLICY)
    app.add_api_route("/", cors_policy(PUBLIC)(Endpoint()))
    assert (fetch(app).body, get_allow_origin(app)) == (b'"called"', "*")


def test_decorator_above_the_route_applies() -> None:
    app = FastAPI()
    CORSGuard(app, POLICY)

    @cors_exempt
    @app.get("/")
    def internal() -> str:
        return "internal"

    assert fetch(app).cors == {}


def test_class_method_wins_over_its_class_and_head_is_get() -> None:
    @cors_policy(PARTNERS)
    class Item(HTTPEndpoint):
        @cors_policy(PUBLIC)
        def get(self, request: Request) -> Response:
            return view(request)

        def put(self, request: Request) -> Response:
            return view(request)

    app, _ = guarded(Route("/", Item))
    assert fetch(app, method="HEAD", origin=EVIL).cors["access-control-allow-origin"] == "*"
    assert fetch(app, method="PUT", origin=PARTNER).cors["access-control-allow-origin"] == PARTNER
    assert fetch(app, method="DELETE").cors["access-control-allow-origin"] == APP  # a 405
    assert preflight(app, "/", "GET", EVIL).cors["access-control-allow-methods"] == "GET, HEAD"


def test_method_in_lower_case_has_the_policy_of_the_handler_that_it_may_reach() -> None:
    class Item(HTTPEndpoint):
        @cors_policy(PARTNERS)
        def put(self, request: Request) -> Response:
            return view(request)

    app, _ = guarded(Route("/", Item))  # Starlette 0.46 calls the handler
    assert fetch(app, method="put").cors == {"vary": "Origin"}
    assert fetch(app, method="put", origin=PARTNER).cors["access-control-allow-origin"] == PARTNER
    assert preflight(app, "/", "put", PARTNER).status == 204
    assert preflight(app, "/", "put").status == 403


def test_head_of_a_class_has_its_own_policy() -> None:
    class Item(HTTPEndpoint):
        def get(self, request: Request) -> Response:
            return view(request)

        @cors_exempt
        def head(self, request: Request) -> Response:
            return view(request)

    app, _ = guarded(Route("/", Item))
    assert fetch(app, method="HEAD").cors == {}
    assert get_allow_origin(app) == APP


def test_class_with_a_dispatch_of_its_own_has_its_policy_for_any_method() -> None:
    @cors_exempt
    class Everything(HTTPEndpoint):
        async def dispatch(self) -> None:
            await PlainTextResponse("any")(self.scope, self.receive, self.send)

    app, _ = guarded(Route("/", Everything))
    answer = fetch(app, method="PURGE")
    assert (answer.body, answer.cors) == (b"any", {})


def test_class_of_a_websocket_has_its_policy() -> None:
    @cors_policy(PARTNERS)
    class Feed(WebSocketEndpoint):
        async def on_connect(self, websocket: Any) -> None:
            await websocket.accept()
            await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/feed", Feed)])
    CORSGuard(app, Guard(POLICY, enforce=True))
    assert connect(app, "/feed", PARTNER) == "websocket.accept"
    assert connect(app, "/feed", APP) == "websocket.close"


def test_fastapi_websocket_of_a_router_has_the_policy_of_the_router() -> None:
    app, router = FastAPI(), APIRouter(prefix="/live")
    cors = CORSGuard(app, Guard(POLICY, enforce=True))
    cors.set_policy(router, PARTNERS)

    @router.websocket("/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app.include_router(router, prefix="/v1")
    assert connect(app, "/v1/live/feed", PARTNER) == "websocket.accept"
    assert connect(app, "/v1/live/feed", APP) == "websocket.close"


# set_policy


def check_session() -> None:
    """A dependency."""


@pytest.mark.parametrize("order", ["before", "after", "after the first request"])
@pytest.mark.parametrize("has_prefix", [True, False])
def test_policy_of_a_router_applies_whenever_it_is_set(order: str, has_prefix: bool) -> None:
    app, outer, inner = FastAPI(), APIRouter(), APIRouter()
    cors = CORSGuard(app, POLICY)
    inner.add_api_route("/inner", new_endpoint())
    outer.add_api_route("/outer", new_endpoint())
    app.add_api_route("/app", new_endpoint())

    def set_policies() -> None:
        cors.set_policy(outer, PARTNERS)
        cors.set_policy(inner, PUBLIC)

    if order == "before":
        set_policies()
    prefixes = ("/a", "/b") if has_prefix else ("", "")
    outer.include_router(inner, prefix=prefixes[1])
    app.include_router(outer, prefix=prefixes[0], dependencies=[Depends(check_session)])
    if order == "after the first request":
        assert get_allow_origin(app, f"{prefixes[0]}/outer") == APP
    set_policies()
    a, b = prefixes
    assert get_allow_origin(app, f"{a}{b}/inner") == "*"
    assert get_allow_origin(app, f"{a}/outer", PARTNER) == PARTNER
    assert get_allow_origin(app, "/app") == APP


def new_endpoint() -> Callable[[], str]:
    return lambda: "seen"


def test_routes_that_a_version_of_fastapi_copies_have_the_policy_of_their_router(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real one is tested with FastAPI 0.115."""
    monkeypatch.setitem(sys.modules, "fastapi.routing", ModuleType("fastapi.routing"))
    inner, outer = Router(), Router()
    endpoints = [new_view() for _ in range(3)]
    inner.add_route("/one", endpoints[0])
    outer.add_route("/b/one", endpoints[0])
    outer.add_route("/two", endpoints[1])
    app, cors = guarded(
        Route("/a/b/one", endpoints[0]),
        Route("/a/two", endpoints[1]),
        Route("/three", endpoints[2]),
        Route("/other", endpoints[0]),
    )
    cors.set_policy(outer, PARTNERS)
    cors.set_policy(inner, PUBLIC)
    assert get_allow_origin(app, "/a/b/one") == "*"
    assert get_allow_origin(app, "/a/two", PARTNER) == PARTNER
    assert get_allow_origin(app, "/three") == APP
    assert get_allow_origin(app, "/other") == APP
    cors.set_policy(inner.routes[0], None)
    cors.set_policy(endpoints[2], None)
    assert fetch(app, "/three").cors == {}
    assert fetch(app, "/a/b/one").cors == {}


def test_router_that_is_included_twice_has_its_policy_in_both_places() -> None:
    app, router = FastAPI(), APIRouter()
    router.add_api_route("/items", new_endpoint())
    for prefix in ("/v1", "/v2"):
        app.include_router(router, prefix=prefix)
    CORSGuard(app, POLICY).set_policy(router, None)
    assert fetch(app, "/v1/items").cors == {}
    assert fetch(app, "/v2/items").cors == {}


def test_endpoint_outside_of_the_router_has_the_policy_of_its_path() -> None:
    app, router = FastAPI(), APIRouter()
    endpoint = new_endpoint()
    router.add_api_route("/inside", endpoint)
    app.include_router(router)
    app.add_api_route("/outside", endpoint)
    CORSGuard(app, POLICY).set_policy(router, PUBLIC)
    assert get_allow_origin(app, "/inside") == "*"
    assert get_allow_origin(app, "/outside") == APP


def test_target_of_every_kind_has_its_policy() -> None:
    route, endpoint = Route("/route", new_view()), new_view()
    router = Router([Route("/", new_view())])
    sub_application = FastAPI()
    sub_application.add_api_route("/items", new_endpoint())
    host = Host("docs.example.com", Router([Route("/", new_view())]))
    mount = Mount("/mount", routes=[Route("/", new_view())])
    app, cors = guarded(
        route,
        Route("/endpoint", endpoint),
        Mount("/router", router),
        Mount("/app", sub_application),
        host,
        mount,
        Route("/", new_view()),
    )
    for target in (route, endpoint, router, sub_application, host, mount):
        cors.set_policy(target, PUBLIC)
    for path in ("/route", "/endpoint", "/router/", "/app/items", "/mount/"):
        assert get_allow_origin(app, path) == "*", path
    assert get_allow_origin_at(app, "docs.example.com") == "*"
    assert get_allow_origin(app) == APP


def test_host_route_decides_by_the_host() -> None:
    host = Host("docs.example.com", Router([Route("/", new_view())]))
    app, cors = guarded(host, Route("/", new_view()))
    cors.set_policy(host, PUBLIC)
    for name, expected in {"docs.example.com": "*", "api.example.com": APP}.items():
        for _ in range(2):
            assert get_allow_origin_at(app, name) == expected


def get_allow_origin_at(app: Starlette, host: str) -> str | None:
    headers = [("Host", host), ("Origin", APP)]
    return ask(app, scope_of("GET", "/", headers)).cors.get("access-control-allow-origin")


def test_host_and_mount_of_an_included_router_have_their_policies() -> None:
    app, router = FastAPI(), APIRouter()
    host = Host("docs.example.com", Router([Route("/page", new_view())]))
    mount = Mount("/files", routes=[Route("/one", new_view())])
    route = Route("/route", new_view())
    router.routes += [host, mount, route]
    app.include_router(router, prefix="/v1")
    cors = CORSGuard(app, POLICY)
    cors.set_policy(mount, PUBLIC)
    cors.set_policy(host, PUBLIC)
    cors.set_policy(route, PUBLIC)
    assert get_allow_origin(app, "/v1/route") == "*"
    # FastAPI before 0.137 includes no mounts and no hosts: there is a 404 then.
    answer = fetch(app, "/v1/files/one")
    assert answer.cors["access-control-allow-origin"] == ("*" if answer.status == 200 else APP)


def test_root_application_may_be_a_target() -> None:
    app, cors = guarded(Route("/", new_view()))
    cors.set_policy(app, PARTNERS)
    assert get_allow_origin(app, origin=PARTNER) == PARTNER
    assert get_allow_origin(app, "/nothing") == APP


def test_nearest_to_the_code_wins() -> None:
    class Items(HTTPEndpoint):
        @cors_policy(PUBLIC)
        def get(self, request: Request) -> Response:
            return view(request)

        def put(self, request: Request) -> Response:
            return view(request)

    decorated = cors_policy(PARTNERS)(new_view())
    route = Route("/decorated", decorated)
    mount = Mount("/in", routes=[Route("/items", Items), route, Route("/plain", new_view())])
    app, cors = guarded(mount)
    cors.set_policy(mount, None)
    assert get_allow_origin(app, "/in/items") == "*"
    assert fetch(app, "/in/items", "PUT").cors == {}
    assert fetch(app, "/in/plain").cors == {}
    cors.set_policy(route, None)
    assert get_allow_origin(app, "/in/decorated", PARTNER) == PARTNER
    cors.set_policy(decorated, PUBLIC)  # on this application, whatever the decorator says
    assert get_allow_origin(app, "/in/decorated") == "*"
    cors.set_policy(Items, PARTNERS)
    assert get_allow_origin(app, "/in/items") == "*"
    assert fetch(app, "/in/items", "PUT", PARTNER).cors["access-control-allow-origin"] == PARTNER


@pytest.mark.parametrize("target", [None, "router", PUBLIC, [Route("/", view)]])
def test_wrong_target_raises_type_error(target: Any) -> None:
    _, cors = guarded()
    with pytest.raises(TypeError, match="set_policy takes a router, a route"):
        cors.set_policy(target, PUBLIC)


@pytest.mark.parametrize("policy", ["*", {"allow_origins": ["*"]}, Guard(PUBLIC)])
def test_wrong_policy_raises_type_error(policy: Any) -> None:
    app, cors = guarded()
    with pytest.raises(TypeError, match="set_policy takes a Policy or None"):
        cors.set_policy(app, policy)


# Changes while the application runs


def test_route_that_is_added_later_has_its_policy() -> None:
    app = FastAPI()
    CORSGuard(app, POLICY)
    router = APIRouter()
    app.include_router(router)
    assert get_allow_origin(app, "/late") == APP
    router.add_api_route("/late", cors_exempt(new_endpoint()))
    if fetch(app, "/late").status == 404:  # FastAPI before 0.137: it is not included
        app.include_router(router)
    assert fetch(app, "/late").cors == {}


def test_route_that_is_replaced_has_the_policy_of_the_new_one() -> None:
    app, _ = guarded(Route("/", new_view()))
    assert get_allow_origin(app) == APP
    app.router.routes[0] = Route("/", cors_policy(PUBLIC)(new_view()))
    assert get_allow_origin(app) == "*"
    app.router.routes[0] = Route("/", new_view())
    assert get_allow_origin(app) == APP


def test_route_of_an_empty_mount_is_found_when_it_is_added() -> None:
    sub_application = Starlette()
    app, _ = guarded(Mount("/sub", sub_application))
    assert get_allow_origin(app, "/sub/") == APP
    sub_application.add_route("/", cors_exempt(new_view()))
    assert fetch(app, "/sub/").cors == {}


def test_reconfigured_guard_keeps_the_policies_of_views() -> None:
    app, cors = guarded(Route("/", cors_policy(PUBLIC)(new_view())), Route("/plain", new_view()))
    assert get_allow_origin(app) == "*"
    cors.guard.reconfigure({"/": Policy(allow_origins=[PARTNER])})
    assert get_allow_origin(app) == "*"
    assert get_allow_origin(app, "/plain", PARTNER) == PARTNER


def test_first_policy_of_a_list_that_covers_the_origin_decides() -> None:
    view_policies = [PARTNERS, Policy(allow_origins=[EVIL], allow_credentials=True)]
    app, cors = guarded(
        Route("/", cors_policy(view_policies)(new_view())), Route("/set", new_view())
    )
    cors.set_policy(app.routes[1], view_policies)
    for path in ("/", "/set"):
        assert get_allow_origin(app, path, PARTNER) == PARTNER
        assert fetch(app, path, origin=EVIL).cors["access-control-allow-credentials"] == "true"
        assert get_allow_origin(app, path) is None
    sources = [row.source for row in rows_of(app.state.corsguard)]
    assert sources == [
        "the view <lambda>[0]",
        "the view <lambda>[1]",
        "the route /set[0]",
        "the route /set[1]",
    ]


def test_log_names_the_view(caplog: pytest.LogCaptureFixture) -> None:
    app, _ = guarded(Route("/", cors_policy(PARTNERS)(new_view()), name="prices"))
    fetch(app, origin=EVIL)
    assert EVIL in caplog.text
    seen: list[str | None] = []
    app.state.corsguard.guard.subscribe(lambda _, request: seen.append(request.route))
    fetch(app, origin=EVIL)
    assert seen == ["prices"]
