"""What a guard does not start with, and what it is not reconfigured to."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.guard.arguments import build_guard

LISTED = Policy(allow_origins=["https://a.example"])
PUBLIC = Policy(allow_origins=["*"])
INSECURE = Policy(allow_origins=["http://a.example"])


def problems(make: Callable[..., object], *given: Any, **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(*given, **options)
    return caught.value.problems


def sync(origin: str) -> bool:
    return origin == "https://a.example"


async def awaited(origin: str) -> bool:
    return origin == "https://a.example"


class Awaited:
    async def __call__(self, origin: str) -> bool:
        return origin == "https://a.example"

    async def method(self, origin: str) -> bool:
        return origin == "https://a.example"


ASYNC = [awaited, Awaited(), Awaited().method, functools.partial(awaited)]


@pytest.mark.parametrize("enforce", [True, "report"])
def test_enforce_with_wildcard(enforce: Any) -> None:
    (problem,) = problems(Guard, PUBLIC, enforce=enforce)
    assert problem[:3] == ("enforce-with-wildcard", "allow_origins", "*")
    assert problem.suggestion == "list the origins, or exempt the path"


def test_enforce_with_wildcard_names_the_route() -> None:
    found = problems(Guard, {"/": LISTED, "/a": PUBLIC, "/b": PUBLIC}, enforce=True)
    assert [problem.field for problem in found] == [
        'routes."/a".allow_origins',
        'routes."/b".allow_origins',
    ]


@pytest.mark.parametrize("exempt", ["/public", "/public/", "/"])
@pytest.mark.parametrize("open_policy", [PUBLIC, INSECURE])
def test_enforce_with_wildcard_not_where_the_route_is_exempt(
    exempt: str, open_policy: Policy
) -> None:
    routes = {"/public": open_policy, "/": LISTED}
    guard = Guard(routes, enforce=True, enforce_exempt=[exempt])
    assert guard.policy_for("/public/x") == open_policy


@pytest.mark.parametrize("exempt", ["/public/some", "/pub", "/other"])
def test_enforce_with_wildcard_where_only_a_part_of_the_route_is_exempt(exempt: str) -> None:
    (problem,) = problems(Guard, {"/public": PUBLIC}, enforce=True, enforce_exempt=[exempt])
    assert problem.code == "enforce-with-wildcard"


def test_enforce_with_wildcard_for_every_path_whatever_is_exempt() -> None:
    (problem,) = problems(Guard, PUBLIC, enforce=True, enforce_exempt=["/"])
    assert problem.code == "enforce-with-wildcard"


def test_what_holds_under_enforce_names_the_route_and_is_said_once() -> None:
    with_credentials = Policy(allow_origins=["https://b.example"], allow_credentials=True)
    found = problems(Guard, {"/a": INSECURE, "/b": with_credentials}, enforce=True)
    assert [(each.code, each.field) for each in found] == [
        ("origin-insecure", 'routes."/a".allow_origins')
    ]


def test_a_wildcard_starts_where_nothing_is_enforced() -> None:
    assert Guard(PUBLIC).policy_for("/") == PUBLIC


@pytest.mark.parametrize("predicate", ASYNC)
def test_callable_async_does_not_start_where_only_sync_can_be_asked(predicate: Any) -> None:
    policy = Policy(allow_origins=["https://a.example", predicate])
    guard = Guard({"/": LISTED, "/a": policy, "/none": None})
    (problem,) = problems(guard.adapter.require_sync)
    assert problem[:3] == ("callable-async", 'routes."/a".allow_origins', predicate)
    assert problem.suggestion == "a callable that returns a bool at once, or an ASGI application"


def test_callable_async_is_reported_for_every_callable_of_every_policy() -> None:
    guard = Guard(Policy(allow_origins=[awaited, sync, Awaited()]))
    found = problems(guard.adapter.require_sync)
    assert [(each.code, each.field) for each in found] == [("callable-async", "allow_origins")] * 2


def test_callable_async_does_not_come_in_by_reconfigure_afterwards() -> None:
    guard = Guard(LISTED)
    guard.adapter.require_sync()
    (problem,) = problems(guard.reconfigure, Policy(allow_origins=[awaited]))
    assert problem.code == "callable-async"
    assert guard.policy_for("/") == LISTED
    other = Policy(allow_origins=[sync, re.compile(r"https://pr-\d+\.a\.example")])
    guard.reconfigure(other)
    assert guard.policy_for("/") == other


def test_callable_async_may_come_in_where_it_can_be_awaited() -> None:
    guard = Guard(LISTED)
    policy = Policy(allow_origins=[awaited])
    guard.reconfigure(policy)
    assert guard.policy_for("/") == policy


def test_reconfigure_leaves_the_old_policies_in_force_on_an_error() -> None:
    guard = Guard({"/": LISTED}, enforce=True)
    (problem,) = problems(guard.reconfigure, {"/": PUBLIC})
    assert problem.code == "enforce-with-wildcard"
    assert guard.policy_for("/") == LISTED
    guard.reconfigure({"/other": LISTED})
    assert guard.policy_for("/") is None


def test_a_guard_is_not_changed_through_the_table_it_was_made_of() -> None:
    routes: dict[str, Policy | None] = {"/": LISTED}
    guard = Guard(routes)
    routes["/"] = PUBLIC
    assert guard.policy_for("/") == LISTED
    assert guard.policies == {"/": LISTED}
    with pytest.raises(TypeError):
        guard.policies["/"] = PUBLIC  # type: ignore[index]


@pytest.mark.parametrize("given", [None, {}])
def test_no_policy(given: Any) -> None:
    (problem,) = problems(build_guard, given)
    assert (problem.code, problem.field) == ("no-policy", "policy")
    assert problem.suggestion == (
        'give a policy, such as Policy(allow_origins=["https://app.example.com"])'
    )


def test_no_policy_holds_for_a_guard_too_unless_it_enforces() -> None:
    (problem,) = problems(build_guard, Guard(None))
    assert problem.code == "no-policy"
    for enforce in (True, "report"):
        guard = Guard(None, enforce=enforce)
        assert build_guard(guard) is guard
        assert guard.policy_for("/") is None


@pytest.mark.parametrize("given", [LISTED, {"/": LISTED}, {"/": None, "/api": LISTED}])
def test_a_guard_is_made_of_a_policy_or_of_routes(given: Any) -> None:
    assert build_guard(given).policies == given
    assert build_guard(given).policy_for("/api") == LISTED


@pytest.mark.parametrize("given", ["https://a.example", ["https://a.example"], [LISTED], 5, True])
def test_type_invalid_where_no_policy_is_given_for_one(given: object) -> None:
    (problem,) = problems(Guard, given)
    assert problem[:3] == ("type-invalid", "policy", given)
    assert problem.suggestion.startswith("Policy(allow_origins=[...])")


@pytest.mark.parametrize("entry", [{"allow_origins": ["*"]}, "*", ["*"], True])
def test_type_invalid_where_a_route_has_no_policy(entry: object) -> None:
    (problem,) = problems(Guard, {"/": LISTED, "/api": entry})
    assert problem[:3] == ("type-invalid", 'routes."/api"', entry)
    assert "Guard.from_mapping" in problem.suggestion


def test_none_is_no_cors_in_code_as_false_is_in_a_file() -> None:
    (problem,) = problems(Guard, {"/": LISTED, "/api": False})
    assert problem[:3] == ("type-invalid", 'routes."/api"', False)
    assert problem.suggestion == "None"


@pytest.mark.parametrize(
    "fields",
    [
        {"allow_origins": ["https://a.example"], "allow_credentials": True},
        {"routes": {"/api": {"allow_origins": ["*"]}}, "enforce": True},
        {"allow_origins": ["*"], "max_ege": 5},
    ],
)
def test_a_table_of_fields_is_no_table_of_routes(fields: Any) -> None:
    (problem,) = problems(Guard, fields, enforce=True)
    assert problem[:3] == ("type-invalid", "policy", fields)
    assert "is a table of fields, not of policies by path prefix" in problem.message
    assert problem.suggestion == (
        "Policy(allow_origins=[...]), or Guard.from_mapping for a table of fields"
    )


@pytest.mark.parametrize(
    ("entry", "suggestion"),
    [
        (["/hook", "/x"], "'/hook', '/x'"),
        (PurePosixPath("/hook"), "'/hook'"),
        (5, "a prefix such as /api"),
    ],
)
def test_type_invalid_for_a_prefix_that_is_exempt(entry: object, suggestion: str) -> None:
    (problem,) = problems(Guard, LISTED, enforce_exempt=[entry])
    assert problem[:3] == ("type-invalid", "enforce_exempt", entry)
    assert problem.suggestion == suggestion


@pytest.mark.parametrize("enforce", ["REPORT", "true", 1, None, 0, [], {}])
def test_type_invalid_for_enforce(enforce: Any) -> None:
    (problem,) = problems(Guard, LISTED, enforce=enforce)
    assert problem[:3] == ("type-invalid", "enforce", enforce)


@pytest.mark.parametrize(
    ("origin", "suggestion"),
    [
        ("api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("localhost:8000", "http://localhost:8000"),
        ("", "an origin such as https://api.example.com"),
        ("*", "an origin such as https://api.example.com"),
    ],
)
def test_origin_invalid_for_own_origins(origin: str, suggestion: str) -> None:
    (problem,) = problems(Guard, LISTED, own_origins=["https://b.example", origin])
    assert problem[:3] == ("origin-invalid", "own_origins", origin)
    assert problem.suggestion == suggestion


@pytest.mark.parametrize("origin", ["null", "https://*.example.com", "http://localhost:*"])
def test_own_origins_are_origins_not_patterns_and_never_null(origin: str) -> None:
    (problem,) = problems(Guard, LISTED, own_origins=[origin])
    assert problem[:3] == ("origin-invalid", "own_origins", origin)


def test_every_problem_of_a_guard_is_reported() -> None:
    found = problems(
        Guard,
        {"api": LISTED, "/x": "*", "/y": PUBLIC},
        enforce="yes",
        enforce_exempt="/z/*",
        own_origins=[5, "b.example"],
    )
    assert [(each.code, each.field, each.suggestion) for each in found] == [
        ("type-invalid", "enforce", found[0].suggestion),
        ("not-a-list", "enforce_exempt", '["/z"]'),
        ("route-invalid", "enforce_exempt", "/z"),
        ("type-invalid", "own_origins", "an origin such as https://api.example.com"),
        ("origin-invalid", "own_origins", "https://b.example"),
        ("route-invalid", "routes", "/api"),
        ("type-invalid", 'routes."/x"', found[6].suggestion),
        ("enforce-with-wildcard", 'routes."/y".allow_origins', found[7].suggestion),
    ]
