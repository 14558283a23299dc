"""The shadow mode of the extension, around Starlette's own CORSMiddleware."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware as StarletteCORS
from support.shadow import call_asgi, list_rows

from corsguard import Policy
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard, cors_policy
from corsguard_starlette.application import describe_app

APP, EVIL = "https://app.example", "https://evil.example"
POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"])
USERS = Policy(allow_origins=[EVIL], allow_credentials=True)
NOTHING = {"/": None}
PREFLIGHT = {"access_control_request_method": "PUT"}


def build(*listed: Any) -> FastAPI:
    old = Middleware(
        StarletteCORS, allow_origin_regex=".*", allow_methods=["*"], allow_credentials=True
    )
    app = FastAPI(middleware=[*listed, old])

    @app.put("/api")
    @app.get("/api")
    def api() -> StreamingResponse:
        return StreamingResponse(iter(["one", "two"]), 299)

    @app.get("/fail")
    def fail() -> None:
        raise ValueError("of the application")

    @app.get("/own")
    @cors_policy(USERS)
    def own() -> str:
        return "own"

    return app


def ask(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> tuple[Any, ...]:
    return call_asgi(app, method, path, **{name.lower(): each for name, each in headers.items()})


@pytest.mark.parametrize("policy", [{"policy": NOTHING}, {"policy": POLICY}, {"enforce": True}])
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api", "/own", "/fail", "/missing"])
def test_everything_passes_as_it_is(policy: dict[str, Any], method: str, path: str) -> None:
    plain, shadowed = build(), build()
    CORSGuard(shadowed, shadow=True, **policy)

    for origin in (None, APP, EVIL):
        for more in ({}, {"Cookie": "a=b"}, PREFLIGHT):
            headers = {**more, **({"Origin": origin} if origin else {})}
            assert ask(shadowed, method, path, headers) == ask(plain, method, path, headers)


def test_differences_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = build()
    CORSGuard(app, {"/api": POLICY}, shadow=True)

    ask(app, "GET", "/api", {"Origin": EVIL, "Cookie": "a=b"})
    ask(app, "OPTIONS", "/api", {"Origin": EVIL, **PREFLIGHT})
    ask(app, "GET", "/own", {"Origin": EVIL, "Cookie": "a=b"})

    assert list_rows(caplog) == [
        ("served-with-cookies", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("served-with-cookies", EVIL, "own", "ALLOWED", 1),
    ]


def test_starlette_cors_is_no_problem_in_shadow_mode() -> None:
    extended, listed = build(), build(Middleware(CORSMiddleware, policy=POLICY, shadow=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CORSGuard(extended, POLICY, shadow=True)
        for app in (extended, listed):
            found = describe_app(app)
            assert found is not None
            codes = [each.code for each in found.find_problems().problems]
            assert "starlette-cors" not in codes
