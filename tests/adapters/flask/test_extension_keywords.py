"""The fields of a policy as keywords, wrong calls, and "no CORS" in every form."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from flask import Flask
from support.flask_requests import APP, EVIL, PARTNER, POLICY, fetch, get_allow_origin, preflight

from corsguard import Guard, PolicyError, PolicyWarning
from corsguard_flask import CORSGuard


def application(**config: Any) -> Flask:
    app = Flask(__name__)
    app.config.update(config)
    app.add_url_rule("/", "index", lambda: "seen", methods=["GET", "POST", "PUT"])
    return app


FIELDS: dict[str, Any] = {"allow_origins": [APP], "allow_methods": ["PUT"]}


def test_fields_are_accepted_in_each_place() -> None:
    first, second, third = application(), application(), application(CORSGUARD={"routes": {}})
    CORSGuard(first, **FIELDS)
    CORSGuard(**FIELDS).init_app(second)
    CORSGuard().init_app(third, **FIELDS)
    for app in (first, second, third):
        assert get_allow_origin(fetch(app, "/")) == APP
        assert preflight(app, "/", "PUT").headers["Access-Control-Allow-Methods"].endswith("PUT")
        assert get_allow_origin(fetch(app, "/", origin=EVIL)) is None


def test_guard_options_are_accepted_as_keywords() -> None:
    app = application()
    CORSGuard(
        app,
        routes={"/": {"allow_origins": [APP]}},
        enforce=True,
        enforce_exempt=["/hook"],
        own_origins=["https://api.example.com"],
    )
    assert fetch(app, "/", "POST", EVIL).status_code == 403
    assert fetch(app, "/", "POST", "https://api.example.com").status_code == 200
    assert fetch(app, "/hook", "POST", EVIL).status_code == 404


def test_enforce_alone_is_accepted_as_keyword() -> None:
    app = application()
    CORSGuard(app, enforce=True)
    assert fetch(app, "/", "POST", EVIL).status_code == 403


def test_init_app_wins_in_either_form() -> None:
    first, second = application(), application()
    CORSGuard(policy=POLICY).init_app(first, allow_origins=[PARTNER])
    CORSGuard(allow_origins=[PARTNER]).init_app(second, POLICY)
    assert get_allow_origin(fetch(first, "/", origin=PARTNER)) == PARTNER
    assert get_allow_origin(fetch(second, "/")) == APP


def test_fields_build_one_guard_per_application() -> None:
    cors = CORSGuard(allow_origins=[APP])
    first, second = application(), application()
    cors.init_app(first)
    cors.init_app(second)
    first.extensions["corsguard"].guard.reconfigure(None)
    assert get_allow_origin(fetch(first, "/")) is None
    assert get_allow_origin(fetch(second, "/")) == APP


def test_fields_with_warning_warn_once() -> None:
    with pytest.warns(PolicyWarning) as caught:
        cors = CORSGuard(allow_origins=[APP], max_age=80_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cors.init_app(application())
    assert len(caught) == 1


@pytest.mark.parametrize("with_app", [False, True])
@pytest.mark.parametrize(
    ("given", "fields", "code", "words"),
    [
        ((POLICY,), FIELDS, "type-invalid", "its fields as keywords"),
        ((Guard(POLICY),), FIELDS, "type-invalid", "its fields as keywords"),
        ((FIELDS,), {}, "type-invalid", "its fields as keywords"),
        ((), {"allow_origin": [APP]}, "unknown-field", "allow_origins"),
        ((), {"allow_origins": [APP], "max_age": -1}, "max-age-out-of-range", "0"),
        ((), {"own_origins": [APP]}, "no-policy", "Policy(allow_origins="),
    ],
)
def test_wrong_call_suggests_the_right_one(
    with_app: bool, given: Any, fields: dict[str, Any], code: str, words: str
) -> None:
    app = application() if with_app else None
    with pytest.raises(PolicyError) as raised:
        CORSGuard(app, *given, **fields)
    problems = [problem for problem in raised.value.problems if problem.code == code]
    assert len(problems) == 1
    assert words in problems[0].suggestion


@pytest.mark.parametrize(
    ("given", "fields", "config"),
    [
        ({"/": None}, {}, {}),
        (Guard({"/": None}), {}, {}),
        (None, {"routes": {"/": None}}, {}),
        (None, {"routes": {"/": False}}, {}),
        (None, {}, {"CORSGUARD": {"routes": {"/": False}}}),
        (None, {}, {"CORSGUARD": {"routes": {"/": None}}}),
        (None, {}, {"CORSGUARD": Guard({"/": None})}),
    ],
)
def test_explicit_no_cors_starts_in_every_form(
    given: Any, fields: dict[str, Any], config: dict[str, Any]
) -> None:
    app = application(**config)
    CORSGuard(app, given, **fields)
    response = fetch(app, "/")
    assert (response.text, get_allow_origin(response)) == ("seen", None)
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    assert (done.exit_code, done.output) == (0, "no problems\n")


def test_no_policy_fails_first_request_and_check() -> None:
    app = application()
    CORSGuard(app, {})
    with pytest.raises(PolicyError, match="no route, view or blueprint has a policy"):
        fetch(app, "/")
    done = app.test_cli_runner().invoke(args=["cors", "check"])
    assert done.exit_code == 1
    assert "no route, view or blueprint has a policy" in done.output
