"""Decorated endpoints and targets that no URL leads to: PolicyError, or a line in the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support.asgi_exchange import APP, Answering
from support.starlette_requests import POLICY, PUBLIC, fetch, get_allow_origin, view

from corsguard import Guard, PolicyError
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy
from corsguard_starlette.unreachable_views import find_unreachable_views

pytestmark = pytest.mark.usefixtures("no_leftovers")

Endpoint = Callable[[Request], Response]


def opaque(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Decorate an endpoint without functools.wraps. No thread keeps what is async alive."""

    async def wrapper(request: Request) -> Response:
        return endpoint(request)

    return wrapper


def guarded(*routes: Route) -> tuple[Starlette, CORSGuard]:
    app = Starlette(routes=[Route("/", lambda request: view(request)), *routes])
    return app, CORSGuard(app, POLICY)


def test_hidden_exempt_endpoint_serves_no_request() -> None:
    @cors_exempt
    def internal(request: Request) -> Response:
        return view(request)

    app, _ = guarded(Route("/internal", opaque(internal)))
    for _ in range(2):
        error = fetch(app).error
        assert isinstance(error, PolicyError)
        [problem] = error.problems
        assert problem.code == "view-policy-unreachable"
        assert problem.field.endswith('internal"')
        assert __file__ in problem.message


def test_hidden_endpoint_with_a_policy_is_served_and_reported() -> None:
    @cors_policy(PUBLIC)
    def public(request: Request) -> Response:
        return view(request)

    app, _ = guarded(Route("/public", opaque(public)))
    assert get_allow_origin(app, "/public") == APP
    [problem] = find_unreachable_views(app)
    assert problem.code == "view-policy-unreachable"
    assert "public" in problem.field


def test_endpoint_of_another_application_is_not_reported() -> None:
    def own(request: Request) -> Response:
        return view(request)

    first, _ = guarded(Route("/own", cors_exempt(own)))
    second, _ = guarded()
    assert fetch(second).status == 200
    assert find_unreachable_views(second) == []
    assert find_unreachable_views(first) == []


def test_exempt_endpoint_without_a_route_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    @cors_exempt
    def left_out(request: Request) -> Response:
        return view(request)

    app, _ = guarded()
    for _ in range(2):
        assert fetch(app).status == 200
    app.add_route("/later", lambda request: view(request))
    assert fetch(app).status == 200
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "left_out" in caplog.text
    assert len(find_unreachable_views(app)) == 1
    app.add_route("/left-out", left_out)
    assert find_unreachable_views(app) == []


def test_decorators_on_methods_of_a_class_are_reached() -> None:
    class Items(HTTPEndpoint):
        @cors_exempt
        def get(self, request: Request) -> Response:
            return view(request)

    app, _ = guarded(Route("/items", Items))
    assert fetch(app, "/items").cors == {}
    assert find_unreachable_views(app) == []


@pytest.mark.parametrize("is_included", [True, False])
def test_router_that_is_not_included_is_logged(
    caplog: pytest.LogCaptureFixture, is_included: bool
) -> None:
    app, router = FastAPI(), APIRouter(prefix="/api")
    router.add_api_route("/items", lambda: "")
    if is_included:
        app.include_router(router)
    CORSGuard(app, POLICY).set_policy(router, None)
    for number in range(2):
        fetch(app, origin=None)
        app.add_api_route(f"/{number}", lambda: "")
    problems = app.state.corsguard.problems
    assert caplog.messages == [str(problem) for problem in problems]
    assert [problem.code for problem in problems] == (
        [] if is_included else ["view-policy-unreachable"]
    )
    assert all("set_policy has no effect on" in each for each in caplog.messages)


def test_quiet_middleware_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    @cors_exempt
    def unrouted(request: Request) -> Response:
        return view(request)

    app, _ = guarded()
    app.state.corsguard.is_quiet = True
    app.state.corsguard.read_views()
    assert caplog.messages == []
    assert unrouted is not None


def test_trial_of_another_guard_calls_another_application() -> None:
    app, _ = guarded(Route("/own", cors_policy(PUBLIC)(lambda request: view(request))))
    inner = Answering()
    trial: Any = app.state.corsguard.rehearsing(Guard(POLICY), inner)
    assert get_allow_origin(trial, "/own") == "*"
    assert get_allow_origin(trial, "/") == APP
    assert len(inner.calls) == 2
