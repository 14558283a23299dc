"""The options of other libraries, each answered with ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.guard.arguments import build_guard
from corsguard.policy.peer_options import INSTEAD, NAMES, plain

A = "https://a.example"

RENAMED = [
    # flask-cors
    ("origins", "allow_origins"),
    ("methods", "allow_methods"),
    ("supports_credentials", "allow_credentials"),
    ("CORS_ORIGINS", "allow_origins"),
    ("CORS_METHODS", "allow_methods"),
    ("CORS_ALLOW_HEADERS", "allow_headers"),
    ("CORS_EXPOSE_HEADERS", "expose_headers"),
    ("CORS_SUPPORTS_CREDENTIALS", "allow_credentials"),
    ("CORS_MAX_AGE", "max_age"),
    # django-cors-headers
    ("CORS_ALLOWED_ORIGINS", "allow_origins"),
    ("CORS_ORIGIN_WHITELIST", "allow_origins"),
    ("CORS_ALLOW_METHODS", "allow_methods"),
    ("CORS_ALLOW_CREDENTIALS", "allow_credentials"),
    ("CORS_PREFLIGHT_MAX_AGE", "max_age"),
    # cors of Node.js, rs/cors, jub0bs/cors, Spring, Falcon
    ("origin", "allow_origins"),
    ("allowedHeaders", "allow_headers"),
    ("exposedHeaders", "expose_headers"),
    ("credentials", "allow_credentials"),
    ("maxAge", "max_age"),
    ("AllowedOrigins", "allow_origins"),
    ("AllowCredentials", "allow_credentials"),
    ("ExposedHeaders", "expose_headers"),
    ("Origins", "allow_origins"),
    ("Credentialed", "allow_credentials"),
    ("RequestHeaders", "allow_headers"),
    ("ResponseHeaders", "expose_headers"),
    ("MaxAgeInSeconds", "max_age"),
    ("allowedMethods", "allow_methods"),
    # ours in another spelling, and the headers' names
    ("allowOrigins", "allow_origins"),
    ("ALLOW_ORIGINS", "allow_origins"),
    ("allow-origins", "allow_origins"),
    ("CORSGUARD_ALLOW_ORIGINS", "allow_origins"),
    ("Access-Control-Allow-Origin", "allow_origins"),
    ("access_control_max_age", "max_age"),
    # a slip
    ("allow_origin", "allow_origins"),
    ("orgins", "allow_origins"),
    ("alow_origins", "allow_origins"),
    ("suports_credentials", "allow_credentials"),
    ("allow_credential", "allow_credentials"),
    ("max_agee", "max_age"),
    ("dangerously_allow_null", "dangerously_allow_null_origin"),
    ("allow_null_origin", "dangerously_allow_null_origin"),
    ("allow_null_origins", "dangerously_allow_null_origin"),
    ("null_origin", "dangerously_allow_null_origin"),
    ("allow_insecure_origins", "dangerously_allow_insecure_origins"),
    ("allow_public_suffixes", "dangerously_allow_public_suffixes"),
    # what is not of a CORS library
    ("allow_cookies", "allow_credentials"),
    ("trusted_origins", "allow_origins"),
    ("CSRF_TRUSTED_ORIGINS", "allow_origins"),
]
ADVISED = [
    ("resources", "routes"),
    ("CORS_RESOURCES", "routes"),
    ("CORS_URLS_REGEX", "routes"),
    ("allow_origin_regex", 're.compile(r"...") in allow_origins'),
    ("CORS_ALLOWED_ORIGIN_REGEXES", 're.compile(r"...") in allow_origins'),
    ("CORS_ORIGIN_REGEX_WHITELIST", 're.compile(r"...") in allow_origins'),
    ("CORS_ALLOW_ALL_ORIGINS", 'allow_origins: ["*"]'),
    ("CORS_ORIGIN_ALLOW_ALL", 'allow_origins: ["*"]'),
    ("AllowAllOrigins", 'allow_origins: ["*"]'),
    ("allowedOriginPatterns", "allow_origins: patterns"),
    ("AllowOriginFunc", "allow_origins: a callable"),
    ("send_wildcard", "remove it"),
    ("vary_header", "remove it"),
    ("CORS_VARY_HEADER", "remove it"),
    ("automatic_options", "remove it"),
    ("intercept_exceptions", "remove it"),
    ("always_send", "remove it"),
    ("allow_private_network", "remove it"),
    ("CORS_ALLOW_PRIVATE_NETWORK", "remove it"),
    ("preflightContinue", "remove it"),
    ("optionsSuccessStatus", "remove it"),
    ("allowed_hosts", "allow_origins: it lists origins"),
    ("ALLOWED_HOSTS", "allow_origins: it lists origins"),
]


def problems(make: Callable[..., Any], *given: Any, **fields: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(*given, **fields)
    return caught.value.problems


@pytest.mark.parametrize(("theirs", "ours"), RENAMED)
def test_a_peer_s_option_is_answered_with_ours(theirs: str, ours: str) -> None:
    others = {} if ours == "allow_origins" else {"allow_origins": [A]}
    for make in (lambda given: Policy(**given), Policy.from_mapping, Guard.from_mapping):
        (problem,) = problems(make, {theirs: "x", **others})
        assert problem[:3] == ("unknown-field", theirs, "x")
        assert problem.suggestion == ours


@pytest.mark.parametrize(("theirs", "advice"), ADVISED)
def test_an_option_without_a_counterpart_is_answered_with_what_to_do(
    theirs: str, advice: str
) -> None:
    for make in (lambda given: Policy(**given), Policy.from_mapping, Guard.from_mapping):
        (problem,) = problems(make, {theirs: True, "allow_origins": [A]})
        assert problem.code == "unknown-field"
        assert problem.suggestion.startswith(advice)


def test_every_name_of_the_table_is_written_as_it_is_looked_up() -> None:
    for name in (*NAMES, *INSTEAD):
        assert plain(name) == name
    assert not NAMES.keys() & INSTEAD.keys()


@pytest.mark.parametrize("name", ["zzz", "debug", "x" * 100_000, "Æ", "", "cors"])
def test_what_is_like_nothing_is_answered_with_all_fields(name: str) -> None:
    (problem,) = problems(Policy.from_mapping, {"allow_origins": [A], name: 1})
    assert problem.suggestion.startswith("one of allow_origins, ")


@pytest.mark.parametrize("theirs", ["origins", "allow_origin", "allow_origin_regex", "Origin"])
def test_no_follow_up_where_the_misnamed_field_was_the_origins(theirs: str, tmp_path: Path) -> None:
    fields = {theirs: [A], "max_age": 5}
    toml = f'{theirs} = ["{A}"]\nmax_age = 5\n'
    file, routes = tmp_path / "a.toml", tmp_path / "b.toml"
    file.write_text(toml, encoding="utf-8")
    routes.write_text(f'[routes."/api"]\n{toml}', encoding="utf-8")
    variable = f"CORSGUARD_{theirs.upper()}"
    for found in (
        problems(Policy, **fields),
        problems(Policy.from_mapping, fields),
        problems(Guard.from_mapping, fields),
        problems(Guard.from_mapping, {theirs: [A]}),
        problems(Guard.from_mapping, {"routes": {"/": fields}}),
        problems(Guard.from_file, file),
        problems(Guard.from_file, routes),
        problems(Guard.from_env, {variable: A, "CORSGUARD_MAX_AGE": "5"}),
        problems(Guard.from_env, {variable: A}),
        problems(build_guard, None, fields),
    ):
        assert [problem.code for problem in found] == ["unknown-field"]


def test_no_follow_up_where_the_misnamed_field_was_the_routes() -> None:
    (problem,) = problems(Guard.from_mapping, {"resources": {r"/api/*": {"origins": "*"}}})
    assert problem.suggestion.startswith("routes")


def test_origins_that_are_left_out_are_still_a_problem_beside_another_misnamed_field() -> None:
    found = problems(Policy, supports_credentials=True)
    assert [problem.code for problem in found] == ["unknown-field", "no-origins"]
    found = problems(Policy, origins=[A], allow_origins=[])
    assert [problem.code for problem in found] == ["unknown-field", "no-origins"]


def test_no_follow_up_where_a_misnamed_flag_would_let_it_start() -> None:
    fields = {"allow_origins": ["null"], "dangerously_allow_null_origins": True}
    found = problems(Policy, **fields)
    assert [problem.suggestion for problem in found] == ["dangerously_allow_null_origin"]
    variables = {"ALLOW_ORIGINS": "null", "DANGEROUSLY_ALLOW_NULL": "true"}
    environ = {f"CORSGUARD_{name}": text for name, text in variables.items()}
    (problem,) = problems(Guard.from_env, environ)
    assert problem.suggestion == "CORSGUARD_DANGEROUSLY_ALLOW_NULL_ORIGIN"


def test_a_suggestion_holds_once_misnamed_credentials_are_renamed() -> None:
    found = problems(Policy, allow_origins=["http://a.example/"], supports_credentials=True)
    assert [problem.suggestion for problem in found] == ["allow_credentials", A]


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("CORSGUARD_ORIGINS", "CORSGUARD_ALLOW_ORIGINS"),
        ("CORSGUARD_SUPPORTS_CREDENTIALS", "CORSGUARD_ALLOW_CREDENTIALS"),
        ("CORSGUARD_PREFLIGHT_MAX_AGE", "CORSGUARD_MAX_AGE"),
        ("CORSGUARD_ENFORCED", "CORSGUARD_ENFORCE"),
        (
            "CORSGUARD_ALLOW_ALL_ORIGINS",
            "CORSGUARD_ALLOW_ORIGINS: *, where any site may read the responses",
        ),
        (
            "CORSGUARD_ALLOW_ORIGIN_REGEX",
            'in Python, re.compile(r"...") in CORSGUARD_ALLOW_ORIGINS: the environment can\'t hold '
            "a regular expression",
        ),
        (
            "CORSGUARD_RESOURCES",
            'in a file, routes: one policy for each path prefix, such as {"/api": ...}: the '
            "environment holds one policy",
        ),
        ("CORSGUARD_VARY_HEADER", "remove it: `Vary` is always right"),
        ("CORSGUARD_OWN_ORIGIN", "CORSGUARD_OWN_ORIGINS"),
        ("CORSGUARD_ALLOW_NULL_ORIGIN", "CORSGUARD_DANGEROUSLY_ALLOW_NULL_ORIGIN"),
    ],
)
def test_a_peer_s_option_in_the_environment_is_answered_with_a_variable(
    variable: str, suggestion: str
) -> None:
    environ = {"CORSGUARD_ALLOW_ORIGINS": A, variable: "x"}
    (problem,) = problems(Guard.from_env, environ)
    assert (problem.field, problem.suggestion) == (variable, suggestion)


def test_a_peer_s_variable_is_to_be_renamed_where_no_policy_is_found() -> None:
    (problem,) = problems(Guard.from_env, {"CORS_ALLOWED_ORIGINS": A})
    assert problem.code == "no-policy"
    assert problem.suggestion == "rename CORS_ALLOWED_ORIGINS to CORSGUARD_ALLOW_ORIGINS"
    (problem,) = problems(Guard.from_env, {"CORS_ALLOW_ALL_ORIGINS": "true"})
    assert problem.suggestion == "CORSGUARD_ALLOW_ORIGINS=https://app.example.com"
    environ = {"CORS_ALLOWED_ORIGINS": A, "CORSGUARD_ALLOW_ORIGINS": A}
    assert Guard.from_env(environ).policy_for("/") == Policy(allow_origins=[A])


def test_a_regex_and_routes_are_suggested_as_a_file_can_hold_them(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(
        f'allow_origins = ["{A}"]\nallow_origin_regex = "x"\n[resources]\n["/x"]\n',
        encoding="utf-8",
    )
    found = problems(Guard.from_file, file)
    assert [problem.suggestion for problem in found] == [
        'in Python, re.compile(r"...") in allow_origins: a TOML file can\'t hold a regular '
        "expression",
        'routes: one policy for each path prefix, such as [routes."/api"]',
        '[routes."/x"]',
    ]


@pytest.mark.parametrize("name", ["own_origin", "OwnOrigin", "own_orgins", "own-origins"])
def test_the_service_s_own_origins_are_never_mistaken_for_those_that_are_allowed(name: str) -> None:
    for make in (Guard.from_mapping, lambda given: build_guard(None, given)):
        (problem,) = problems(make, {"allow_origins": [A], name: [A]})
        assert problem.suggestion == "own_origins"
    (problem,) = problems(Policy.from_mapping, {"allow_origins": [A], name: [A]})
    assert problem.suggestion.startswith("own_origins beside the policy")
    assert [each.code for each in problems(Guard.from_mapping, {name: [A]})] == [
        "unknown-field",
        "no-policy",
    ]


@pytest.mark.parametrize("value", [False, None, 0, "false", " Off "])
@pytest.mark.parametrize("name", ["CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL", "allorigins"])
def test_a_flag_that_allows_not_every_origin_is_to_be_removed(name: str, value: object) -> None:
    (problem,) = problems(Guard.from_mapping, {"allow_origins": [A], name: value})
    assert problem.suggestion == "remove it: only what allow_origins lists is allowed"
    found = problems(Guard.from_mapping, {name: value, "max_age": 5})
    assert [each.code for each in found] == ["unknown-field", "no-origins"]
    found = problems(Guard.from_mapping, {name: True, "max_age": 5})
    assert [each.code for each in found] == ["unknown-field"]


@pytest.mark.parametrize("key", ["resources", "CORS_URLS_REGEX", "routes", "rotues", "/api"])
def test_no_origins_are_missing_from_a_policy_that_was_given_routes(key: str) -> None:
    fields = {key: {"/api/*": {"origins": "*"}}}
    for found in (problems(Policy, **fields), problems(Policy.from_mapping, fields)):
        assert [problem.code for problem in found] == ["unknown-field"]


@pytest.mark.parametrize("option", ["enforce", "own_origins", "enforce_exempt"])
def test_an_option_of_the_guard_is_not_a_field_of_a_policy(option: str) -> None:
    (problem,) = problems(Policy, allow_origins=[A], **{option: True})
    assert problem.suggestion == f"{option} beside the policy, as in Guard(policy, {option}=...)"
    (problem,) = problems(Policy, allow_origins=[A], routes={})
    assert problem.suggestion.startswith("routes: one policy for each path prefix")


def test_a_path_among_the_fields_belongs_into_routes() -> None:
    (problem,) = problems(Guard.from_mapping, {"/api": {"allow_origins": [A]}})
    assert problem.suggestion == '{"routes": {"/api": ...}}'
    (problem,) = problems(Policy.from_mapping, {"allow_origins": [A], "/api": {}})
    assert problem.suggestion.startswith("one of allow_origins, ")


def test_what_python_itself_refuses_stays_a_type_error() -> None:
    with pytest.raises(TypeError, match="allow_origins"):
        Policy()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Policy(A)  # type: ignore[call-arg]
