"""CORSGuard: how it is called, what it refuses, and what stays as it is."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware as StarletteCORS
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route
from support.asgi_exchange import APP, EVIL, Exchange, exchange
from support.starlette_requests import (
    PARTNER,
    PARTNERS,
    POLICY,
    fetch,
    get_allow_origin,
    preflight,
    view,
)

from corsguard import Guard, PolicyError, PolicyWarning
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard, cors_policy

FIELDS: dict[str, Any] = {"allow_origins": [APP], "allow_methods": ["PUT"]}


def application() -> Starlette:
    return Starlette(routes=[Route("/", view, methods=["GET", "POST", "PUT"])])


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ((), FIELDS),
        ((POLICY,), {}),
        (({"/": POLICY},), {}),
        ((Guard(POLICY),), {}),
        ((), {"policy": POLICY}),
        ((), {"routes": {"/": FIELDS}}),
    ],
)
def test_policy_is_accepted_in_every_form(given: Any, fields: dict[str, Any]) -> None:
    app = application()
    CORSGuard(app, *given, **fields)
    assert get_allow_origin(app) == APP
    assert get_allow_origin(app, origin=EVIL) is None
    answer = preflight(app, "/", "PUT")
    assert answer.status == 204
    assert "PUT" in answer.cors["access-control-allow-methods"]


def test_guard_options_are_accepted_as_keywords() -> None:
    app = application()
    CORSGuard(app, **FIELDS, enforce=True, enforce_exempt=["/hook"], own_origins=[PARTNER])
    assert fetch(app, "/", "POST", EVIL).status == 403
    assert fetch(app, "/", "POST", PARTNER).status == 200
    assert fetch(app, "/hook", "POST", EVIL).status == 404


def test_enforce_alone_is_accepted() -> None:
    app = application()
    CORSGuard(app, enforce=True)
    assert fetch(app, "/", "POST", EVIL).status == 403


def test_guard_is_in_the_state_and_can_be_reconfigured() -> None:
    app = application()
    cors = CORSGuard(app, **FIELDS)
    assert app.state.corsguard.guard is cors.guard
    assert get_allow_origin(app) == APP
    cors.guard.reconfigure(PARTNERS)
    assert get_allow_origin(app) is None
    assert get_allow_origin(app, origin=PARTNER) == PARTNER


@pytest.mark.parametrize(
    ("given", "fields", "code", "words"),
    [
        ((POLICY,), FIELDS, "type-invalid", "its fields as keywords"),
        ((FIELDS,), {}, "type-invalid", "its fields as keywords"),
        ((), {"allow_origin": [APP]}, "unknown-field", "allow_origins"),
        ((), {"allow_origins": [APP], "max_age": -1}, "max-age-out-of-range", "0"),
        ((), {}, "no-policy", "Policy(allow_origins="),
        ((), {"own_origins": [APP]}, "no-policy", "Policy(allow_origins="),
        ((Guard(None),), {}, "no-policy", "Policy(allow_origins="),
    ],
)
def test_wrong_policy_stops_the_import_and_suggests_the_right_one(
    given: Any, fields: dict[str, Any], code: str, words: str
) -> None:
    app = application()
    with pytest.raises(PolicyError) as raised:
        CORSGuard(app, *given, **fields)
    [problem] = [problem for problem in raised.value.problems if problem.code == code]
    assert words in problem.suggestion
    assert get_allow_origin(app) is None


@pytest.mark.parametrize(
    "app",
    [None, POLICY, FIELDS, application().router, GZipMiddleware(application()), "main:app"],
    ids=lambda app: type(app).__name__,
)
def test_other_object_than_an_application_shows_the_right_call(app: Any) -> None:
    with pytest.raises(PolicyError) as raised:
        CORSGuard(app, **FIELDS)
    [problem] = raised.value.problems
    assert (problem.code, problem.field) == ("type-invalid", "app")
    assert "CORSGuard(app, allow_origins=[...])" in problem.suggestion


def test_add_middleware_shows_the_right_call() -> None:
    app = application()
    app.add_middleware(CORSGuard, **FIELDS)  # type: ignore[arg-type]
    error = fetch(app).error
    assert isinstance(error, PolicyError)
    assert "not for add_middleware" in str(error)
    assert "Call CORSGuard(app, allow_origins=[...])" in str(error)


def test_second_guard_on_one_application_is_refused() -> None:
    app = application()
    CORSGuard(app, **FIELDS)
    with pytest.raises(RuntimeError, match="already installed"):
        CORSGuard(app, PARTNERS)
    assert get_allow_origin(app) == APP


def test_application_that_has_started_is_refused() -> None:
    app = application()
    assert fetch(app).status == 200
    with pytest.raises(RuntimeError, match="before its first request"):
        CORSGuard(app, **FIELDS)


def test_starlette_middleware_beside_it_is_warned_of() -> None:
    app = application()
    CORSGuard(app, **FIELDS)
    app.add_middleware(StarletteCORS, allow_origins=["*"])
    with pytest.warns(PolicyWarning, match="Starlette's CORSMiddleware is active"):
        assert get_allow_origin(app) == APP


# What stays as it is


def session() -> str:
    return "real"


def fastapi() -> FastAPI:
    app = FastAPI()

    @app.get("/session")
    def read(session: Annotated[str, Depends(session)]) -> str:
        return session

    @app.get("/public")
    @cors_policy(allow_origins=["*"])
    def public() -> str:
        return "public"

    return app


def test_fastapi_works_as_before() -> None:
    bare, app = fastapi(), fastapi()
    CORSGuard(app, **FIELDS)
    app.dependency_overrides[session] = lambda: "override"
    assert fetch(app, "/session").body == b'"override"'
    assert app.openapi() == bare.openapi()
    assert app.url_path_for("read") == "/session"
    assert [getattr(route, "path", "") for route in app.routes] == [
        getattr(route, "path", "") for route in bare.routes
    ]
    assert type(app) is FastAPI


@pytest.mark.parametrize("build", [application, fastapi])
def test_middleware_added_later_is_inside(build: Callable[[], Starlette]) -> None:
    app = build()
    CORSGuard(app, **FIELDS)

    class Deny:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            start = {"type": "http.response.start", "status": 401, "headers": []}
            await send(start)
            await send({"type": "http.response.body", "body": b"no"})

    app.add_middleware(Deny)
    answer = fetch(app)
    assert (answer.status, answer.cors["access-control-allow-origin"]) == (401, APP)
    assert [str(each.cls) for each in app.user_middleware] == [str(Deny)]


def test_mounted_application_has_its_own_guard() -> None:
    inner = application()
    CORSGuard(inner, {"/": POLICY, "/closed": None})
    app = Starlette()
    app.mount("/svc", inner)
    assert get_allow_origin(app, "/svc/") == APP
    assert get_allow_origin(app, "/svc/closed") is None
    assert get_allow_origin(app, "/elsewhere") is None


def test_middleware_around_is_outermost() -> None:
    app = application()
    CORSGuard(app, PARTNERS)
    assert get_allow_origin(CORSMiddleware(app, **FIELDS)) == APP


# Starting


def start(app: Starlette) -> Exchange:
    scope = {"type": "lifespan", "state": {}}
    received = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    return asyncio.run(exchange(app, scope, *received))


def test_lifespan_reaches_the_application() -> None:
    app = application()
    CORSGuard(app, **FIELDS)
    kinds = [message["type"] for message in start(app).sent]
    assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_application_without_any_policy_does_not_start() -> None:
    app = application()
    CORSGuard(app, {})
    started = start(app)
    [message] = started.sent
    assert message["type"] == "lifespan.startup.failed"
    assert "no route, router or view has a policy" in message["message"]
    assert isinstance(started.error, PolicyError)
    assert isinstance(fetch(app).error, PolicyError)


def test_explicit_no_cors_starts() -> None:
    app = application()
    CORSGuard(app, {"/": None})
    assert fetch(app).cors == {}


def test_views_alone_may_have_policies() -> None:
    app = fastapi()
    CORSGuard(app, {})
    assert get_allow_origin(app, "/public") == "*"
    assert fetch(app, "/session").cors == {}


def test_view_policy_that_enforcement_forbids_does_not_start() -> None:
    app = fastapi()
    CORSGuard(app, **FIELDS, enforce=True)
    risky = cors_policy(allow_origins=["null"], dangerously_allow_null_origin=True)
    app.add_api_route("/risky", risky(lambda: ""))
    error = fetch(app, "/session").error
    assert isinstance(error, PolicyError)
    assert [problem.code for problem in error.problems] == ["origin-null"]
    assert 'views."' in error.problems[0].field


def test_import_without_starlette_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import corsguard_starlette

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'pip install "corsguard\[starlette\]"$'):
        importlib.reload(corsguard_starlette)
