"""Requests that reach no view, or another one than the server's path says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from support.asgi_exchange import APP, EVIL, ask, scope_of, websocket_scope
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

from corsguard import Guard, Policy, Reason
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy

ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
PARTNER_ALLOWED = {"access-control-allow-origin": PARTNER, "vary": "Origin"}


class BrokenError(Exception):
    pass


async def accept(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


@cors_policy(PARTNERS)
async def accept_partners(websocket: WebSocket) -> None:
    await accept(websocket)


@cors_policy(PARTNERS)
def crash(request: Request) -> Response:
    raise BrokenError


@cors_policy(PARTNERS)
async def stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(chunks(), headers={"Vary": "Accept"})


def build(policy: Any = POLICY, **options: Any) -> Starlette:
    partners, exempt = cors_policy(PARTNERS), cors_exempt
    routes = [
        Route("/plain", view, methods=["GET", "POST", "DELETE"]),
        Route("/partners", partners(lambda request: view(request)), methods=["GET", "POST"]),
        Route("/exempt", exempt(lambda request: view(request)), methods=["GET", "POST"]),
        Route("/number/{number:int}", partners(lambda request: view(request))),
        Route("/crash", crash),
        Route("/stream", stream),
        Route("/slash/", partners(lambda request: view(request))),
        WebSocketRoute("/feed", accept_partners),
        WebSocketRoute("/socket", accept),
    ]
    app = Starlette(routes=routes, **options)
    CORSGuard(app, policy)
    return app


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nothing", "GET", 404),
        ("/number/one", "GET", 404),
        ("/partners", "PUT", 405),
        ("/slash", "GET", 307),
    ],
)
def test_response_without_a_view_has_the_policy_of_its_path(
    path: str, method: str, status: int
) -> None:
    answer = fetch(build(), path, method)
    assert (answer.status, answer.cors) == (status, ALLOWED)


@pytest.mark.parametrize("debug", [False, True])
def test_500_has_the_policy_of_its_view(debug: bool) -> None:
    answer = fetch(build(debug=debug), "/crash", origin=PARTNER)
    assert (answer.status, answer.cors) == (500, PARTNER_ALLOWED)
    assert isinstance(answer.error, BrokenError)


def test_error_handler_that_fails_becomes_a_plain_500() -> None:
    def fail(request: Request, error: Exception) -> Response:
        raise LookupError

    app = build({"/": PARTNERS}, exception_handlers={500: fail})
    answer = fetch(app, "/crash", origin=PARTNER)
    assert (answer.status, answer.cors) == (500, PARTNER_ALLOWED)
    assert isinstance(answer.error, LookupError)


def test_error_handler_that_fails_without_view_policies_becomes_a_plain_500() -> None:
    def broken(request: Request) -> Response:
        raise BrokenError

    def fail(request: Request, error: Exception) -> Response:
        raise LookupError

    app = Starlette(routes=[Route("/", broken)], exception_handlers={500: fail})
    CORSGuard(app, POLICY)
    for _ in range(2):
        answer = fetch(app)
        assert (answer.status, answer.cors) == (500, ALLOWED)
        assert isinstance(answer.error, LookupError)


def test_exception_after_the_start_is_only_raised() -> None:
    @cors_policy(PARTNERS)
    async def half(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"begun"
            raise BrokenError

        return StreamingResponse(chunks())

    app = Starlette(routes=[Route("/", half)])
    CORSGuard(app, POLICY)
    answer = fetch(app, origin=PARTNER)
    assert (answer.status, answer.body, answer.cors) == (200, b"begun", PARTNER_ALLOWED)
    assert isinstance(answer.error, BrokenError)


def test_stream_passes_with_the_headers_merged() -> None:
    answer = fetch(build(), "/stream", origin=PARTNER)
    assert answer.body == b"onetwo"
    assert answer.cors == {**PARTNER_ALLOWED, "vary": "Accept, Origin"}
    assert len([each for each in answer.sent if each["type"] == "http.response.body"]) > 2


def test_decision_is_in_the_scope() -> None:
    scope = scope_of("GET", "/partners", [("Origin", PARTNER)])
    ask(build(), scope)
    assert scope["corsguard.decision"].reason is Reason.ALLOWED


# WebSockets


@pytest.mark.parametrize(
    ("path", "origin", "first"),
    [
        ("/feed", PARTNER, "websocket.accept"),
        ("/feed", APP, "websocket.close"),
        ("/socket", APP, "websocket.accept"),
        ("/socket", PARTNER, "websocket.close"),
        ("/nothing", EVIL, "websocket.close"),
    ],
)
def test_handshake_is_enforced_by_its_view(path: str, origin: str, first: str) -> None:
    assert connect(build(Guard(POLICY, enforce=True)), path, origin) == first


def test_refused_handshake_is_a_403_where_the_server_can_send_one() -> None:
    scope = websocket_scope(
        [("Origin", APP)], path="/feed", extensions={"websocket.http.response": {}}
    )
    start = ask(build(Guard(POLICY, enforce=True)), scope).sent[0]
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)


def test_handshake_without_enforce_is_accepted() -> None:
    assert connect(build(), "/feed", EVIL) == "websocket.accept"


# Middleware of the application that changes the request


def rewriting(**changes: Any) -> Callable[[Any], Any]:
    def around(app: Any) -> Any:
        async def rewrite(scope: Any, receive: Any, send: Any) -> None:
            is_request = scope["type"] in {"http", "websocket"}
            await app({**scope, **changes} if is_request else scope, receive, send)

        return rewrite

    return around


@pytest.mark.parametrize(
    ("path", "changes", "expected"),
    [
        ("/plain", {"path": "/partners"}, PARTNER_ALLOWED),
        ("/plain", {"path": "/exempt"}, {}),
        ("/exempt", {"path": "/partners"}, PARTNER_ALLOWED),
        ("/v1/partners", {"root_path": "/v1"}, PARTNER_ALLOWED),
        ("/partners", {"path": "/partners"}, PARTNER_ALLOWED),
    ],
)
def test_view_that_middleware_leads_to_decides(
    path: str, changes: dict[str, str], expected: dict[str, str]
) -> None:
    app = build()
    app.add_middleware(rewriting(**changes))
    answer = fetch(app, path, origin=PARTNER)
    assert (answer.status, answer.cors) == (200, expected)


@pytest.mark.parametrize("policy", [POLICY, {"/": POLICY}])
@pytest.mark.parametrize("views", [True, False])
def test_method_that_the_view_is_called_with_is_enforced(policy: Any, views: bool) -> None:
    app = build(Guard(policy, enforce=True))
    if not views:
        app = Starlette(routes=[Route("/plain", view, methods=["DELETE"])])
        CORSGuard(app, Guard(policy, enforce=True))
    app.add_middleware(rewriting(method="DELETE"))
    refused = fetch(app, "/plain", "GET", EVIL)
    assert (refused.status, refused.body[:10]) == (403, b"corsguard:")
    assert fetch(app, "/plain", "GET", APP).status == 200


def test_handshake_that_middleware_leads_to_another_view_is_enforced() -> None:
    app = build(Guard(POLICY, enforce=True))
    app.add_middleware(rewriting(path="/feed"))
    assert connect(app, "/socket", APP) == "websocket.close"


def test_guard_of_a_mounted_application_leaves_the_one_around_it_alone() -> None:
    inner = Starlette(routes=[Route("/", lambda request: view(request))])
    CORSGuard(inner, PARTNERS)
    inner.add_middleware(rewriting())
    app = build()
    app.router.routes.append(Mount("/inner", inner))
    for _ in range(2):
        assert fetch(app, "/inner/").cors == ALLOWED
        assert fetch(app, "/inner/", origin=PARTNER).cors == {"vary": "Origin"}


def test_response_of_middleware_has_the_policy_of_the_view() -> None:
    def around(app: Any) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await PlainTextResponse("cached")(scope, receive, send)

        return answer

    app = build()
    app.add_middleware(around)
    answer = fetch(app, "/partners", origin=PARTNER)
    assert (answer.body, answer.cors) == (b"cached", PARTNER_ALLOWED)


# Policies with callables


def test_async_callable_of_a_view_is_awaited() -> None:
    async def is_tenant(origin: str) -> bool:
        return origin == PARTNER

    tenants = cors_policy(Policy(allow_origins=[is_tenant]))
    app = Starlette(routes=[Route("/", tenants(lambda request: view(request)))])
    CORSGuard(app, POLICY)
    assert get_allow_origin(app, origin=PARTNER) == PARTNER
    assert get_allow_origin(app) is None


# Preflights


def test_preflight_of_an_exempt_view_reaches_the_application() -> None:
    assert preflight(build(), "/exempt", "PUT").status == 204  # PUT reaches no view
    answer = preflight(build(), "/exempt", "POST")
    assert (answer.status, answer.cors) == (405, {})


@pytest.mark.parametrize("method", ["delete", "TRACE", ""])
def test_preflight_for_a_method_without_a_view_has_the_policy_of_its_path(method: str) -> None:
    answer = preflight(build(), "/partners", method)
    assert answer.cors["access-control-allow-origin"] == APP


def test_options_without_a_preflight_reaches_the_application() -> None:
    options = cors_policy(PUBLIC)(lambda request: view(request))
    app = Starlette(routes=[Route("/", options, methods=["OPTIONS"])])
    CORSGuard(app, POLICY)
    answer = fetch(app, "/", "OPTIONS")
    assert (answer.status, answer.body) == (200, b"seen")
    asked = [("Access-Control-Request-Method", "PUT")]
    assert ask(app, scope_of("OPTIONS", "/", asked)).body == b"seen"


def test_preflight_lists_no_method_of_another_policy() -> None:
    app = FastAPI()
    router = APIRouter()
    app.add_api_route("/items", lambda: "", methods=["GET"])
    router.add_api_route("/items", lambda: "", methods=["PUT"])
    router.add_api_route("/items", cors_policy(PUBLIC)(lambda: ""), methods=["DELETE"])
    app.include_router(router)
    cors = CORSGuard(app, POLICY)
    cors.set_policy(router, PARTNERS)
    answer = preflight(app, "/items", "PUT", PARTNER)
    assert answer.cors["access-control-allow-methods"] == "PUT"
    assert preflight(app, "/items", "GET").cors["access-control-allow-methods"] == "GET"
    assert preflight(app, "/items", "PUT").status == 403


def test_warm_preflight_is_answered_as_a_cold_one() -> None:
    app = build()
    for _ in range(2):
        assert preflight(app, "/partners", "POST", PARTNER).status == 204
        assert preflight(app, "/partners", "GET", APP).status == 403
        assert preflight(app, "/plain", "PUT", APP).status == 204


def test_mounted_static_application_has_the_policy_of_its_mount() -> None:
    async def files(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("file")(scope, receive, send)

    mount = Mount("/static", files)
    app = Starlette(routes=[mount])
    cors = CORSGuard(app, POLICY)
    cors.set_policy(mount, PUBLIC)
    answer = fetch(app, "/static/a.css")
    assert (answer.body, answer.cors) == (b"file", {"access-control-allow-origin": "*"})
    assert preflight(app, "/static/a.css", "PUT", EVIL).cors["access-control-allow-origin"] == "*"
