"""Whatever the routes: the view that answers a request is the one whose policy applies."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import FastAPIError
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router
from support.asgi_exchange import APP, ask, scope_of

from corsguard import Policy
from corsguard_starlette import CORSGuard, cors_policy

Tree = tuple[str, Any, Any]
"""("route", path, methods), or a kind of container, its prefix and the trees in it."""

METHODS = ("GET", "POST", "PUT")
SEGMENTS = ("a", "a", "b", "{x}", "{n:int}", "{rest:path}")
PATHS = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=2).map(
    lambda parts: "/" + "/".join("{" + f"v{i}_" + part[1:] if part[0] == "{" else part
                                 for i, part in enumerate(parts))
)  # fmt: skip
ROUTES = st.tuples(
    st.just("route"),
    st.builds(lambda path, slash: path + slash, PATHS, st.sampled_from(["", "", "/"])),
    st.lists(st.sampled_from(METHODS), min_size=1, max_size=2, unique=True),
)
KINDS = st.sampled_from(["mount", "application", "include", "host"])
PREFIXES = st.sampled_from(["", "/a", "/a", "/b"])


def contain(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.tuples(KINDS, PREFIXES, st.lists(trees, min_size=1, max_size=4))


TREES: st.SearchStrategy[list[Tree]] = st.lists(
    st.recursive(ROUTES, contain, max_leaves=8), min_size=1, max_size=5
)
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(METHODS),
        st.lists(st.sampled_from(["a", "a", "b", "1"]), min_size=1, max_size=4),
        st.sampled_from(["api.example.com", "a.example"]),
        st.sampled_from(["", "/root"]),
    ),
    min_size=1,
    max_size=6,
)


def build_view(number: int) -> Any:
    async def view(request: Request) -> Response:
        return PlainTextResponse(str(number))

    policy = Policy(allow_origins=[name_origin(number)], allow_methods=["PUT"])
    return cors_policy(policy)(view)


def name_origin(number: int) -> str:
    return f"https://v{number}.example"


def add(to: Any, tree: Tree, numbers: Iterator[int]) -> None:
    """Add a tree to an APIRouter, or to the router of an application."""
    kind, path, inside = tree
    if kind == "route":
        view = build_view(next(numbers))
        if isinstance(to, APIRouter):
            to.add_api_route(path, view, methods=inside, response_model=None)
        else:
            to.routes.append(Route(path, view, methods=inside))
        return
    if kind == "include" and isinstance(to, APIRouter):
        router = APIRouter()
        for each in inside:
            add(router, each, numbers)
        try:
            to.include_router(router, prefix=path)
        except FastAPIError:  # neither a prefix nor a path
            reject()
        return
    app: Any = Starlette() if kind == "application" else Router()
    for each in inside:
        add(app.router if kind == "application" else app, each, numbers)
    to.routes.append(Host("a.example", app) if kind == "host" else Mount(path, app))


@pytest.mark.slow
@settings(max_examples=60)
@given(trees=TREES, requests=REQUESTS, is_fastapi=st.booleans())
def test_policy_is_that_of_the_view_that_answers(
    trees: list[Tree], requests: list[tuple[str, list[str], str, str]], is_fastapi: bool
) -> None:
    app: Starlette = FastAPI(openapi_url=None) if is_fastapi else Starlette()
    numbers = count()
    for tree in trees:
        add(app.router, tree, numbers)
    CORSGuard(app, allow_origins=[APP])
    for method, segments, host, root in requests:
        path = "/" + "/".join(segments)
        for _ in range(2):  # cold and warm

            def send(
                origin: str, method: str = method, *others: tuple[str, str],
                path: str = path, host: str = host, root: str = root,
            ) -> Any:  # fmt: skip
                headers = [("Host", host), ("Origin", origin), *others]
                return ask(app, scope_of(method, root + path, headers, root_path=root))

            answer = send(APP)
            allowed = APP
            if answer.status == 200:
                assert "access-control-allow-origin" not in answer.cors
                allowed = name_origin(int(answer.body))
            assert send(allowed).cors["access-control-allow-origin"] == allowed
            requested = ("Access-Control-Request-Method", method)
            assert send(allowed, "OPTIONS", requested).status == 204
            assert send("https://other.example", "OPTIONS", requested).status == 403
