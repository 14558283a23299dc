"""The extension object: policies given or configured, factories, and what does not start."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import flask_cors
import pytest
from flask import Blueprint, Flask
from support.flask_requests import (
    APP,
    EVIL,
    PARTNER,
    PARTNERS,
    POLICY,
    PUBLIC,
    allowed,
    fetch,
    preflight,
)

import corsguard_flask
from corsguard import Guard, Policy, PolicyError, PolicyWarning
from corsguard_flask import CORSGuard, cors_exempt, cors_policy


def application(**config: Any) -> Flask:
    app = Flask(__name__)
    app.config.update(config)

    @app.get("/")
    def index() -> str:
        return "seen"

    return app


def codes(raised: pytest.ExceptionInfo[PolicyError]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


@pytest.mark.parametrize("policy", [POLICY, {"/": POLICY}, Guard(POLICY)])
def test_the_policy_is_given_with_the_application(policy: Any) -> None:
    app = application()
    CORSGuard(app, policy)
    assert allowed(fetch(app, "/")) == APP
    assert preflight(app, "/").status_code == 204


def test_the_policy_is_configured() -> None:
    app = application(CORSGUARD={"allow_origins": [APP], "allow_methods": ["PUT"]})
    CORSGuard().init_app(app)
    assert allowed(fetch(app, "/")) == APP
    assert preflight(app, "/").headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT"


def test_routes_and_enforcement_are_configured() -> None:
    app = application(
        CORSGUARD={"routes": {"/": {"allow_origins": [APP]}, "/off": False}, "enforce": True}
    )
    CORSGuard(app)
    assert allowed(fetch(app, "/")) == APP
    assert "Vary" not in fetch(app, "/off").headers
    assert fetch(app, "/", "POST", EVIL).status_code == 403


def test_a_policy_that_is_given_wins_over_the_configuration() -> None:
    app = application(CORSGUARD={"allow_origins": [PARTNER]})
    CORSGuard(app, POLICY)
    assert allowed(fetch(app, "/")) == APP


def test_the_policy_of_init_app_wins_over_the_one_of_the_extension() -> None:
    app = application()
    CORSGuard(policy=PARTNERS).init_app(app, POLICY)
    assert allowed(fetch(app, "/")) == APP


def test_one_extension_object_serves_several_applications() -> None:
    cors = CORSGuard()
    first = application(CORSGUARD={"allow_origins": [APP]})
    second = application(CORSGUARD={"allow_origins": [PARTNER]})
    cors.init_app(first)
    cors.init_app(second)
    assert [allowed(fetch(app, "/", origin=APP)) for app in (first, second)] == [APP, None]
    assert [allowed(fetch(app, "/", origin=PARTNER)) for app in (first, second)] == [None, PARTNER]


def test_an_application_factory() -> None:
    cors = CORSGuard(policy=POLICY)

    def create_app() -> Flask:
        app = application()
        cors.init_app(app)
        return app

    assert allowed(fetch(create_app(), "/")) == APP
    assert allowed(fetch(create_app(), "/")) == APP


def test_the_guard_is_found_in_the_application_s_extensions() -> None:
    app = application()
    CORSGuard(app, POLICY)
    app.extensions["corsguard"].guard.reconfigure(PARTNERS)
    assert allowed(fetch(app, "/", origin=PARTNER)) == PARTNER


def test_an_application_has_one_guard() -> None:
    app = application()
    CORSGuard(app, POLICY)
    with pytest.raises(RuntimeError, match="has a CORSGuard already"):
        CORSGuard(app, POLICY)


def test_an_application_without_any_policy_does_not_start() -> None:
    with pytest.raises(PolicyError) as raised:
        CORSGuard(application())
    assert codes(raised) == ["no-policy"]


@pytest.mark.parametrize("policy", [{"/": None}, None])
def test_the_form_that_allows_nothing_starts(policy: dict[str, None] | None) -> None:
    app = application(CORSGUARD={"routes": {"/": False}})
    CORSGuard(app, policy)
    assert allowed(fetch(app, "/")) is None


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, "no-policy"),
        ({"allow_origin": [APP]}, "unknown-field"),
        ({"allow_origins": ["*"], "allow_credentials": True}, "wildcard-with-credentials"),
    ],
)
def test_a_mistaken_configuration_does_not_start(config: dict[str, Any], code: str) -> None:
    with pytest.raises(PolicyError) as raised:
        CORSGuard(application(CORSGUARD=config))
    assert code in codes(raised)


def test_flask_can_not_await_a_callable() -> None:
    async def predicate(origin: str) -> bool:
        return True

    with pytest.raises(PolicyError) as raised:
        CORSGuard(application(), Policy(allow_origins=[predicate]))
    assert codes(raised) == ["callable-async"]


def test_enforcement_needs_no_policy() -> None:
    app = application()
    CORSGuard(app, Guard(None, enforce=True))
    assert fetch(app, "/", "POST").status_code == 403
    assert fetch(app, "/").status_code == 200


@pytest.mark.parametrize(
    ("given", "config"), [({}, {}), (Guard({}), {}), (None, {"CORSGUARD": {"routes": {}}})]
)
def test_no_routes_means_that_only_views_have_policies(given: Any, config: dict[str, Any]) -> None:
    app = application(**config)
    CORSGuard(app, given)
    app.add_url_rule("/own", "own", cors_policy(POLICY)(lambda: "own"))
    assert allowed(fetch(app, "/own")) == APP
    assert "Vary" not in fetch(app, "/").headers


def test_no_routes_and_no_views_answer_nothing() -> None:
    app = application()
    CORSGuard(app, {})
    app.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "exempt"))
    with pytest.raises(PolicyError) as raised:
        fetch(app, "/")
    assert codes(raised) == ["no-policy"]


def test_a_dangerous_policy_of_a_view_answers_nothing() -> None:
    app = application()
    CORSGuard(app, Guard(POLICY, enforce=True))
    insecure = Policy(allow_origins=["http://app.example.com"])
    app.add_url_rule("/own", "own", cors_policy(insecure)(lambda: "own"))
    for _ in range(2):
        with pytest.raises(PolicyError) as raised:
            fetch(app, "/")
        assert codes(raised) == ["origin-insecure"]
        assert raised.value.problems[0].field == 'views."own".allow_origins'


@pytest.mark.parametrize(
    ("blueprint", "policy"), [("api", POLICY), (Blueprint("a", __name__), {"/": POLICY})]
)
def test_a_blueprint_is_given_a_policy_and_nothing_else(blueprint: Any, policy: Any) -> None:
    with pytest.raises(TypeError, match="set_policy takes a"):
        CORSGuard().set_policy(blueprint, policy)


@pytest.mark.parametrize("given", [POLICY, {"/": POLICY}, Guard(POLICY)])
def test_a_policy_in_the_place_of_the_application_is_said_to_be_one(given: Any) -> None:
    kind = type(given).__name__
    message = rf"^a Flask application comes first, not a {kind}: CORSGuard\(policy=\.\.\.\)$"
    with pytest.raises(TypeError, match=message):
        CORSGuard(given)
    with pytest.raises(TypeError, match=message):
        CORSGuard().init_app(given)


def test_flask_cors_on_the_same_application_is_warned_about() -> None:
    app = application()
    CORSGuard(app, POLICY)
    flask_cors.CORS(app)
    with pytest.warns(PolicyWarning, match="flask-cors is on this application as well") as caught:
        response = fetch(app, "/")
    assert "corsguard" not in Path(caught[0].filename).parent.name
    assert response.headers.getlist("Access-Control-Allow-Origin") == [APP]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fetch(app, "/")


def test_flask_cors_on_a_view_is_warned_about() -> None:
    app = application()
    CORSGuard(app, POLICY)
    app.add_url_rule("/own", "own", flask_cors.cross_origin()(lambda: "own"))
    with pytest.warns(PolicyWarning, match="Remove CORS"):
        fetch(app, "/own")


def test_policies_that_are_public_need_no_origin() -> None:
    app = application()
    CORSGuard(app, PUBLIC)
    assert allowed(fetch(app, "/", origin=None)) == "*"


def test_without_flask_the_import_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'^corsguard_flask needs Flask: pip install "corsguard'):
        importlib.reload(corsguard_flask)
