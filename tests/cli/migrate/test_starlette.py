"""The CORSMiddleware of Starlette: where it may be, and what code it may have."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import AnyUrl
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from support.migrate.applications import Tenants, read_starlette

from corsguard.cli.migrate.comparison import compare_layers
from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError
from corsguard.cli.migrate.peers import read_peer
from corsguard.cli.migrate.translation import find_problems, translate

A = "https://a.example"
B = "https://b.example"


async def view(request: object) -> Any:
    raise AssertionError("a view ran")


def read(app: object) -> PeerConfiguration:
    return read_peer(app, "shop:app")


def list_places(configuration: PeerConfiguration) -> list[tuple[str, tuple[str, ...], Any]]:
    return [(each.place, each.scope.prefixes, each.origins) for each in configuration.policies]


def build_mounted(**options: Any) -> Starlette:
    inner = Starlette(
        routes=[Route("/x", view)], middleware=[Middleware(CORSMiddleware, **options)]
    )
    return Starlette(routes=[Mount("/inner", inner), Route("/y", view)])


def test_mounted_application_has_a_route_of_its_own() -> None:
    configuration = read(build_mounted(allow_origins=[A]))

    place = "add_middleware(CORSMiddleware) of the mount /inner"
    assert list_places(configuration) == [(place, ("/inner",), (A,))]
    assert [*translate(configuration).mapping["routes"]] == ["/inner"]
    assert [each.path for each in configuration.paths] == ["/inner/x", "/y"]
    assert compare_layers(configuration, translate(configuration), ()).differences == ()


def test_mount_at_a_path_of_another_one_has_its_own_layer() -> None:
    options_by_path: dict[str, dict[str, Any]] = {
        "/api/v2": {"allow_origins": [A]},
        "/api": {"allow_origins": [B], "allow_credentials": True},
    }
    mounts = [
        Mount(path, routes=[Route("/x", view)], middleware=[Middleware(CORSMiddleware, **options)])
        for path, options in options_by_path.items()
    ]

    configuration = read(Starlette(routes=mounts))

    translation = translate(configuration)
    assert {
        prefix: each["allow_origins"] for prefix, each in translation.mapping["routes"].items()
    } == {
        "/api/v2": [A],
        "/api": [B],
    }
    assert compare_layers(configuration, translation, ()).differences == ()


def test_layer_of_a_mount_is_read() -> None:
    middleware = [Middleware(CORSMiddleware, allow_origins=[A])]
    app = Starlette(routes=[Mount("/inner", routes=[Route("/x", view)], middleware=middleware)])

    configuration = read(app)

    place = "CORSMiddleware(app) of the mount /inner"
    assert list_places(configuration) == [(place, ("/inner",), (A,))]
    assert [each.path for each in configuration.paths] == ["/inner/x"]


def test_layer_inside_another_one_is_a_todo() -> None:
    app = build_mounted(allow_origins=[A])
    app.add_middleware(CORSMiddleware, allow_origins=[B])

    configuration = read(app)

    assert list_places(configuration) == [("add_middleware(CORSMiddleware)", ("/",), (B,))]
    assert [each.message for each in configuration.todos] == [
        "add_middleware(CORSMiddleware) of the mount /inner is inside "
        "add_middleware(CORSMiddleware), which answers its preflights. Its origins read other "
        "responses, and are blocked now: write a route for its path, or remove it if nobody needs "
        "it"
    ]
    assert compare_layers(configuration, translate(configuration), ()).differences == ()


def test_wrapped_application_is_read() -> None:
    inner = Starlette(routes=[Route("/x", view, methods=["PUT"])])
    app = GZipMiddleware(CORSMiddleware(inner, allow_origins=[A], allow_credentials=True))

    configuration = read(app)

    assert list_places(configuration) == [("CORSMiddleware(app)", ("/",), (A,))]
    assert configuration.policies[0].credentials
    assert [(each.path, each.methods) for each in configuration.paths] == [("/x", ("PUT",))]


def test_wrapped_application_without_a_router_has_no_paths() -> None:
    async def bare(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("a view ran")

    configuration = read(CORSMiddleware(bare, allow_origins=[A], allow_methods=["*"]))

    assert configuration.paths == ()
    assert compare_layers(configuration, translate(configuration), ()).differences == ()


def test_wrapped_router_has_paths() -> None:
    configuration = read(CORSMiddleware(Router([Route("/x", view)]), allow_origins=[A]))

    assert [each.path for each in configuration.paths] == ["/x"]


def test_two_layers_are_the_outer_one_and_a_todo() -> None:
    app = Starlette()
    app.add_middleware(CORSMiddleware, allow_origins=[A])
    app.add_middleware(CORSMiddleware, allow_origins=[B])

    configuration = read(app)

    assert [each.origins for each in configuration.policies] == [(B,)]
    assert len(configuration.todos) == 1


def test_partial_is_read() -> None:
    app = Starlette()
    app.add_middleware(partial(CORSMiddleware, allow_origins=[A]), allow_credentials=True)
    app.add_middleware(GZipMiddleware)

    (policy,) = read(app).policies

    assert (policy.origins, policy.credentials) == ((A,), True)


def test_subclass_is_a_todo_for_each_method_that_it_overrides() -> None:
    options = {"allow_origins": [A], "allow_methods": ["*"]}
    configuration = read_starlette(options, Tenants)

    (todo,) = configuration.todos
    assert todo.message.startswith("the subclass Tenants overrides is_allowed_origin: write a")
    assert todo.place.startswith("tests/support/migrate/applications.py:")
    # Its code does not run in the stub.
    assert compare_layers(configuration, translate(configuration), ()).differences == ()


def test_subclass_that_overrides_something_else_is_a_todo() -> None:
    class Logging(CORSMiddleware):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise AssertionError("code of the application ran")

    (todo,) = read_starlette({}, Logging).todos

    assert todo.message.startswith("the subclass Logging overrides __call__: read what it does")


def test_layer_of_a_route_is_a_todo() -> None:
    route = Route("/x", view)
    route.app = CORSMiddleware(route.app, allow_origins=[B])  # as its `middleware` does it
    app = Starlette(routes=[route])
    app.add_middleware(CORSMiddleware, allow_origins=[A])

    (todo,) = read(app).todos

    assert todo.message.startswith("the route /x has its own CORSMiddleware: write @cors_policy")
    assert todo.line > 0


def test_paths_of_included_routers_are_read() -> None:
    app = FastAPI(openapi_url=None)
    router = APIRouter(prefix="/shop")
    router.add_api_route("/items/{number}", view, methods=["PUT"])
    app.include_router(router, prefix="/api")
    app.router.routes.append(WebSocketRoute("/ws", view))
    app.router.routes.append(Host("api.example", app=Router([Route("/h", view)])))
    app.add_middleware(CORSMiddleware, allow_origins=[A])

    paths = [(each.path, each.methods) for each in read(app).paths]

    assert paths == [("/api/shop/items/1", ("PUT",))]


@pytest.mark.parametrize("given", ["https://a.example/", "HTTPS://A.example"])
def test_origin_that_no_browser_sends_is_fixed(given: str) -> None:
    translation = translate(read_starlette({"allow_origins": [given]}))

    assert translation.mapping["allow_origins"] == [A]
    (note,) = translation.notes
    assert note == f"{given!r} never matched an Origin as written; listed as {A!r}"


def test_objects_of_pydantic_are_read_as_texts() -> None:
    configuration = read_starlette({"allow_origins": [AnyUrl("https://a.example")]})

    assert translate(configuration).mapping["allow_origins"] == [A]


def test_text_in_the_place_of_a_list_is_split() -> None:
    translation = translate(read_starlette({"allow_origins": f"{A}, {B}"}))

    assert translation.mapping["allow_origins"] == [A, B]
    assert translation.notes == (
        "allow_origins was the text 'https://a.example, https://b.example' and not a list, so "
        "every origin that is a part of it was allowed; now those that it lists",
    )


def test_star_within_a_text_is_any_origin() -> None:
    translation = translate(read_starlette({"allow_origins": "https://*.example.com"}))

    assert translation.mapping["allow_origins"] == ["*"]


def test_other_origins_beside_any_are_named() -> None:
    options = {"allow_origins": ["*"], "allow_origin_regex": "https://a"}

    (note,) = translate(read_starlette(options)).notes

    assert note == "the other origins beside * had no effect; they are left out"


def test_private_network_is_left_out() -> None:
    layer = CORSMiddleware(Starlette(), allow_origins=[A])
    layer.allow_private_network = True  # an option since 0.51

    (note,) = read(layer).notes

    assert note == "allow_private_network: no browser asks for it any more; left out"


def test_names_of_headers_keep_their_case() -> None:
    (policy,) = read_starlette(
        {"allow_headers": ["X-Api-Key"], "expose_headers": ["ETag"]}
    ).policies

    assert "X-Api-Key" in policy.headers
    assert policy.expose_headers == ("ETag",)


LAYER = [Middleware(CORSMiddleware, allow_origins=[A])]


def build_layered_route() -> Route:
    """Return what `Route("/x", view, middleware=LAYER)` is since Starlette 0.33."""
    route = Route("/x", view)
    route.app = CORSMiddleware(route.app, allow_origins=[A])
    return route


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (
            Host("api.example", Starlette(routes=[Route("/x", view)], middleware=LAYER)),
            "add_middleware(CORSMiddleware) is for the host api.example alone, and a route of "
            "corsguard is for every host: write CORSGuard(...) for the application of that host",
        ),
        (
            build_layered_route(),
            "the route /x has its own CORSMiddleware: write @cors_policy(Policy(...)) on its view",
        ),
        (
            Mount("/inner", routes=[build_layered_route()]),
            "the route /inner/x has its own CORSMiddleware: write @cors_policy(Policy(...)) on its "
            "view",
        ),
    ],
)
def test_layer_that_no_route_prefix_says_is_a_todo(route: Any, message: str) -> None:
    configuration = read(Starlette(routes=[route]))

    translation = translate(configuration)
    assert [each.message for each in translation.todos] == [message]
    assert translation.mapping == {"routes": {"/": None}}
    assert find_problems(translation) == ()
    assert compare_layers(configuration, translation, ()).differences == ()


def test_subclass_inside_another_layer_has_a_todo_for_its_code() -> None:
    app = Starlette(
        routes=[
            Mount("/inner", routes=[], middleware=[Middleware(Tenants, allow_origins=[A])]),
        ]
    )
    app.add_middleware(CORSMiddleware, allow_origins=[B])

    inside, code = read(app).todos

    assert inside.message.startswith("Tenants(app) of the mount /inner is inside")
    assert code.message.startswith("the subclass Tenants overrides is_allowed_origin")
    assert code.file.endswith("applications.py")


def test_constructor_that_fails_is_an_error() -> None:
    class NeedsRoutes(CORSMiddleware):
        def __init__(self, app: Any, **options: Any) -> None:
            self.number = len(app.routes)

    with pytest.raises(PeerError) as caught:
        read_starlette({"allow_origins": [A]}, NeedsRoutes)

    assert str(caught.value) == (
        "NeedsRoutes can't be built around a stub: AttributeError: 'function' object has no "
        "attribute 'routes'. Write its policy by hand"
    )


def test_max_age_that_is_not_a_whole_number_is_rounded() -> None:
    (policy,) = read_starlette({"allow_origins": [A], "max_age": 1.5}).policies

    assert policy.max_age == 1
