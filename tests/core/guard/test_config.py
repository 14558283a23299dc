"""One configuration shape, from a mapping, a TOML file or the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, PolicyWarning, Problem, Reason
from corsguard.guard.config import name_variable

A, B = "https://a.example", "https://b.example"
LISTED = Policy(allow_origins=[A])
FIELDS = (
    "allow_origins, allow_credentials, allow_methods, allow_headers, expose_headers, max_age, "
    "predicate_timeout, dangerously_allow_insecure_origins, dangerously_allow_public_suffixes, "
    "dangerously_allow_null_origin, routes, enforce, enforce_exempt, own_origins, "
    "origin_sets, candidate, source, shadow"
)

Row = tuple[str, str, str]
"""Code, field and suggestion."""


def problems(make: Callable[[Any], Guard], given: object) -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        make(given)
    return list(caught.value.problems)


def rows(make: Callable[[Any], Guard], given: object) -> list[Row]:
    return [(each.code, each.field, each.suggestion) for each in problems(make, given)]


def refused_from_elsewhere(guard: Guard, path: str = "/", **headers: str) -> bool:
    decision = guard.decide(path, "https://evil.example", "POST", headers)
    return decision.reason is Reason.CROSS_ORIGIN_REFUSED


def test_mapping_of_fields_applies_to_every_path() -> None:
    guard = Guard.from_mapping({"allow_origins": [A], "max_age": 600, "allow_methods": ["PUT"]})
    policy = Policy(allow_origins=[A], max_age=600, allow_methods=["PUT"])
    assert guard.policies == policy
    assert guard.policy_for("/a//b") == policy


def test_mapping_of_routes_accepts_tables_false_and_none() -> None:
    guard = Guard.from_mapping(
        {
            "routes": {
                "/": {"allow_origins": [B]},
                "/api": LISTED,
                "/off": False,
                "/none": None,
            }
        }
    )
    assert guard.policies == {
        "/": Policy(allow_origins=[B]),
        "/api": LISTED,
        "/off": None,
        "/none": None,
    }
    assert guard.policy_for("/api/x") == LISTED
    assert guard.policy_for("/off") is None


def test_from_mapping_accepts_any_mapping_type() -> None:
    given = MappingProxyType({"routes": MappingProxyType({"/": MappingProxyType(FULL)})})
    assert Guard.from_mapping(given).policies == {"/": Policy(**FULL)}


FULL: dict[str, Any] = {"allow_origins": [A], "allow_credentials": True, "max_age": 0}


@pytest.mark.parametrize(
    "shape", [{"allow_origins": [A]}, {"routes": {"/": {"allow_origins": [A]}}}]
)
def test_mapping_accepts_the_options_of_a_guard(shape: dict[str, Any]) -> None:
    options = {"enforce": True, "enforce_exempt": ["/hook"], "own_origins": [B]}
    guard = Guard.from_mapping({**shape, **options})
    assert guard.enforce is True
    assert refused_from_elsewhere(guard)
    assert not refused_from_elsewhere(guard, "/hook/x")
    assert guard.decide("/", B, "POST", {}).reason is Reason.SAME_ORIGIN
    assert Guard.from_mapping(shape).enforce is False
    assert Guard.from_mapping({**shape, "enforce": "report"}).enforce == "report"


def test_mapping_with_only_enforce_starts() -> None:
    guard = Guard.from_mapping({"enforce": True})
    assert guard.policies is None
    assert refused_from_elsewhere(guard)


@pytest.mark.parametrize(
    "given", [{}, {"enforce": False}, {"own_origins": [A]}, {"enforce_exempt": ["/x"]}]
)
def test_no_policy_is_reported(given: dict[str, Any]) -> None:
    (problem,) = problems(Guard.from_mapping, given)
    assert (problem.code, problem.field, problem.value) == ("no-policy", "policy", None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"allow_origins": [A], "allow_method": ["PUT"]},
            [("unknown-field", "allow_method", "allow_methods")],
        ),
        ({"allow_origins": [A], "enforced": 1}, [("unknown-field", "enforced", "enforce")]),
        ({"allow_origins": [A], "zzz": 1}, [("unknown-field", "zzz", f"one of {FIELDS}")]),
        ({"routes": {"/": LISTED}, "route": {}}, [("unknown-field", "route", "routes")]),
        (
            {"routes": {"/": {"allow_origins": [A], "routes": {}}}},
            [("unknown-field", 'routes."/".routes', None)],
        ),
        (
            {"routes": {"/": LISTED}, "allow_origins": [B]},
            [("unknown-field", "allow_origins", 'routes."/".allow_origins')],
        ),
        (
            {"routes": {"/a": {"allow_origins": ["b.example"], "max_age": -1}, "/b": {}}},
            [
                ("origin-invalid", 'routes."/a".allow_origins', B),
                ("max-age-out-of-range", 'routes."/a".max_age', "0"),
                (
                    "no-origins",
                    'routes."/b".allow_origins',
                    "list an origin, or remove the policy",
                ),
            ],
        ),
        ({"routes": ["/"]}, [("type-invalid", "routes", '{"/api": {...}}')]),
        ({"routes": None}, [("type-invalid", "routes", '{"/api": {...}}')]),
        (
            {"routes": {"/a": LISTED, "/a/": False, "b": None}},
            [("route-duplicate", "routes", "keep /a"), ("route-invalid", "routes", "/b")],
        ),
        (
            {"allow_origins": [A], "enforce_exempt": "/x", "own_origins": ["b.example"]},
            [
                ("not-a-list", "enforce_exempt", '["/x"]'),
                ("origin-invalid", "own_origins", B),
            ],
        ),
        (
            {"allow_origins": ["*"], "enforce": True},
            [("enforce-with-wildcard", "allow_origins", "list the origins, or exempt the path")],
        ),
        (
            {"allow_origins": "a.example", "max_age": 5.5, "alow": 1, "enforce_exempt": ["x"]},
            [
                ("unknown-field", "alow", f"one of {FIELDS}"),
                ("not-a-list", "allow_origins", f'["{A}"]'),
                ("origin-invalid", "allow_origins", A),
                ("type-invalid", "max_age", "5"),
                ("route-invalid", "enforce_exempt", "/x"),
            ],
        ),
    ],
)
def test_mapping_reports_every_problem(
    given: Mapping[str, Any], expected: list[tuple[str, str, str | None]]
) -> None:
    found = rows(Guard.from_mapping, given)
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for (_, _, suggestion), (_, _, wanted) in zip(found, expected, strict=True):
        assert wanted in {None, suggestion}


@pytest.mark.parametrize("entry", [True, 0, "https://a.example", [A], 5])
def test_route_of_another_type_is_type_invalid(entry: object) -> None:
    (problem,) = problems(Guard.from_mapping, {"routes": {"/api": entry}})
    assert (problem.code, problem.value) == ("type-invalid", entry)
    assert problem.field.startswith('routes."/api"')


TOML = """
enforce = "report"
own_origins = ["https://api.example"]

[routes."/"]
allow_origins = ["https://a.example", "http://localhost:*"]
allow_credentials = true
max_age = 600

[routes]
"/static" = false
"""


def test_file_has_the_shape_of_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_text(TOML, encoding="utf-8")
    for given in (path, str(path)):
        guard = Guard.from_file(given)
        assert guard.enforce == "report"
        assert guard.policies == {
            "/": Policy(
                allow_origins=[A, "http://localhost:*"], allow_credentials=True, max_age=600
            ),
            "/static": None,
        }


def test_file_reports_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_text(
        'allow_origins = ["résumé.example"]\nmax_age = 07:30:00\nenforce = "yes"', encoding="utf-8"
    )
    assert [row[:2] for row in rows(Guard.from_file, path)] == [
        ("origin-invalid", "allow_origins"),
        ("type-invalid", "max_age"),
        ("type-invalid", "enforce"),
    ]


def test_empty_file_is_no_policy(tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    path.touch()
    assert [problem.code for problem in problems(Guard.from_file, path)] == ["no-policy"]


def test_file_that_can_not_be_opened_raises_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        Guard.from_file(tmp_path / "nowhere.toml")
    with pytest.raises(OSError, match=r"\w"):
        Guard.from_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"allow_origins = [", "not TOML: "),
        (b"a = 1\na = 2", "not TOML: "),
        (b"{}", "not TOML: "),
        (b"a = 1\n\xff\xfe", "not UTF-8, as TOML must be (at line 2)"),
        (b"\xef\xbb\xbfa =\n", "not TOML: Invalid value (at line 1, column 4)"),
    ],
)
def test_file_that_is_not_toml_raises_valueerror_with_its_name(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"\w") as caught:
        Guard.from_file(path)
    assert not isinstance(caught.value, PolicyError)
    assert str(caught.value).startswith(f"{path}: {why}")


def test_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_bytes(b"\xef\xbb\xbf" + f'allow_origins = ["{A}"]\r\n'.encode())
    assert Guard.from_file(path).policies == LISTED


def environ(**variables: str) -> dict[str, str]:
    return {"PATH": "/bin", **{f"CORSGUARD_{name}": text for name, text in variables.items()}}


def from_env(**variables: str) -> Policy:
    policy = Guard.from_env(environ(**variables)).policies
    assert isinstance(policy, Policy)
    return policy


def test_environment_builds_one_policy() -> None:
    policy = from_env(
        ALLOW_ORIGINS="https://a.example, https://b.example",
        ALLOW_CREDENTIALS="true",
        ALLOW_METHODS="PUT,PATCH",
        ALLOW_HEADERS="Content-Type , X-A",
        EXPOSE_HEADERS="X-Total",
        MAX_AGE="600",
        PREDICATE_TIMEOUT="0.5",
        DANGEROUSLY_ALLOW_INSECURE_ORIGINS="false",
        DANGEROUSLY_ALLOW_PUBLIC_SUFFIXES="true",
        DANGEROUSLY_ALLOW_NULL_ORIGIN="true",
    )
    assert policy == Policy(
        allow_origins=[A, B],
        allow_credentials=True,
        allow_methods=["PUT", "PATCH"],
        allow_headers=["Content-Type", "X-A"],
        expose_headers=["X-Total"],
        max_age=600,
        predicate_timeout=0.5,
        dangerously_allow_public_suffixes=True,
        dangerously_allow_null_origin=True,
    )


def test_environment_warns_of_its_policy() -> None:
    with pytest.warns(PolicyWarning, match="max-age-capped"):
        from_env(ALLOW_ORIGINS=A, MAX_AGE="86400")


def test_environment_accepts_the_options_of_a_guard() -> None:
    guard = Guard.from_env(
        environ(ENFORCE="True", ENFORCE_EXEMPT="/hook, /x", OWN_ORIGINS=f"{A},{B}")
    )
    assert guard.enforce is True
    assert guard.policies is None
    assert refused_from_elsewhere(guard)
    assert not refused_from_elsewhere(guard, "/x")
    assert guard.decide("/", B, "POST", {}).reason is Reason.NO_POLICY
    assert Guard.from_env(environ(ENFORCE="report")).enforce == "report"


@pytest.mark.parametrize(
    "text", [f"{A},{B}", f" {A} , {B} ", f",{A},,{B},", f"{A},\n{B}\n", f"{A},\t{B}"]
)
def test_environment_list_is_separated_by_commas(text: str) -> None:
    assert from_env(ALLOW_ORIGINS=text).allow_origins == (A, B)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        (" true\n", True),
        ("false", False),
        ("FALSE", False),
    ],
)
def test_environment_boolean_is_read_in_any_case(text: str, value: bool) -> None:
    assert from_env(ALLOW_ORIGINS=A, ALLOW_CREDENTIALS=text).allow_credentials is value


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("600", 600), (" 600 ", 600), ("none", None), ("None", None)]
)
def test_environment_max_age_is_a_number_or_none(text: str, value: int | None) -> None:
    assert from_env(ALLOW_ORIGINS=A, MAX_AGE=text).max_age == value


@pytest.mark.parametrize(("text", "value"), [("2", 2.0), ("0.25", 0.25), ("1e-3", 0.001)])
def test_environment_timeout_is_a_number(text: str, value: float) -> None:
    assert from_env(ALLOW_ORIGINS=A, PREDICATE_TIMEOUT=text).predicate_timeout == value


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"ALLOW_ORIGINS": "a.example"},
            [("origin-invalid", "CORSGUARD_ALLOW_ORIGINS", A)],
        ),
        (
            {"ALLOW_ORIGINS": ""},
            [
                (
                    "no-origins",
                    "CORSGUARD_ALLOW_ORIGINS",
                    "list an origin, or remove the policy",
                )
            ],
        ),
        (
            {"ALLOW_ORIGINS": A, "MAX_AGE": "ten", "ALLOW_CREDENTIALS": "yes"},
            [
                ("type-invalid", "CORSGUARD_ALLOW_CREDENTIALS", "True"),
                ("type-invalid", "CORSGUARD_MAX_AGE", "7200"),
            ],
        ),
        (
            {"ALLOW_ORIGINS": A, "PREDICATE_TIMEOUT": "nan", "ENFORCE": "maybe"},
            [
                ("type-invalid", "CORSGUARD_PREDICATE_TIMEOUT", "1.0"),
                ("type-invalid", "CORSGUARD_ENFORCE", None),
            ],
        ),
        (
            {"ALLOW_ORIGINS": A, "MAX_AGE": "9" * 5000},
            [("type-invalid", "CORSGUARD_MAX_AGE", None)],
        ),
        (
            {"ALLOW_ORIGINS": A, "OWN_ORIGINS": "b.example", "ENFORCE_EXEMPT": "x"},
            [
                ("route-invalid", "CORSGUARD_ENFORCE_EXEMPT", "/x"),
                ("origin-invalid", "CORSGUARD_OWN_ORIGINS", B),
            ],
        ),
        (
            {"ALLOW_ORIGIN": A},
            [("unknown-field", "CORSGUARD_ALLOW_ORIGIN", "CORSGUARD_ALLOW_ORIGINS")],
        ),
        (
            {"ALLOW_ORIGINS": A, "METHODS": "PUT"},
            [("unknown-field", "CORSGUARD_METHODS", "CORSGUARD_ALLOW_METHODS")],
        ),
        (
            {"ALLOW_ORIGINS": f"{A} {B}", "ALLOW_METHODS": "PUT;PATCH"},
            [
                ("origin-invalid", "CORSGUARD_ALLOW_ORIGINS", f"{A}, {B}"),
                ("method-invalid", "CORSGUARD_ALLOW_METHODS", "PUT, PATCH"),
            ],
        ),
        (
            {"ALLOW_ORIGINS": f'["{A}", "http://[::1]"]'},
            [
                ("origin-invalid", "CORSGUARD_ALLOW_ORIGINS", A),
                ("origin-invalid", "CORSGUARD_ALLOW_ORIGINS", "http://[::1]"),
            ],
        ),
        (
            {"ALLOW_ORIGINS": "*,http://[::1]", "ENFORCE": "Report"},
            [
                ("wildcard-not-alone", "CORSGUARD_ALLOW_ORIGINS", "* or http://[::1]"),
                ("type-invalid", "CORSGUARD_ENFORCE", "report"),
            ],
        ),
        ({}, [("no-policy", "policy", None)]),
    ],
)
def test_environment_problem_names_its_variable(
    variables: dict[str, str], expected: list[tuple[str, str, str | None]]
) -> None:
    found = rows(Guard.from_env, environ(**variables))
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for (_, _, suggestion), (_, _, wanted) in zip(found, expected, strict=True):
        assert wanted in {None, suggestion}


def test_environment_ignores_other_prefixes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSGUARD_ALLOW_ORIGINS", A)
    monkeypatch.setenv("CORSGUARDED", "x")
    monkeypatch.setenv("MY_CORSGUARD_ALLOW_ORIGINS", B)
    monkeypatch.setenv("ALLOW_ORIGINS", B)
    assert Guard.from_env(os.environ).policies == LISTED


@pytest.mark.parametrize(
    ("variable", "text", "suggestion"),
    [
        ("ALLOW_ORIGINS", "a.example", A),
        ("ALLOW_ORIGINS", "a.example b.example", "https://a.example, https://b.example"),
        ("ALLOW_HEADERS", "*,X-A", "* or X-A"),
        ("ENFORCE", "Report", "report"),
    ],
)
def test_environment_suggestion_has_no_quotes_around_a_value(
    variable: str, text: str, suggestion: str
) -> None:
    environ = {"CORSGUARD_ALLOW_ORIGINS": A, f"CORSGUARD_{variable}": text}
    (found,) = rows(Guard.from_env, environ)
    assert found[1:] == (f"CORSGUARD_{variable}", suggestion)


def test_environment_suggestion_keeps_quotes_in_prose() -> None:
    problem = Problem("x", "enforce", None, "", 'write "report", as in enforce="report"')
    assert name_variable(problem).suggestion == problem.suggestion


def test_shadow_is_read_from_a_mapping_and_the_environment() -> None:
    assert Guard.from_mapping({"routes": {"/": None}, "shadow": True}).shadow is True
    assert Guard.from_mapping({"allow_origins": [A]}).shadow is False
    environ = {"CORSGUARD_ALLOW_ORIGINS": A, "CORSGUARD_SHADOW": "true"}
    assert Guard.from_env(environ).shadow is True
    with pytest.raises(PolicyError) as raised:
        Guard.from_mapping({"allow_origins": [A], "shadow": "on"})
    assert [(each.code, each.field) for each in raised.value.problems] == [
        ("type-invalid", "shadow")
    ]
