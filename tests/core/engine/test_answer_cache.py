"""The decision cache of policies with look-ups: no decision outlives the answer it depends on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from corsguard import CORSRequest, Decision, Guard, OriginLookup, Policy
from corsguard.engine.answer_cache import AnswerCache, select_cache
from corsguard.engine.cache import DecisionCache, EnforcedCache

A, B, EVIL = "https://a.example", "https://b.example", "https://evil.example"
LISTED = "https://listed.example"
PUT = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Service:
    """A guard whose look-up allows what the test says, by origin or by origin and host."""

    def __init__(self, *, by_host: bool, enforce: bool = False, credentials: bool = False) -> None:
        self.clock = Clock()
        self.allowed: set[tuple[str, str | None]] = {(A, "one"), (B, "two")}
        self.asked = 0
        predicate = self.allows_at if by_host else self.allows
        self.lookup = OriginLookup(predicate, clock=self.clock)
        policy = Policy(
            allow_origins=[LISTED, self.lookup],
            allow_methods=["PUT"],
            allow_credentials=credentials,
        )
        self.guard = Guard(policy, enforce=enforce)

    def allows(self, origin: str) -> bool:
        self.asked += 1
        return any(origin == each for each, _ in self.allowed)

    def allows_at(self, origin: str, request: CORSRequest) -> bool:
        self.asked += 1
        return (origin, request.host) in self.allowed and request.path != "/closed"

    def decide(self, environ: dict[str, Any]) -> Decision:
        return self.guard.adapter.decide(CORSRequest.from_environ(environ))

    def find(self, environ: dict[str, Any]) -> Decision | None:
        cache = self.guard.adapter.snapshot.find(environ["PATH_INFO"]).cache
        return cache.lookup(environ, environ["REQUEST_METHOD"])

    def find_in_asgi(self, environ: dict[str, Any]) -> Decision | None:
        cache = self.guard.adapter.snapshot.find(environ["PATH_INFO"]).cache
        headers = [
            (name[5:].replace("_", "-").lower().encode(), value.encode())
            for name, value in environ.items()
            if name.startswith("HTTP_")
        ]
        return cache.lookup_headers(headers, environ["REQUEST_METHOD"], None, environ["PATH_INFO"])


def environ_of(origin: str | None = A, **fields: str) -> dict[str, Any]:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "one", **fields}
    return environ if origin is None else {**environ, "HTTP_ORIGIN": origin}


@pytest.fixture(params=[False, True], ids=["by origin", "by host"])
def service(request: pytest.FixtureRequest) -> Service:
    return Service(by_host=request.param)


@pytest.mark.parametrize("fields", [{}, {"REQUEST_METHOD": "OPTIONS", **PUT}])
def test_remembered_yes_is_cached_until_it_is_outdated(
    service: Service, fields: dict[str, str]
) -> None:
    request = environ_of(**fields)
    decision = service.decide(request)
    assert decision.allowed
    for find in (service.find, service.find_in_asgi):
        assert find(request) == decision
    service.clock.now = 29.9
    assert service.find(request) == decision
    service.clock.now = 30
    for find in (service.find, service.find_in_asgi):
        assert find(request) is None


@pytest.mark.parametrize("fields", [{}, {"REQUEST_METHOD": "OPTIONS", **PUT}])
def test_forgotten_yes_is_cached_no_longer(service: Service, fields: dict[str, str]) -> None:
    request = environ_of(**fields)
    forgets: list[Callable[[], None]] = [lambda: service.lookup.forget(A), service.lookup.clear]
    for forget in forgets:
        service.decide(request)
        assert service.find(request) is not None
        forget()
        assert service.find(request) is None
        assert service.find_in_asgi(request) is None


def test_yes_that_became_a_no_is_cached_no_longer(service: Service) -> None:
    request = environ_of()
    service.decide(request)
    service.clock.now = 60
    service.allowed.clear()
    assert not service.decide(request).allowed
    assert service.find(request) is None


def test_evicted_yes_is_cached_no_longer() -> None:
    lookup = OriginLookup(lambda _: True, max_entries=1)
    guard = Guard(Policy(allow_origins=[lookup]))
    requests = [environ_of(A), environ_of(B)]
    for request in requests:
        guard.adapter.decide(CORSRequest.from_environ(request))
    cache = guard.adapter.snapshot.find("/").cache
    assert [cache.lookup(each, "GET") is None for each in requests] == [True, False]


def test_no_is_not_cached(service: Service) -> None:
    for _ in range(2):
        assert not service.decide(environ_of(EVIL, HTTP_SEC_FETCH_SITE="cross-site")).allowed
        assert service.find(environ_of(EVIL, HTTP_SEC_FETCH_SITE="cross-site")) is None
    assert service.asked == 1


def test_listed_origin_and_no_origin_are_cached(service: Service) -> None:
    for request in (environ_of(LISTED), environ_of(None)):
        decision = service.decide(request)
        assert service.find(request) is decision
        assert service.find_in_asgi(request) is decision
        assert service.find({**request, "HTTP_HOST": "two", "PATH_INFO": "/é"}) is decision
    assert service.asked == 0


@pytest.mark.parametrize("enforce", [False, True])
@pytest.mark.parametrize("credentials", [False, True])
@pytest.mark.parametrize("by_host", [False, True])
def test_cached_decision_equals_the_decided_one(
    by_host: bool, enforce: bool, credentials: bool
) -> None:
    service = Service(by_host=by_host, enforce=enforce, credentials=credentials)
    requests = [
        environ_of(origin, **place, **site, **extra)
        for origin, place, site, extra in product(
            (A, B, EVIL, LISTED, None),
            (
                {},
                {"HTTP_HOST": "two"},
                {"PATH_INFO": "/closed"},
                {"PATH_INFO": "/\xc3\xa9"},
                {"PATH_INFO": "/" + "x" * 600},
            ),
            ({}, {"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_SEC_FETCH_SITE": "same-origin"}),
            (
                {},
                {"HTTP_COOKIE": "a=b"},
                {"REQUEST_METHOD": "POST"},
                {"REQUEST_METHOD": "OPTIONS", **PUT},
                {"REQUEST_METHOD": "OPTIONS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "DELETE"},
            ),
        )
    ]
    found = 0
    for _ in range(2):  # the second pass reads the cache that the first has filled
        for request in requests:
            decision = service.decide(request)
            for cached in (service.find(request), service.find_in_asgi(request)):
                assert cached in {None, decision}
                found += cached is not None
    assert found > len(requests)


def test_host_in_two_lines_is_another_host() -> None:
    service = Service(by_host=True)
    service.decide(environ_of())
    cache = service.guard.adapter.snapshot.find("/").cache
    origin, host, other = (b"origin", A.encode()), (b"host", b"one"), (b"host", b"two")
    assert cache.lookup_headers([origin, host], "GET", None, "/") is not None
    assert cache.lookup_headers([origin, other, host], "GET", None, "/") is None
    assert cache.lookup_headers([origin, host], "GET") is None
    assert cache.lookup_headers([origin], "GET", None, "/") is None


def test_decision_with_a_fault_is_not_cached() -> None:
    def fails(origin: str) -> bool:
        raise ValueError

    guard = Guard(Policy(allow_origins=[fails, OriginLookup(lambda _: True)]))
    for _ in range(2):
        decision = guard.adapter.decide(CORSRequest.from_environ(environ_of()))
        assert decision.allowed
        assert len(decision.faults) == 1
        assert guard.adapter.snapshot.find("/").cache.lookup(environ_of(), "GET") is None


def test_subscriber_is_called_for_each_remembered_yes(service: Service) -> None:
    seen: list[Decision] = []
    service.guard.subscribe(lambda decision, _: seen.append(decision))
    for _ in range(3):
        service.decide(environ_of())
        assert service.find(environ_of()) is None
    assert len(seen) == 3
    assert service.asked == 1


def test_reconfigure_ends_what_a_lookup_allowed(service: Service) -> None:
    service.decide(environ_of())
    service.guard.reconfigure(Policy(allow_origins=[LISTED]))
    assert service.find(environ_of()) is None
    assert not service.decide(environ_of()).allowed


def test_more_origins_than_others_cache_stay_cached() -> None:
    guard = Guard(Policy(allow_origins=[OriginLookup(lambda _: True)]))
    requests = [environ_of(f"https://n{number}.example") for number in range(3_000)]
    for request in requests:
        guard.adapter.decide(CORSRequest.from_environ(request))
    cache = guard.adapter.snapshot.find("/").cache
    assert all(cache.lookup(request, "GET") for request in requests)


def test_policy_without_a_lookup_has_the_plain_cache() -> None:
    assert select_cache([], is_enforced=False) is DecisionCache
    assert select_cache([], is_enforced=True) is EnforcedCache
    assert select_cache([OriginLookup(lambda _: True)], is_enforced=False) is AnswerCache


def test_policy_after_one_that_was_asked_is_not_cached() -> None:
    clock = Clock()
    partners: set[str] = set()
    first = OriginLookup(lambda origin: origin in partners, clock=clock)
    second = OriginLookup(lambda _: True, clock=clock)
    with_credentials = Policy(allow_origins=[LISTED, first], allow_credentials=True)
    guard = Guard({"/": [with_credentials, Policy(allow_origins=[second])]})
    cache = guard.adapter.snapshot.find("/").cache

    def decide(origin: str) -> tuple[bool, bool]:
        """Return True for credentials, and True if the decision is cached."""
        request = environ_of(origin)
        decision = guard.adapter.decide(CORSRequest.from_environ(request))
        assert decision.allowed
        cached = cache.lookup(request, "GET")
        assert cached in {None, decision}
        return "Access-Control-Allow-Credentials" in dict(decision.headers), cached is not None

    assert decide(A) == (False, False)
    partners.add(A)
    clock.now = 6  # the first look-up asks again, and now its policy decides
    assert decide(A) == (True, True)
    assert decide(LISTED) == (True, True)


def test_policy_after_one_of_listed_origins_is_cached() -> None:
    lookup = OriginLookup(lambda _: True)
    first = Policy(allow_origins=[LISTED], allow_credentials=True)
    guard = Guard({"/": [first, Policy(allow_origins=[lookup])]})
    request = environ_of(A)
    decision = guard.adapter.decide(CORSRequest.from_environ(request))
    assert guard.adapter.snapshot.find("/").cache.lookup(request, "GET") == decision
