"""The fields of a policy are keywords of the ASGI middleware, wherever a framework makes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from litestar import Litestar
from litestar import get as litestar_get
from litestar.middleware import DefineMiddleware
from quart import Quart
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from support.asgi_exchange import APP, EVIL, Answering, App, ask, get, scope_of

from corsguard import Guard, Policy, PolicyError
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
ALLOWED = {"access-control-allow-origin": APP, "vary": "Origin"}
FIELDS: dict[str, Any] = {
    "allow_origins": [APP],
    "allow_credentials": True,
    "allow_methods": ["PUT"],
    "allow_headers": ["Content-Type"],
}


def wrapped(**fields: Any) -> App:
    return CORSMiddleware(Answering(), **fields)


def starlette(**fields: Any) -> App:
    app = Starlette(routes=[Route("/items", PlainTextResponse("hello"))])
    app.add_middleware(CORSMiddleware, **fields)
    return app


def starlette_listed(**fields: Any) -> App:
    return Starlette(
        routes=[Route("/items", PlainTextResponse("hello"))],
        middleware=[Middleware(CORSMiddleware, **fields)],
    )


def fastapi(**fields: Any) -> App:
    app = FastAPI()
    app.add_route("/items", lambda request: PlainTextResponse("hello"))
    app.add_middleware(CORSMiddleware, **fields)
    return app


def litestar(**fields: Any) -> App:
    @litestar_get("/items")
    async def items() -> str:
        return "hello"

    app: App = Litestar([items], middleware=[DefineMiddleware(CORSMiddleware, **fields)])
    return app


def quart(**fields: Any) -> App:
    app = Quart(__name__)
    app.add_url_rule("/items", view_func=lambda: "hello")
    app.asgi_app = CORSMiddleware(app.asgi_app, **fields)  # type: ignore[method-assign]
    return app


SET_UPS = pytest.mark.parametrize(
    "set_up", [wrapped, starlette, starlette_listed, fastapi, litestar, quart]
)
SetUp = Callable[..., App]


@SET_UPS
def test_policy_fields_are_keywords(set_up: SetUp) -> None:
    app = set_up(**FIELDS)
    answer = get(app)
    assert answer.status == 200
    assert answer.cors == {**ALLOWED, "access-control-allow-credentials": "true"}
    assert get(app, origin=EVIL).cors == {"vary": "Origin"}


@SET_UPS
def test_guard_options_are_keywords(set_up: SetUp) -> None:
    app = set_up(allow_origins=[APP], enforce=True, enforce_exempt=["/hooks"], own_origins=[])
    if set_up is litestar:  # which answers 405 before its middleware
        app = CORSMiddleware(app, allow_origins=[APP], enforce=True)
    assert ask(app, scope_of("POST", headers=[("Origin", EVIL)])).status == 403
    assert get(app).cors == ALLOWED


@SET_UPS
def test_routes_are_a_keyword(set_up: SetUp) -> None:
    assert get(set_up(routes={"/items": {"allow_origins": [APP]}, "/": None})).cors == ALLOWED
    assert get(set_up(routes={"/": POLICY, "/items": False})).cors == {}


@SET_UPS
@pytest.mark.parametrize("policy", [POLICY, {"/": POLICY}, Guard(POLICY)])
def test_policy_is_a_keyword(set_up: SetUp, policy: Any) -> None:
    assert get(set_up(policy=policy)).cors == ALLOWED


def test_policy_is_a_positional_argument() -> None:
    app = Starlette(routes=[Route("/items", PlainTextResponse("hello"))])
    app.add_middleware(CORSMiddleware, POLICY)
    for served in (
        app,
        CORSMiddleware(Answering(), POLICY),
        CORSMiddleware(app=Answering(), policy=POLICY),
    ):
        assert get(served).cors == ALLOWED


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "no-policy", "Policy(allow_origins="),
    ({"allow_origin": [APP]}, "unknown-field", "allow_origins"),
    ({**FIELDS, "expose_header": ["X-A"]}, "unknown-field", "expose_headers"),
    ({"policies": POLICY}, "unknown-field", "policy"),
    ({"guard": Guard(POLICY)}, "unknown-field", "policy"),
    (
        {"policy": POLICY, "enforce": True},
        "type-invalid",
        "policy=Guard(Policy(...), enforce=True)",
    ),
    ({"policy": POLICY, "allow_methods": ["PUT"]}, "type-invalid", "allow_origins=[...]"),
    ({"policy": POLICY, "debug": True}, "type-invalid", "allow_origins=[...]"),
    ({"policy": FIELDS}, "type-invalid", "allow_origins=[...]"),
    ({"policy": [APP]}, "type-invalid", "Policy(allow_origins="),
]


@SET_UPS
@pytest.mark.parametrize(("fields", "code", "suggestion"), MISTAKES)
def test_wrong_keyword_names_the_right_call(
    set_up: SetUp, fields: dict[str, Any], code: str, suggestion: str
) -> None:
    try:
        error = get(set_up(**fields)).error
    except PolicyError as raised:
        error = raised
    assert isinstance(error, PolicyError)
    assert error.problems[0].code == code
    assert suggestion in error.problems[0].suggestion


def test_type_checker_knows_the_keywords() -> None:
    # mypy fails where one of these is no error.
    app = Starlette()
    with pytest.raises(PolicyError, match=r"allow_origin: .* -> allow_origins"):
        CORSMiddleware(Answering(), allow_origin=[APP])  # type: ignore[call-arg]
    with pytest.raises(PolicyError, match="allow_credentials"):
        CORSMiddleware(Answering(), allow_origins=[APP], allow_credentials="yes")  # type: ignore[arg-type]
    app.add_middleware(CORSMiddleware, allow_origin=[APP])  # type: ignore[call-arg]
    app.add_middleware(CORSMiddleware, allow_origins=[APP], allow_credentials=True)
    app.add_middleware(CORSMiddleware, policy=POLICY)
    CORSMiddleware(Answering(), allow_origins=[APP], max_age=None, enforce="report")


@pytest.mark.parametrize("make", [starlette, starlette_listed, fastapi])
def test_uvicorn_shows_a_late_policy_error_at_start(
    make: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    config = uvicorn.Config(make(allow_origin=[APP]), log_config=None)

    async def start() -> None:
        config.load()
        await config.lifespan_class(config).startup()

    with caplog.at_level(logging.INFO):
        asyncio.run(start())
    assert "ASGI 'lifespan' protocol appears unsupported." in caplog.messages
    [ours] = [record for record in caplog.records if record.name == "corsguard"]
    assert ours.levelname == "ERROR"
    assert "CORSMiddleware does not start" in ours.getMessage()
    assert "allow_origin: there is no field 'allow_origin'" in ours.getMessage()
    assert "-> allow_origins" in ours.getMessage()
