"""Values that nobody should write, and what is suggested for them."""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum
from typing import Any

import pytest
from support.guards import decide

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.guard.arguments import build_guard
from corsguard.guard.view_policies import View

A = "https://a.example"
LISTED = Policy(allow_origins=[A])
EXAMPLE = "an origin such as https://app.example.com or https://*.example.com"


def problems(make: Any, *given: Any, **fields: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(*given, **fields)
    return caught.value.problems


@pytest.mark.parametrize(
    "origin", ["https://*.amazonaws.com", "https://*.windows.net", "https://*.on.aws:*"]
)
def test_origin_public_suffix_where_one_stands_below(origin: str) -> None:
    (problem,) = problems(Policy, allow_origins=[origin], allow_credentials=True)
    assert problem.code == "origin-public-suffix"


def test_a_policy_of_an_exempt_route_is_checked_again_as_that_of_a_view() -> None:
    insecure = Policy(allow_origins=["http://a.example"])
    guard = Guard({"/": LISTED, "/hook": insecure}, enforce=True, enforce_exempt=["/hook"])
    with pytest.raises(PolicyError, match="origin-insecure"):
        guard.adapter.add_views([("view", insecure)])
    guard.adapter.add_views([("view", LISTED)])
    assert decide(guard, "/x", A, "GET", {}, view=View("x", LISTED)).allowed


@pytest.mark.parametrize("given", [None, [], "https://a.example", LISTED])
def test_type_invalid_for_a_configuration_that_is_no_mapping(given: Any) -> None:
    (problem,) = problems(Guard.from_mapping, given)
    assert (problem.code, problem.field) == ("type-invalid", "policy")


def test_no_policy_in_a_mapping_without_routes() -> None:
    (problem,) = problems(build_guard, Guard.from_mapping({"routes": {}}))
    assert problem.code == "no-policy"
    assert Guard.from_mapping({"routes": {}, "enforce": True}).enforce is True


@pytest.mark.parametrize("prefix", [5, b"/api"])
def test_type_invalid_for_a_prefix_under_enforce(prefix: object) -> None:
    (problem,) = problems(Guard, {prefix: LISTED}, enforce=True)
    assert problem.code == "type-invalid"


@pytest.mark.parametrize(
    ("prefix", "meant"), [("http://[", "/"), ("/a%252fb", "/a"), ("/a%3Fb", "/a"), ("/a>b", "/a")]
)
def test_route_invalid_suggests_what_starts(prefix: str, meant: str) -> None:
    (problem,) = problems(Guard, {prefix: LISTED})
    assert (problem.code, problem.suggestion) == ("route-invalid", meant)


@pytest.mark.parametrize("origin", ["null", "https://*.example.com", "http://localhost:*"])
def test_own_origins_suggest_an_origin(origin: str) -> None:
    (problem,) = problems(Guard, LISTED, own_origins=[origin])
    assert problem.suggestion == "an origin such as https://api.example.com"


@pytest.mark.parametrize(
    ("enforce", "meant"),
    [("false", "False"), (None, "False"), (0, "False"), ("REPORT", "'report'")],
)
def test_type_invalid_for_enforce_suggests_what_was_meant(enforce: Any, meant: str) -> None:
    (problem,) = problems(Guard, LISTED, enforce=enforce)
    assert problem.suggestion == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("NULL", EXAMPLE),
        ("^null$", EXAMPLE),
        (" null", EXAMPLE),
        ("http:/a.example", "http://a.example"),
        ("https//a.example", A),
        ("https:a.example", A),
        ("https:///a.example", A),
        ("LOCALHOST:3000", "http://localhost:3000"),
        ("localhost:3000/", "http://localhost:3000"),
    ],
)
def test_origin_invalid_suggests_what_was_meant(text: str, meant: str) -> None:
    (problem,) = problems(Policy, allow_origins=[text])
    assert problem.suggestion == meant


def test_origin_insecure_suggests_no_default_port() -> None:
    (problem,) = problems(Policy, allow_origins=["http://a.example:443"], allow_credentials=True)
    assert problem.suggestion == f"{A}, or dangerously_allow_insecure_origins"


def test_a_wildcard_twice_is_alone() -> None:
    assert Policy(allow_origins=["*", "*"]).allow_origins


def test_type_invalid_for_a_time_that_no_float_holds() -> None:
    (problem,) = problems(Policy, allow_origins=[A], predicate_timeout=10**400)
    assert problem.code == "type-invalid"


def test_max_age_out_of_range_for_a_negative_part_of_a_second() -> None:
    (problem,) = problems(Policy, allow_origins=[A], max_age=timedelta(seconds=-0.5))
    assert problem.code == "max-age-out-of-range"


def test_max_age_is_kept_as_an_int() -> None:
    Age = IntEnum("Age", {"SHORT": 600})  # noqa: N806  # a class
    assert type(Policy(allow_origins=[A], max_age=Age(600)).max_age) is int


def test_type_invalid_names_the_route() -> None:
    (problem,) = problems(Guard.from_mapping, {"routes": {"/api": True}})
    assert problem.field == 'routes."/api"'


@pytest.mark.parametrize("name", ["CORSGUARD_X", "CORSGUARD_DEBUG", "CORSGUARD_"])
def test_unknown_field_suggests_no_variable_for_its_prefix_alone(name: str) -> None:
    (problem,) = problems(Guard.from_env, {"CORSGUARD_ALLOW_ORIGINS": A, name: "1"})
    assert (problem.code, problem.field) == ("unknown-field", name)
    assert problem.suggestion.startswith("one of CORSGUARD_ALLOW_ORIGINS, ")
