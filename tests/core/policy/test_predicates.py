"""Callables of `allow_origins` with one and with two parameters."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import lru_cache, partial, wraps
from typing import Any

import pytest

from corsguard import CORSRequest, Engine, Guard, Policy, PolicyError
from corsguard.policy.predicates import takes_request

ORIGIN = "https://app.tenant.example"
OTHER = "https://app.other.example"
HEADERS = {"host": "tenant.example"}


def allow_tenant(origin: str, request: CORSRequest) -> bool:
    return origin == f"https://app.{request.host}"


async def allow_tenant_async(origin: str, request: CORSRequest) -> bool:
    await asyncio.sleep(0)
    return allow_tenant(origin, request)


class Tenants:
    def __call__(self, origin: str, request: CORSRequest) -> bool:
        return allow_tenant(origin, request)

    def allow(self, origin: str, request: CORSRequest) -> bool:
        return allow_tenant(origin, request)

    @staticmethod
    def allow_statically(origin: str, request: CORSRequest) -> bool:
        return allow_tenant(origin, request)

    @classmethod
    def allow_by_class(cls, origin: str, request: CORSRequest) -> bool:
        return allow_tenant(origin, request)


def allow_with(prefix: str, origin: str, request: CORSRequest) -> bool:
    return prefix == "app" and allow_tenant(origin, request)


def log_calls(function: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(function)
    def wrapper(*arguments: Any) -> bool:
        return function(*arguments)

    return wrapper


@pytest.mark.parametrize(
    "predicate",
    [
        allow_tenant,
        Tenants(),
        Tenants().allow,
        Tenants.allow_statically,
        Tenants().allow_by_class,
        partial(allow_with, "app"),
        log_calls(allow_tenant),
        lru_cache(allow_tenant),
        lambda origin, request: allow_tenant(origin, request),
    ],
)
def test_callable_with_two_parameters_gets_the_request(predicate: Any) -> None:
    guard = Guard(Policy(allow_origins=[predicate]))
    assert guard.decide("/", ORIGIN, "GET", HEADERS).allowed
    assert not guard.decide("/", OTHER, "GET", HEADERS).allowed
    assert not guard.decide("/", ORIGIN, "GET", {"host": "other.example"}).allowed
    assert not guard.decide("/", ORIGIN, "GET", {}).allowed


def test_async_callable_with_two_parameters_gets_the_request() -> None:
    guard = Guard(Policy(allow_origins=[allow_tenant_async]))
    for origin in (ORIGIN, OTHER):
        decision = asyncio.run(guard.decide_async("/", origin, "GET", HEADERS))
        assert decision.allowed is (origin == ORIGIN)


def allow_one(origin: str, flag: bool = False) -> bool:
    return origin == ORIGIN and flag is False


@pytest.mark.parametrize(
    "predicate",
    [
        allow_one,
        lambda *origins: origins == (ORIGIN,),
        partial(allow_with, "app", request=CORSRequest("/", None, "", host="tenant.example")),
        {ORIGIN}.__contains__,
        re.compile(ORIGIN).fullmatch,
    ],
)
def test_callable_that_can_do_without_a_request_gets_none(predicate: Any) -> None:
    assert takes_request(predicate) is False


def test_builtin_without_a_signature_gets_the_origin() -> None:
    assert takes_request(getattr) is False
    guard = Guard(Policy(allow_origins=[{ORIGIN: True}.get]))  # type: ignore[list-item]
    assert guard.decide("/", ORIGIN, "GET", {}).allowed


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        (lambda: True, "takes ()"),
        (lambda a, b, c: True, "takes (a, b, c)"),
        (
            partial(allow_tenant, request=CORSRequest("", None, ""), origin=""),
            "takes (*, origin: 'str' = ''",
        ),
    ],
)
def test_callable_of_another_signature_is_a_problem(predicate: Any, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[predicate, "https://a.example/"])
    problem, other = caught.value.problems
    assert (problem.code, problem.field, problem.value) == (
        "type-invalid",
        "allow_origins",
        predicate,
    )
    assert reason in problem.message
    assert problem.suggestion == "a callable of (origin) or of (origin, request), sync or async"
    assert other.code == "origin-invalid"


def test_keyword_that_a_callable_needs_is_a_problem() -> None:
    def needs_keyword(origin: str, *, database: object) -> bool:
        raise NotImplementedError

    with pytest.raises(PolicyError, match="takes "):
        Policy(allow_origins=[needs_keyword])  # type: ignore[list-item]


def record(seen: list[CORSRequest]) -> Callable[[str, CORSRequest], bool]:
    def predicate(origin: str, request: CORSRequest) -> bool:
        seen.append(request)
        return True

    return predicate


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_preflight_and_its_request_look_the_same_to_a_callable(method: str) -> None:
    seen: list[CORSRequest] = []
    guard = Guard(Policy(allow_origins=[record(seen)], allow_credentials=True))
    actual = {
        **HEADERS,
        "cookie": "session=1",
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "cors",
        "forwarded": "host=x",
        "x-forwarded-host": "x",
        "upgrade": "h2c",
    }
    requested = {"access-control-request-method": method}
    headers = {"access-control-request-headers": "x-a", **requested}
    guard.decide("/api", ORIGIN, method, {**actual, **requested}, credentials=True)
    guard.decide("/api", ORIGIN, "OPTIONS", {**HEADERS, **headers})
    expected = CORSRequest("/api", ORIGIN, method, host="tenant.example")
    assert seen == [expected, expected]
    assert not seen[0].is_preflight


def test_options_request_that_is_no_preflight_keeps_its_method() -> None:
    seen: list[CORSRequest] = []
    Guard(Policy(allow_origins=[record(seen)])).decide("/", ORIGIN, "OPTIONS", HEADERS)
    assert [request.method for request in seen] == ["OPTIONS"]


def test_engine_has_no_path_for_a_callable() -> None:
    seen: list[CORSRequest] = []
    Engine(Policy(allow_origins=[record(seen)])).decide(ORIGIN, "GET", HEADERS)
    assert seen == [CORSRequest("", ORIGIN, "GET", host="tenant.example")]


def test_result_of_a_callable_with_two_parameters_is_never_cached() -> None:
    seen: list[CORSRequest] = []
    guard = Guard(Policy(allow_origins=[record(seen)]))
    for _ in range(3):
        guard.decide("/", ORIGIN, "GET", HEADERS)
    assert len(seen) == 3
    cache = guard.adapter.snapshot.find("/").cache
    assert cache.lookup({"HTTP_ORIGIN": ORIGIN, "PATH_INFO": "/"}, "GET") is None
