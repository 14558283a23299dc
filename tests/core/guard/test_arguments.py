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


def test_fields_are_a_policy_for_every_path_beside_options_of_the_guard() -> None:
    guard = build_guard(
        None, {"allow_origins": [A], "enforce": True, "own_origins": ["https://b.example"]}
    )
    assert guard.policies == POLICY
    assert (guard.enforce, guard.own_origins) == (True, ("https://b.example",))


def test_fields_may_hold_what_only_python_can_say() -> None:
    regex = re.compile(r"https://[a-z]+\.a\.example")
    guard = build_guard(None, {"allow_origins": [regex, str.islower]})
    assert guard.policy_for("/") == Policy(allow_origins=[regex, str.islower])


def test_routes_are_a_keyword_too() -> None:
    guard = build_guard(None, {"routes": {"/api": {"allow_origins": [A]}, "/api/admin": None}})
    assert guard.policy_for("/api/x") == POLICY
    assert guard.policy_for("/api/admin") is None


def test_a_policy_a_guard_and_routes_are_taken_as_they_are() -> None:
    guard = Guard(POLICY)
    assert build_guard(guard) is guard
    assert build_guard(POLICY).policies is POLICY
    assert build_guard({"/api": POLICY}).policy_for("/api") is POLICY


@pytest.mark.parametrize("given", [POLICY, Guard(POLICY), {"/": POLICY}])
def test_a_policy_and_fields_at_once_are_one_problem(given: Any) -> None:
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
def test_a_dict_of_fields_in_the_place_of_a_policy_is_one_problem(given: Any) -> None:
    problem = problem_of(given, {})
    assert problem[:2] == ("type-invalid", "policy")
    assert "which are keywords here" in problem.message
    assert "allow_origins=[...]" in problem.suggestion


@pytest.mark.parametrize("given", [{"origins": "*"}, {"allowOrigins": [A]}, {"enforce": True}])
def test_a_dict_of_fields_is_one_problem_of_a_guard_as_well(given: Any) -> None:
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
def test_a_path_without_its_slash_is_not_mistaken_for_a_field(given: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        build_guard(given)
    assert all("which are keywords" not in problem.message for problem in caught.value.problems)
    assert all(problem.field == "routes" for problem in caught.value.problems[:1])


def test_options_beside_a_policy_are_answered_with_the_guard_that_has_them() -> None:
    problem = problem_of(POLICY, {"enforce": True})
    assert problem.suggestion == "policy=Guard(Policy(...), enforce=True)"


def test_neither_is_one_problem() -> None:
    assert problem_of(None, {}).code == "no-policy"


def test_an_unknown_field_is_the_only_problem() -> None:
    problem = problem_of(None, {"allow_origins": [A], "allow_header": ["X-A"]})
    assert (problem.code, problem.suggestion) == ("unknown-field", "allow_headers")
