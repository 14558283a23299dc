"""The shadow mode of the Flask extension, around flask-cors."""

from __future__ import annotations

import warnings
from typing import Any

import flask_cors
import pytest
from flask import Flask, Response
from support.shadow import list_rows

from corsguard import Policy
from corsguard.cli.application.guarded_app import Findings
from corsguard_flask import CORSGuard, cors_policy
from corsguard_flask.application import describe_flask
from corsguard_flask.shadow import FlaskShadow

APP, EVIL = "https://app.example", "https://evil.example"
POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"], allow_credentials=True)
USERS = Policy(allow_origins=[EVIL], allow_credentials=True)
NOTHING = {"/": None}
PREFLIGHT = {"Access-Control-Request-Method": "PUT"}


def build(**options: Any) -> Flask:
    app = Flask("shop")
    flask_cors.CORS(app, supports_credentials=True, **options)

    @app.route("/api", methods=["GET", "PUT", "POST"])
    def api() -> Response:
        return Response(iter(["one", "two"]), 299)

    @app.route("/fail")
    def fail() -> str:
        raise ValueError("of the application")

    @app.route("/own", methods=["GET", "POST"])
    @cors_policy(USERS)
    def own() -> str:
        return "own"

    @app.route("/<broken>/x")
    def unused(broken: str) -> str:
        return broken

    return app


def ask(app: Flask, method: str, path: str, headers: dict[str, str]) -> tuple[Any, ...]:
    response = app.test_client(use_cookies=False).open(path, method=method, headers=headers)
    return response.status, [*response.headers], [*response.response]


@pytest.mark.parametrize(
    "policy",
    [
        {"policy": NOTHING},
        {"allow_origins": [APP], "enforce": True},
        {"routes": {"/api": POLICY}},
    ],
)
@pytest.mark.parametrize("path", ["/api", "/own", "/fail", "/missing"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_everything_passes_as_it_is(policy: dict[str, Any], method: str, path: str) -> None:
    plain, shadowed = build(), build()
    CORSGuard(shadowed, shadow=True, **policy)

    for origin in (None, APP, EVIL):
        for more in ({}, {"Cookie": "a=b"}, PREFLIGHT):
            headers = {**more, **({"Origin": origin} if origin else {})}
            assert ask(shadowed, method, path, headers) == ask(plain, method, path, headers)


def test_differences_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = build()
    CORSGuard(app, {"/api": POLICY, "/": None}, shadow=True)

    ask(app, "GET", "/api", {"Origin": EVIL, "Cookie": "a=b"})
    ask(app, "GET", "/api", {"Origin": APP, "Cookie": "a=b"})
    ask(app, "OPTIONS", "/api", {"Origin": APP, **PREFLIGHT})
    ask(app, "GET", "/missing", {"Origin": APP})

    assert list_rows(caplog) == [
        ("served-with-cookies", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("served-with-cookies", APP, "/api", "ALLOWED", 1),
        ("would-refuse", APP, "/", "NO_POLICY", 1),
    ]


def test_policies_of_views_are_compared(caplog: pytest.LogCaptureFixture) -> None:
    app = build()
    CORSGuard(app, NOTHING, shadow=True)

    ask(app, "GET", "/own", {"Origin": EVIL})
    ask(app, "OPTIONS", "/own", {"Origin": EVIL, "Access-Control-Request-Method": "POST"})
    ask(app, "GET", "/own", {"Origin": APP})
    ask(app, "GET", "/own", {})

    assert list_rows(caplog) == [("would-refuse", APP, "own", "ORIGIN_NOT_ALLOWED", 1)]


def test_policy_of_a_view_under_enforce_is_compared(caplog: pytest.LogCaptureFixture) -> None:
    app = build()
    CORSGuard(app, enforce=True, shadow=True)

    ask(app, "POST", "/own", {"Origin": APP})
    ask(app, "POST", "/own", {"Sec-Fetch-Site": "cross-site"})

    assert {row[3] for row in list_rows(caplog)} == {"CROSS_ORIGIN_REFUSED"}


def test_shadow_is_read_from_the_setting() -> None:
    app = build()
    app.config["CORSGUARD"] = {"routes": {"/": False}, "shadow": True}
    CORSGuard(app)
    other = build()
    other.config["CORSGUARD"] = {"routes": {"/": False}}
    CORSGuard(shadow=True).init_app(other)

    for each in (app, other):
        assert isinstance(each.extensions["corsguard"], FlaskShadow)


def test_flask_cors_is_no_problem_in_shadow_mode() -> None:
    app = build()
    CORSGuard(app, POLICY, shadow=True)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found: Findings = describe_flask(app).find_problems()

    assert "flask-cors" not in [each.code for each in found.problems]


def test_view_policy_that_must_not_start_leaves_responses_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, plain = build(), build()
    CORSGuard(app, enforce=True, shadow=True)

    async def allow(origin: str) -> bool:
        return origin == APP

    policy = Policy(allow_origins=[allow])
    for each in (app, plain):
        each.add_url_rule("/any", "any", cors_policy(policy)(lambda: "any"), methods=["POST"])

    headers = {"Origin": EVIL}
    assert ask(app, "POST", "/any", headers) == ask(plain, "POST", "/any", headers)
    assert "the shadow mode failed" in caplog.text
