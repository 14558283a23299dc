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
def test_enforce_with_wildcard_is_reported(enforce: Any) -> None:
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
def test_enforce_with_wildcard_skips_an_exempt_route(exempt: str, open_policy: Policy) -> None:
    routes = {"/public": open_policy, "/": LISTED}
    guard = Guard(routes, enforce=True, enforce_exempt=[exempt])
    assert guard.policy_for("/public/x") == open_policy


@pytest.mark.parametrize("exempt", ["/public/some", "/pub", "/other"])
def test_enforce_with_wildcard_reports_a_partly_exempt_route(exempt: str) -> None:
    (problem,) = problems(Guard, {"/public": PUBLIC}, enforce=True, enforce_exempt=[exempt])
    assert problem.code == "enforce-with-wildcard"


def test_enforce_with_wildcard_reports_a_single_policy() -> None:
    (problem,) = problems(Guard, PUBLIC, enforce=True, enforce_exempt=["/"])
    assert problem.code == "enforce-with-wildcard"


def test_enforcement_warning_names_the_route_once() -> None:
    with_credentials = Policy(allow_origins=["https://b.example"], allow_credentials=True)
    found = problems(Guard, {"/a": INSECURE, "/b": with_credentials}, enforce=True)
    assert [(each.code, each.field) for each in found] == [
        ("origin-insecure", 'routes."/a".allow_origins')
    ]


def test_wildcard_without_enforce_starts() -> None:
    assert Guard(PUBLIC).policy_for("/") == PUBLIC


@pytest.mark.parametrize("predicate", ASYNC)
def test_require_sync_reports_an_async_callable(predicate: Any) -> None:
    policy = Policy(allow_origins=["https://a.example", predicate])
    guard = Guard({"/": LISTED, "/a": policy, "/none": None})
    (problem,) = problems(guard.adapter.require_sync)
    assert problem[:3] == ("callable-async", 'routes."/a".allow_origins', predicate)
    assert problem.suggestion == "a callable that returns a bool at once, or an ASGI application"


def test_require_sync_reports_every_async_callable() -> None:
    guard = Guard(Policy(allow_origins=[awaited, sync, Awaited()]))
    found = problems(guard.adapter.require_sync)
    assert [(each.code, each.field) for each in found] == [("callable-async", "allow_origins")] * 2


def test_reconfigure_after_require_sync_rejects_callables() -> None:
    guard = Guard(LISTED)
    guard.adapter.require_sync()
    (problem,) = problems(guard.reconfigure, Policy(allow_origins=[awaited]))
    assert problem.code == "callable-async"
    assert guard.policy_for("/") == LISTED
    other = Policy(allow_origins=[sync, re.compile(r"https://pr-\d+\.a\.example")])
    guard.reconfigure(other)
    assert guard.policy_for("/") == other


def test_reconfigure_accepts_an_async_callable() -> None:
    guard = Guard(LISTED)
    policy = Policy(allow_origins=[awaited])
    guard.reconfigure(policy)
    assert guard.policy_for("/") == policy


def test_reconfigure_on_an_error_keeps_the_old_policies() -> None:
    guard = Guard({"/": LISTED}, enforce=True)
    (problem,) = problems(guard.reconfigure, {"/": PUBLIC})
    assert problem.code == "enforce-with-wildcard"
    assert guard.policy_for("/") == LISTED
    guard.reconfigure({"/other": LISTED})
    assert guard.policy_for("/") is None


def test_guard_is_not_changed_through_its_routes() -> None:
    routes: dict[str, Policy | None] = {"/": LISTED}
    guard = Guard(routes)
    routes["/"] = PUBLIC
    assert guard.policy_for("/") == LISTED
    assert guard.policies == {"/": LISTED}
    with pytest.raises(TypeError):
        guard.policies["/"] = PUBLIC  # type: ignore[index]


@pytest.mark.parametrize("given", [None, {}])
def test_no_policy_is_reported(given: Any) -> None:
    (problem,) = problems(build_guard, given)
    assert (problem.code, problem.field) == ("no-policy", "policy")
    assert problem.suggestion == (
        'give a policy, such as Policy(allow_origins=["https://app.example.com"])'
    )


def test_no_policy_is_reported_unless_the_guard_enforces() -> None:
    (problem,) = problems(build_guard, Guard(None))
    assert problem.code == "no-policy"
    for enforce in (True, "report"):
        guard = Guard(None, enforce=enforce)
        assert build_guard(guard) is guard
        assert guard.policy_for("/") is None


@pytest.mark.parametrize("given", [LISTED, {"/": LISTED}, {"/": None, "/api": LISTED}])
def test_guard_accepts_a_policy_or_routes(given: Any) -> None:
    assert build_guard(given).policies == given
    assert build_guard(given).policy_for("/api") == LISTED


@pytest.mark.parametrize("given", ["https://a.example", ["https://a.example"], 5, True])
def test_guard_of_another_type_is_type_invalid(given: object) -> None:
    (problem,) = problems(Guard, given)
    assert problem[:3] == ("type-invalid", "policy", given)
    assert problem.suggestion.startswith("Policy(allow_origins=[...])")


@pytest.mark.parametrize("entry", [{"allow_origins": ["*"]}, "*", ["*"], True])
def test_guard_route_of_another_type_is_type_invalid(entry: object) -> None:
    (problem,) = problems(Guard, {"/": LISTED, "/api": entry})
    assert problem[:3] == ("type-invalid", 'routes."/api"', entry)
    assert "Guard.from_mapping" in problem.suggestion


def test_none_in_routes_means_no_cors() -> None:
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
def test_table_of_fields_is_not_a_table_of_routes(fields: Any) -> None:
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
def test_enforce_exempt_of_another_type_is_type_invalid(entry: object, suggestion: str) -> None:
    (problem,) = problems(Guard, LISTED, enforce_exempt=[entry])
    assert problem[:3] == ("type-invalid", "enforce_exempt", entry)
    assert problem.suggestion == suggestion


@pytest.mark.parametrize("enforce", ["REPORT", "true", 1, None, 0, [], {}])
def test_enforce_of_another_type_is_type_invalid(enforce: Any) -> None:
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
def test_own_origins_that_are_not_valid_are_origin_invalid(origin: str, suggestion: str) -> None:
    (problem,) = problems(Guard, LISTED, own_origins=["https://b.example", origin])
    assert problem[:3] == ("origin-invalid", "own_origins", origin)
    assert problem.suggestion == suggestion


@pytest.mark.parametrize("origin", ["null", "https://*.example.com", "http://localhost:*"])
def test_own_origins_reject_patterns_and_null(origin: str) -> None:
    (problem,) = problems(Guard, LISTED, own_origins=[origin])
    assert problem[:3] == ("origin-invalid", "own_origins", origin)


def test_guard_reports_every_problem() -> None:
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


def test_find_long_path_applies_the_route_and_is_not_cached() -> None:
    snapshot = Guard({"/api": LISTED}).adapter.snapshot
    for path in ("/api/x", f"/api/{'x' * 300}"):
        assert snapshot.find(path) is snapshot.find("/api")
    assert set(snapshot._paths) == {"/api", "/api/x"}
