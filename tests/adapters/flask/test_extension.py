"""The extension: policies passed or configured, factories, and invalid configurations."""

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
    fetch,
    get_allow_origin,
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
def test_guard_policy_argument_applies(policy: Any) -> None:
    app = application()
    CORSGuard(app, policy)
    assert get_allow_origin(fetch(app, "/")) == APP
    assert preflight(app, "/").status_code == 204


def test_guard_configured_policy_applies() -> None:
    app = application(CORSGUARD={"allow_origins": [APP], "allow_methods": ["PUT"]})
    CORSGuard().init_app(app)
    assert get_allow_origin(fetch(app, "/")) == APP
    assert preflight(app, "/").headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT"


def test_guard_configured_routes_and_enforce_apply() -> None:
    app = application(
        CORSGUARD={"routes": {"/": {"allow_origins": [APP]}, "/off": False}, "enforce": True}
    )
    CORSGuard(app)
    assert get_allow_origin(fetch(app, "/")) == APP
    assert "Vary" not in fetch(app, "/off").headers
    assert fetch(app, "/", "POST", EVIL).status_code == 403


def test_guard_argument_wins_over_configuration() -> None:
    app = application(CORSGUARD={"allow_origins": [PARTNER]})
    CORSGuard(app, POLICY)
    assert get_allow_origin(fetch(app, "/")) == APP


def test_init_app_policy_wins_over_constructor() -> None:
    app = application()
    CORSGuard(policy=PARTNERS).init_app(app, POLICY)
    assert get_allow_origin(fetch(app, "/")) == APP


def test_guard_several_applications_have_own_policies() -> None:
    cors = CORSGuard()
    first = application(CORSGUARD={"allow_origins": [APP]})
    second = application(CORSGUARD={"allow_origins": [PARTNER]})
    cors.init_app(first)
    cors.init_app(second)
    assert [get_allow_origin(fetch(app, "/", origin=APP)) for app in (first, second)] == [APP, None]
    assert [get_allow_origin(fetch(app, "/", origin=PARTNER)) for app in (first, second)] == [
        None,
        PARTNER,
    ]


def test_guard_application_factory_applies_policy() -> None:
    cors = CORSGuard(policy=POLICY)

    def create_app() -> Flask:
        app = application()
        cors.init_app(app)
        return app

    assert get_allow_origin(fetch(create_app(), "/")) == APP
    assert get_allow_origin(fetch(create_app(), "/")) == APP


def test_guard_is_stored_in_app_extensions() -> None:
    app = application()
    CORSGuard(app, POLICY)
    app.extensions["corsguard"].guard.reconfigure(PARTNERS)
    assert get_allow_origin(fetch(app, "/", origin=PARTNER)) == PARTNER


def test_init_app_second_time_raises() -> None:
    app = application()
    CORSGuard(app, POLICY)
    with pytest.raises(RuntimeError, match="CORSGuard is already installed on"):
        CORSGuard(app, POLICY)


def test_guard_without_policy_does_not_start() -> None:
    with pytest.raises(PolicyError) as raised:
        CORSGuard(application())
    assert codes(raised) == ["no-policy"]


@pytest.mark.parametrize("policy", [{"/": None}, None])
def test_guard_explicit_no_cors_starts(policy: dict[str, None] | None) -> None:
    app = application(CORSGUARD={"routes": {"/": False}})
    CORSGuard(app, policy)
    assert get_allow_origin(fetch(app, "/")) is None


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, "no-policy"),
        ({"allow_origin": [APP]}, "unknown-field"),
        ({"allow_origins": ["*"], "allow_credentials": True}, "wildcard-with-credentials"),
    ],
)
def test_guard_invalid_configuration_does_not_start(config: dict[str, Any], code: str) -> None:
    with pytest.raises(PolicyError) as raised:
        CORSGuard(application(CORSGUARD=config))
    assert code in codes(raised)


def test_guard_async_callable_does_not_start() -> None:
    async def predicate(origin: str) -> bool:
        return True

    with pytest.raises(PolicyError) as raised:
        CORSGuard(application(), Policy(allow_origins=[predicate]))
    assert codes(raised) == ["callable-async"]


def test_guard_enforce_without_policy_starts() -> None:
    app = application()
    CORSGuard(app, Guard(None, enforce=True))
    assert fetch(app, "/", "POST").status_code == 403
    assert fetch(app, "/").status_code == 200


@pytest.mark.parametrize(
    ("given", "config"), [({}, {}), (Guard({}), {}), (None, {"CORSGUARD": {"routes": {}}})]
)
def test_guard_without_routes_applies_view_policies(given: Any, config: dict[str, Any]) -> None:
    app = application(**config)
    CORSGuard(app, given)
    app.add_url_rule("/own", "own", cors_policy(POLICY)(lambda: "own"))
    assert get_allow_origin(fetch(app, "/own")) == APP
    assert "Vary" not in fetch(app, "/").headers


def test_guard_without_any_policy_serves_no_request() -> None:
    app = application()
    CORSGuard(app, {})
    app.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "exempt"))
    with pytest.raises(PolicyError) as raised:
        fetch(app, "/")
    assert codes(raised) == ["no-policy"]


def test_guard_dangerous_view_policy_serves_no_request() -> None:
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
def test_set_policy_wrong_type_raises(blueprint: Any, policy: Any) -> None:
    with pytest.raises(TypeError, match="set_policy takes a"):
        CORSGuard().set_policy(blueprint, policy)


@pytest.mark.parametrize("given", [POLICY, {"/": POLICY}, Guard(POLICY)])
def test_guard_policy_in_place_of_app_raises(given: Any) -> None:
    kind = type(given).__name__
    message = rf"^`app`: not a Flask application, but a {kind}\. Use CORSGuard\(policy=\.\.\.\)\.$"
    with pytest.raises(TypeError, match=message):
        CORSGuard(given)
    with pytest.raises(TypeError, match=message):
        CORSGuard().init_app(given)


def test_guard_flask_cors_on_application_warns_once() -> None:
    app = application()
    CORSGuard(app, POLICY)
    flask_cors.CORS(app)
    with pytest.warns(
        PolicyWarning, match="flask-cors is active on this application too"
    ) as caught:
        response = fetch(app, "/")
    assert "corsguard" not in Path(caught[0].filename).parent.name
    assert response.headers.getlist("Access-Control-Allow-Origin") == [APP]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fetch(app, "/")


def test_guard_flask_cors_on_view_warns() -> None:
    app = application()
    CORSGuard(app, POLICY)
    app.add_url_rule("/own", "own", flask_cors.cross_origin()(lambda: "own"))
    with pytest.warns(PolicyWarning, match="remove CORS"):
        fetch(app, "/own")


def test_import_without_flask_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'^corsguard_flask needs Flask: pip install "corsguard'):
        importlib.reload(corsguard_flask)
