"""What an adapter is called with: a policy, its fields as keywords, or neither."""

from __future__ import annotations

import re
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError
from corsguard.guard.arguments import build_guard

A = "https://a.example"
POLICY = Policy(allow_origins=[A])


def problem_of(given: Any, fields: dict[str, Any]) -> Any:
    with pytest.raises(PolicyError) as caught:
        build_guard(given, fields)
    (problem,) = caught.value.problems
    return problem


def test_build_guard_accepts_fields_and_options() -> None:
    guard = build_guard(
        None, {"allow_origins": [A], "enforce": True, "own_origins": ["https://b.example"]}
    )
    assert guard.policies == POLICY
    assert (guard.enforce, guard.own_origins) == (True, ("https://b.example",))


def test_build_guard_accepts_python_values_in_fields() -> None:
    regex = re.compile(r"https://[a-z]+\.a\.example")
    guard = build_guard(None, {"allow_origins": [regex, str.islower]})
    assert guard.policy_for("/") == Policy(allow_origins=[regex, str.islower])


def test_build_guard_accepts_routes_as_a_keyword() -> None:
    guard = build_guard(None, {"routes": {"/api": {"allow_origins": [A]}, "/api/admin": None}})
    assert guard.policy_for("/api/x") == POLICY
    assert guard.policy_for("/api/admin") is None


def test_build_guard_accepts_policy_guard_and_routes() -> None:
    guard = Guard(POLICY)
    assert build_guard(guard) is guard
    assert build_guard(POLICY).policies is POLICY
    assert build_guard({"/api": POLICY}).policy_for("/api") is POLICY


@pytest.mark.parametrize("given", [POLICY, Guard(POLICY), {"/": POLICY}])
def test_build_guard_with_policy_and_fields_is_one_problem(given: Any) -> None:
    problem = problem_of(given, {"allow_origins": [A], "max_age": 5})
    assert problem[:2] == ("type-invalid", "policy")
    assert "the fields allow_origins, max_age beside it" in problem.message
    assert "policy=Policy(...)" in problem.suggestion
    assert "allow_origins=[...]" in problem.suggestion


@pytest.mark.parametrize(
    "given",
    [
        {"allow_origins": [A]},
        {"routes": {"/": POLICY}},
        {"enforce": True},
        {"own_origins": [A], "enforce_exempt": []},
        {"origins": "*", "supports_credentials": True},
        {"allowOrigins": [A]},
        {"alow_origins": [A], "debug": True},
        {"CORS_ALLOW_ALL_ORIGINS": True},
        {"allow_origin_regex": "x"},
        {"resources": {"/api/*": {"origins": "*"}}},
        {"max_age": None, 5: 5},
    ],
)
def test_build_guard_with_a_dict_of_fields_is_one_problem(given: Any) -> None:
    problem = problem_of(given, {})
    assert problem[:2] == ("type-invalid", "policy")
    assert "which are keywords here" in problem.message
    assert "allow_origins=[...]" in problem.suggestion


@pytest.mark.parametrize("given", [{"origins": "*"}, {"allowOrigins": [A]}, {"enforce": True}])
def test_guard_with_a_dict_of_fields_is_one_problem(given: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        Guard(given)
    (problem,) = caught.value.problems
    assert problem[:2] == ("type-invalid", "policy")
    assert "is a table of fields" in problem.message
    assert "Guard.from_mapping" in problem.suggestion


@pytest.mark.parametrize(
    "given",
    [{"origins": POLICY}, {"api": None}, {"api": POLICY}, {"/": POLICY, "enforce": None}, {5: 5}],
)
def test_build_guard_reports_a_route_without_slash_as_a_route(given: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        build_guard(given)
    assert all("which are keywords" not in problem.message for problem in caught.value.problems)
    assert all(problem.field == "routes" for problem in caught.value.problems[:1])


def test_build_guard_with_policy_and_options_suggests_a_guard() -> None:
    problem = problem_of(POLICY, {"enforce": True})
    assert problem.suggestion == "policy=Guard(Policy(...), enforce=True)"


def test_build_guard_without_arguments_is_no_policy() -> None:
    assert problem_of(None, {}).code == "no-policy"


def test_build_guard_with_an_unknown_field_is_one_problem() -> None:
    problem = problem_of(None, {"allow_origins": [A], "allow_header": ["X-A"]})
    assert (problem.code, problem.suggestion) == ("unknown-field", "allow_headers")
