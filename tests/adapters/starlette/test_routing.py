"""The router's own rules for paths, which policies follow."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.convertors import CONVERTOR_TYPES, Convertor
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Mount, Route, Router
from support.asgi_exchange import APP, ask, scope_of
from support.starlette_requests import (
    PARTNER,
    PARTNERS,
    POLICY,
    PUBLIC,
    fetch,
    get_allow_origin,
    preflight,
    view,
)

from corsguard_starlette import CORSGuard, cors_policy


def new_view() -> Any:
    return lambda request: view(request)


def guarded(*routes: BaseRoute) -> tuple[Starlette, CORSGuard]:
    app = Starlette(routes=routes)
    return app, CORSGuard(app, POLICY)


def fastapi(root_path: str) -> FastAPI:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of newer versions
        app = FastAPI(root_path=root_path)
    app.add_api_route("/items", cors_policy(PUBLIC)(lambda: "items"))
    return app


@pytest.mark.parametrize("path", ["/items", "/svc/items"])
def test_root_path_of_the_server_is_stripped_as_the_router_does(path: str) -> None:
    app, _ = guarded(Route("/items", cors_policy(PUBLIC)(new_view())))
    answer = fetch(app, path, root_path="/svc")
    assert (answer.status, answer.cors["access-control-allow-origin"]) == (200, "*")
    assert get_allow_origin(app, "/svc/items") == APP  # a 404


def test_root_path_of_fastapi_is_stripped_as_the_router_does() -> None:
    app = fastapi("/svc")
    CORSGuard(app, {"/other": PARTNERS})
    assert get_allow_origin(app, "/svc/items") == "*"
    assert get_allow_origin(app, "/svc/other", PARTNER) == PARTNER


def test_root_path_of_a_mounted_fastapi_replaces_that_of_the_mount() -> None:
    app, _ = guarded(Mount("/api", fastapi("/api")), Mount("/other", fastapi("/elsewhere")))
    assert get_allow_origin(app, "/api/items") == "*"
    answer = fetch(app, "/other/items")
    assert (answer.status, answer.cors["access-control-allow-origin"]) == (404, APP)


def test_first_full_match_decides() -> None:
    app, _ = guarded(
        Route("/items/{name}", cors_policy(PUBLIC)(new_view()), methods=["GET"]),
        Route("/items/one", cors_policy(PARTNERS)(new_view()), methods=["GET", "PUT"]),
    )
    assert get_allow_origin(app, "/items/one") == "*"
    assert fetch(app, "/items/one", "PUT", PARTNER).cors["access-control-allow-origin"] == PARTNER
    assert (
        preflight(app, "/items/one", "PUT", PARTNER).cors["access-control-allow-methods"] == "PUT"
    )


def test_mount_hides_the_routes_behind_it() -> None:
    app, _ = guarded(
        Mount("/in", routes=[Route("/one", new_view())]),
        Route("/in/two", cors_policy(PUBLIC)(new_view())),
    )
    answer = fetch(app, "/in/two")
    assert (answer.status, answer.cors["access-control-allow-origin"]) == (404, APP)


def test_redirect_to_the_slash_has_the_policy_of_its_path() -> None:
    app, _ = guarded(Route("/items/", cors_policy(PUBLIC)(new_view())))
    answer = fetch(app, "/items")
    assert (answer.status, answer.cors["access-control-allow-origin"]) == (307, APP)
    assert get_allow_origin(app, "/items/") == "*"


def test_application_behind_middleware_of_a_mount_is_found() -> None:
    def build() -> Starlette:
        return Starlette(routes=[Route("/", cors_policy(PUBLIC)(new_view()))])

    app, _ = guarded(
        Mount("/around", GZipMiddleware(build())),
        Mount("/list", build(), middleware=[Middleware(GZipMiddleware)]),
    )
    assert get_allow_origin(app, "/around/") == "*"
    assert get_allow_origin(app, "/list/") == "*"


class UnstableConvertor(Convertor[str]):
    """A convertor whose answer may differ each time."""

    regex = "[a-z]+"
    answers: list[Exception | str] = []  # noqa: RUF012

    def convert(self, value: str) -> str:
        answer = self.answers.pop(0) if self.answers else value
        if isinstance(answer, Exception):
            raise answer
        return answer

    def to_string(self, value: str) -> str:
        return value


@pytest.fixture
def convertor(monkeypatch: pytest.MonkeyPatch) -> type[UnstableConvertor]:
    monkeypatch.setitem(CONVERTOR_TYPES, "unstable", UnstableConvertor())
    monkeypatch.setattr(UnstableConvertor, "answers", [])
    return UnstableConvertor


def test_error_of_a_convertor_is_answered_with_the_policy_of_the_path(
    convertor: type[UnstableConvertor],
) -> None:
    app, _ = guarded(Route("/{name:unstable}", cors_policy(PUBLIC)(new_view())))
    convertor.answers[:] = [LookupError(), LookupError()]
    answer = fetch(app, "/name")
    assert (answer.status, answer.cors["access-control-allow-origin"]) == (500, APP)
    assert get_allow_origin(app, "/name") == "*"


class HeaderRoute(BaseRoute):
    """A route of the application's own, which matches by a header."""

    endpoint = staticmethod(cors_policy(PUBLIC)(new_view()))

    def matches(self, scope: Any) -> tuple[Match, Any]:
        has_header = (b"x-public", b"1") in scope["headers"]
        return (Match.FULL if has_header else Match.NONE), {}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("by header")(scope, receive, send)


def test_route_class_of_the_application_is_asked_each_time() -> None:
    app, _ = guarded(HeaderRoute(), Route("/", new_view()))
    for _ in range(2):
        assert get_allow_origin(app) == APP
        headers = [("Origin", APP), ("X-Public", "1")]
        answer = ask(app, scope_of("GET", "/", headers))
        assert (answer.body, answer.cors) == (b"by header", {"access-control-allow-origin": "*"})


def test_router_inside_itself_is_read_to_an_end() -> None:
    router = Router([Route("/one", cors_policy(PUBLIC)(new_view()))])
    router.mount("/again", router)
    app, _ = guarded(Mount("/in", router))
    assert get_allow_origin(app, "/in/again/again/one") == "*"


def test_mount_of_an_application_in_itself_has_its_policy() -> None:
    app, cors = guarded(Route("/one", new_view()), Route("/two", cors_policy(PUBLIC)(new_view())))
    again = Mount("/again", app)
    app.routes.append(again)
    cors.set_policy(again, PARTNERS)
    assert get_allow_origin(app, "/one") == APP
    for path in ("/again/one", "/again/again/one"):
        assert get_allow_origin(app, path, origin=PARTNER) == PARTNER
    assert get_allow_origin(app, "/again/two") == "*"


def test_router_included_again_by_an_application_inside_it_is_read_to_an_end() -> None:
    app, router, inside = FastAPI(), APIRouter(), FastAPI()
    router.add_api_route("/one", cors_policy(PUBLIC)(lambda: "one"))
    router.mount("/in", inside)
    inside.include_router(router, prefix="/again")
    app.include_router(router)
    CORSGuard(app, POLICY)
    assert get_allow_origin(app, "/one") == "*"


def test_long_path_is_not_cached() -> None:
    app, _ = guarded(Route("/{rest:path}", cors_policy(PUBLIC)(new_view())))
    for _ in range(2):
        assert get_allow_origin(app, "/" + "a" * 300) == "*"
