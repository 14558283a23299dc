"""Every row of the table for views, on Starlette and FastAPI."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from support.application import Fields
from support.asgi_exchange import ask, scope_of
from support.rows.views import (
    ACTUAL_ROWS,
    ENFORCE_ROWS,
    INCLUDE_ROWS,
    INCLUDES,
    PAGES,
    PREFLIGHT_ROWS,
    Include,
    Own,
    Page,
    ViewRow,
    check_view,
)
from support.table import Answer

from corsguard import Decision, Guard
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy

ROWS = [*ACTUAL_ROWS, *PREFLIGHT_ROWS, *ENFORCE_ROWS, *INCLUDE_ROWS]


class Client:
    """Sends requests to an application whose views append to called."""

    def __init__(self, app: Starlette, called: list[str]) -> None:
        self._app = app
        self._called = called

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        self._called.clear()
        scope = scope_of(method, path, headers)
        answer = ask(self._app, scope)
        decision: Decision | None = scope.get("corsguard.decision")
        return Answer(answer.status, answer.fields, answer.body, bool(self._called), decision)


class Views:
    """The described pages in a framework."""

    def __init__(self, name: str, build_app: Callable[[Guard, list[str]], Starlette]) -> None:
        self.name = name
        self.build_app = build_app

    def build(self, guard: Guard) -> Client:
        called: list[str] = []
        return Client(self.build_app(guard, called), called)


def decorate(view: Any, own: Own | None) -> Any:
    if own is None:
        return view
    return cors_exempt(view) if own.policy is None else cors_policy(own.policy)(view)


def build_view(page: Page, called: list[str], *, is_async: bool = True) -> Any:
    async def answer(request: Request) -> Response:
        called.append(page.name)
        return PlainTextResponse(f"{page.name} {request.method}")

    def answer_in_thread(request: Request) -> Response:
        called.append(page.name)
        return PlainTextResponse(f"{page.name} {request.method}")

    return answer if is_async else answer_in_thread


def build_class(page: Page, called: list[str]) -> Any:
    def build_method(name: str) -> Any:
        view = build_view(page, called)

        async def method(self: HTTPEndpoint, request: Request) -> Response:
            response: Response = await view(request)
            return response

        return decorate(method, page.by_method.get(name))

    methods = {name.lower(): build_method(name) for name in page.methods}
    return decorate(type(page.name, (HTTPEndpoint,), methods), page.own)


def to_path(url: str) -> str:
    return re.sub(r"<(\w+):(\w+)>", r"{\2:\1}", url)


def build_route(page: Page, called: list[str]) -> Route:
    if page.by_method:
        return Route(to_path(page.url), build_class(page, called))
    view = decorate(build_view(page, called, is_async=len(page.name) % 2 == 0), page.own)
    return Route(to_path(page.url), view, methods=page.methods)


def build_mount(
    cors: CORSGuard, include: Include, called: list[str], *, has_app: bool
) -> BaseRoute:
    routes: list[BaseRoute] = [build_route(page, called) for page in include.pages]
    routes += [build_mount(cors, each, called, has_app=has_app) for each in include.includes]
    inner = Starlette(routes=routes)
    mount = Mount(include.prefix, inner) if has_app else Mount(include.prefix, routes=routes)
    if include.own:
        cors.set_policy(inner if has_app else mount, include.own.policy)
    return mount


def in_starlette(guard: Guard, called: list[str], *, has_app: bool = False) -> Starlette:
    app = Starlette(routes=[build_route(page, called) for page in PAGES])
    cors = CORSGuard(app, guard)
    for include in INCLUDES:
        app.router.routes.append(build_mount(cors, include, called, has_app=has_app))
    return app


def in_applications(guard: Guard, called: list[str]) -> Starlette:
    return in_starlette(guard, called, has_app=True)


def add_page(to: FastAPI | APIRouter, page: Page, called: list[str]) -> None:
    """Add the view of a page: one function for each method where these have policies."""
    views = [(page.methods, page.own)]
    if page.by_method:
        views = [((method,), page.by_method.get(method, page.own)) for method in page.methods]
    for methods, own in views:
        view = decorate(build_view(page, called, is_async=len(page.name) % 2 == 0), own)
        with_head = [*methods, *(["HEAD"] if "GET" in methods else [])]
        to.add_api_route(to_path(page.url), view, methods=with_head, response_model=None)


def build_router(cors: CORSGuard, include: Include, called: list[str]) -> APIRouter:
    router = APIRouter(prefix=include.prefix)
    for page in include.pages:
        add_page(router, page, called)
    for inner in include.includes:
        router.include_router(build_router(cors, inner, called))
    if include.own:
        cors.set_policy(router, include.own.policy)
    return router


def in_fastapi(guard: Guard, called: list[str]) -> Starlette:
    app = FastAPI(openapi_url=None)
    cors = CORSGuard(app, guard)
    for page in PAGES:
        add_page(app, page, called)
    for include in INCLUDES:
        app.include_router(build_router(cors, include, called))
    return app


STACKS = [
    Views("starlette", in_starlette),
    Views("starlette-applications", in_applications),
    Views("fastapi", in_fastapi),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_view_row_matches_response(stack: Views, row: ViewRow) -> None:
    check_view(row, stack)
