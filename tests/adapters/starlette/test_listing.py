"""The rows of the table of routes."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from support.starlette_requests import PARTNERS, POLICY, PUBLIC, view

from corsguard import Policy
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy
from corsguard_starlette.listing import list_placed, rows_of


def list_rows(app: Starlette) -> list[tuple[str, str, Policy | None, str]]:
    rows = rows_of(app.state.corsguard)
    return [(", ".join(row.methods), row.url, row.policy, row.source) for row in rows]


def test_rows_name_each_policy_and_its_place() -> None:
    class Items(HTTPEndpoint):
        @cors_exempt
        def put(self, request: Request) -> Response:
            return view(request)

        def get(self, request: Request) -> Response:
            return view(request)

    async def feed(websocket: object) -> None: ...

    async def files(scope: object, receive: object, send: object) -> None: ...

    host = Host("docs.example.com", Router([Route("/page", lambda request: view(request))]))
    mount = Mount("/in", routes=[Route("/one", lambda request: view(request), name="one")])
    inner = FastAPI(openapi_url=None, title="Inner")
    inner.add_api_route("/items", lambda: "")
    route = Route("/route", lambda request: view(request), methods=["GET", "DELETE"])
    app = Starlette(
        routes=[
            Route("/items/{item:int}", Items),
            Route("/api/{page}", view),
            WebSocketRoute("/feed", feed),
            Mount("/files", files),
            host,
            mount,
            Mount("/inner", inner),
            route,
        ]
    )
    cors = CORSGuard(app, {"/": POLICY, "/api/off": None})
    for target in (host, mount, inner, route):
        cors.set_policy(target, PUBLIC)
    assert list_rows(app) == [
        ("GET", "/items/{item:int}", POLICY, 'route "/"'),
        ("PUT", "/items/{item:int}", None, "the method PUT of the class Items"),
        ("GET", "/api/{page}", POLICY, 'route "/" (depends on the path)'),
        ("GET", "/api/{page}", None, 'route "/api/off" (depends on the path)'),
        ("GET", "/feed (WebSocket)", POLICY, 'route "/"'),
        ("", "/files/{path}", POLICY, 'route "/"'),
        ("GET", "docs.example.com|/page", PUBLIC, "every view of the host docs.example.com"),
        ("GET", "/in/one", PUBLIC, "every view below the mount /in"),
        ("GET", "/inner/items", PUBLIC, "every view of the application Inner"),
        ("DELETE, GET", "/route", PUBLIC, "the route /route"),
    ]
    assert list(list_placed(cors.guard)) == [('route "/"', POLICY)]


@cors_policy(PUBLIC)
def own() -> str:
    return "own"


def test_rows_of_included_routers_have_their_prefixes() -> None:
    app, outer, inner = FastAPI(openapi_url=None), APIRouter(prefix="/outer"), APIRouter()
    inner.add_api_route("/inner", lambda: "", methods=["PUT"])
    inner.add_api_route("/own", own)
    outer.include_router(inner, prefix="/deep")
    app.include_router(outer, prefix="/v1")
    cors = CORSGuard(app, POLICY)
    cors.set_policy(outer, PARTNERS)
    words = "every view of the router /outer"
    rows = list_rows(app)
    assert [row[:3] for row in rows] == [
        ("PUT", "/v1/outer/deep/inner", PARTNERS),
        ("GET", "/v1/outer/deep/own", PUBLIC),
    ]
    assert [row[3] for row in rows] == [words, "the view own"]
    cors.set_policy(inner, None)
    assert list_rows(app)[0][2:] == (None, "every view of the router")
