"""The decision cache: a cached decision is the decided one, and never stale."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from corsguard import CORSRequest, Decision, Guard, Policy, Reason
from corsguard.engine.cache import BoundedCache

A = "https://a.example"
EVIL = "https://evil.example"
ORIGINS = (
    None,
    A,
    "https://www.b.example",
    "https://c1.example",
    EVIL,
    "null",
    "https://A",
    "x" * 400,
)
SITES = (None, "cross-site", "same-site", "same-origin", "none", "elsewhere")
LISTED: list[str | re.Pattern[str]] = [
    A,
    "https://*.b.example",
    re.compile(r"https://c[0-9]\.example"),
]

GUARDS: Mapping[str, Guard] = {
    "without credentials": Guard(Policy(allow_origins=LISTED, allow_methods=["PUT"])),
    "with credentials": Guard(Policy(allow_origins=LISTED, allow_credentials=True)),
    "any origin": Guard(Policy(allow_origins=["*"])),
    "by path": Guard({"/": Policy(allow_origins=LISTED)}),
    "enforced": Guard(Policy(allow_origins=[A]), enforce=True),
    "reported": Guard(Policy(allow_origins=[A]), enforce="report"),
    "a list": Guard(
        [Policy(allow_origins=LISTED, allow_credentials=True), Policy(allow_origins=["*"])]
    ),
    "a list, enforced": Guard(
        {"/": [Policy(allow_origins=[A], allow_credentials=True), Policy(allow_origins=[EVIL])]},
        enforce=True,
    ),
    "no CORS": Guard({"/": None}),
    "a callable": Guard(Policy(allow_origins=[A, lambda origin: origin.endswith("l.example")])),
}


def build_environ(
    origin: str | None, method: str, site: str | None, **fields: str
) -> dict[str, Any]:
    given = {"HTTP_ORIGIN": origin, "HTTP_SEC_FETCH_SITE": site, "REQUEST_METHOD": method, **fields}
    return {name: value for name, value in given.items() if value is not None}


def decide_environ(guard: Guard, request: Mapping[str, Any]) -> Decision:
    return guard.adapter.decide(CORSRequest.from_environ(request, "/"))


def find_cached(guard: Guard, request: Mapping[str, Any]) -> Decision | None:
    return guard.adapter.snapshot.find("/").cache.lookup(request, request["REQUEST_METHOD"])


def to_headers(request: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return the fields of an environ as ASGI has them."""
    return [
        (name[5:].replace("_", "-").lower().encode(), value.encode())
        for name, value in request.items()
        if name.startswith("HTTP_")
    ]


def find_cached_asgi(guard: Guard, request: Mapping[str, Any]) -> Decision | None:
    cache = guard.adapter.snapshot.find("/").cache
    return cache.lookup_headers(to_headers(request), request["REQUEST_METHOD"])


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_cached_decision_equals_the_decided_one(guard: Guard) -> None:
    preflights = [
        {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": method, **names}
        for method in ("PUT", "DELETE")
        for names in ({}, {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "x-a,,x-b"})
    ]
    extras: list[dict[str, str]] = [
        {},
        {"HTTP_COOKIE": "a=b"},
        {"HTTP_COOKIE": ""},
        {"HTTP_COOKIE": "a=b", "HTTP_SEC_FETCH_MODE": "navigate"},
        {"HTTP_UPGRADE": "websocket"},
        *preflights,
    ]
    for _ in range(2):  # the second pass reads the cache that the first has filled
        for origin, method, site, extra in product(
            ORIGINS, ("GET", "POST", "OPTIONS"), SITES, extras
        ):
            request = build_environ(origin, method, site, **extra)
            decision = decide_environ(guard, request)
            assert find_cached(guard, request) in {None, decision}
            assert find_cached_asgi(guard, request) in {None, decision}


def test_second_request_is_answered_from_the_cache() -> None:
    guard = Guard(Policy(allow_origins=LISTED, allow_credentials=True, allow_methods=["PUT"]))
    preflight = {
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "",
    }
    for request in (
        build_environ(None, "GET", "none"),
        build_environ(A, "GET", "cross-site", HTTP_COOKIE="a=b"),
        build_environ("https://www.b.example", "POST", None),
        build_environ(EVIL, "GET", "cross-site"),
        build_environ(A, "OPTIONS", "cross-site", **preflight),
        build_environ(EVIL, "OPTIONS", "cross-site", **preflight),
    ):
        decision = decide_environ(guard, request)
        assert find_cached(guard, request) is decision
        assert find_cached_asgi(guard, request) is decision


def test_request_without_cors_is_answered_from_the_cache() -> None:
    guard = Guard({"/": None})
    for cookie in ({}, {"HTTP_COOKIE": "a=b"}):
        request = build_environ(A, "GET", None, **cookie)
        found = find_cached(guard, request)
        assert found is not None
        assert found.reason is Reason.NO_POLICY
        assert find_cached_asgi(guard, request) is found


def test_cached_refusal_answers_other_sites_only() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    decision = decide_environ(guard, build_environ(EVIL, "GET", "cross-site"))
    for site in SITES:
        found = decision if site in {"cross-site", "same-site"} else None
        assert find_cached(guard, build_environ(EVIL, "GET", site)) is found
        assert find_cached_asgi(guard, build_environ(EVIL, "GET", site)) is found


def test_refusal_is_found_in_each_shape_of_headers() -> None:
    """ASGI, "HTTP Connection Scope": an iterable of pairs, which some servers write as lists."""
    guard = Guard(Policy(allow_origins=[A]))
    request = build_environ(EVIL, "GET", "cross-site")
    decision = decide_environ(guard, request)
    cache, headers = guard.adapter.snapshot.find("/").cache, to_headers(request)
    shapes: list[Any] = [headers, tuple(headers), [[*field] for field in headers]]
    assert [cache.lookup_headers(shape, "GET") for shape in shapes] == [decision] * 3


def test_two_lines_of_origin_are_not_looked_up() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    decide_environ(guard, build_environ(A, "GET", "cross-site"))
    cache, origin = guard.adapter.snapshot.find("/").cache, (b"origin", A.encode())
    assert cache.lookup_headers([origin], "GET") is not None
    assert cache.lookup_headers([origin, origin], "GET") is None


def test_reconfigure_clears_the_cache() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    for origin in (A, EVIL):
        decide_environ(guard, build_environ(origin, "GET", "cross-site"))
    guard.reconfigure(Policy(allow_origins=[EVIL]))
    for origin, reason in ((A, Reason.ORIGIN_NOT_ALLOWED), (EVIL, Reason.ALLOWED)):
        request = build_environ(origin, "GET", "cross-site")
        assert find_cached(guard, request) is None
        assert decide_environ(guard, request).reason is reason


def test_refused_preflight_is_logged_again_after_reconfigure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    policy = Policy(allow_origins=[A])
    guard = Guard({"/api": policy})
    request = build_environ(EVIL, "OPTIONS", "cross-site", HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT")
    guard.adapter.decide(CORSRequest.from_environ(request, "/api"))
    guard.reconfigure(policy)
    assert find_cached(guard, request) is None
    decide_environ(guard, request)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_subscriber_is_called_for_requests_cached_before() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    origins: list[str | None] = []

    def subscriber(decision: Decision, facts: CORSRequest) -> None:
        origins.append(facts.origin)

    put = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    request = [
        build_environ(origin, method, "cross-site", **put)
        for origin in (A, EVIL)
        for method in ("GET", "OPTIONS")
    ]
    for each in request:
        decide_environ(guard, each)
    guard.subscribe(subscriber)
    for _ in range(2):
        for each in request:
            assert find_cached(guard, each) is None
            decide_environ(guard, each)
            assert find_cached(guard, each) is None
        guard.reconfigure(guard.policies)
    assert origins == [A, A, EVIL, EVIL] * 2


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_refusal_is_not_cached_at_debug_level(
    caplog: pytest.LogCaptureFixture, method: str
) -> None:
    guard = Guard(Policy(allow_origins=[A]))
    request = build_environ(EVIL, method, "cross-site", HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT")
    decide_environ(guard, request)
    caplog.set_level(logging.DEBUG, logger="corsguard")
    assert find_cached(guard, request) is None
    assert find_cached_asgi(guard, request) is None
    decide_environ(guard, request)
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG"]


def test_bounded_cache_is_cleared_when_full() -> None:
    cache: BoundedCache[int, bool] = BoundedCache()
    for number in range(3_000):
        cache.store(number, True)
        assert number in cache
        assert len(cache) <= 1_024


def test_refused_preflights_do_not_evict_allowed_ones() -> None:
    guard = Guard(Policy(allow_origins=[A], allow_methods=["PUT"]))
    put = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    of_page = build_environ(A, "OPTIONS", "cross-site", **put)
    decision = decide_environ(guard, of_page)
    for number in range(3_000):
        origin = f"https://n{number}.example"
        decide_environ(guard, build_environ(origin, "OPTIONS", "cross-site", **put))
    assert find_cached(guard, of_page) is decision


def test_caches_of_many_routes_share_one_bound() -> None:
    policy = Policy(allow_origins=[A])
    guard = Guard({f"/r{number}": policy for number in range(64)})
    put = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    for number in range(100):
        request = build_environ(f"https://n{number}.example", "OPTIONS", None, **put)
        guard.adapter.decide(CORSRequest.from_environ(request, "/r1"))
        assert len(guard.adapter.snapshot.find("/r1").cache._refused_preflights) <= 32


def test_every_listed_origin_stays_in_the_cache() -> None:
    origins = [f"https://n{number}.example" for number in range(3_000)]
    guard = Guard(Policy(allow_origins=origins))
    requests = [build_environ(origin, "GET", None) for origin in origins]
    decisions = [decide_environ(guard, request) for request in requests]
    assert [find_cached(guard, request) for request in requests] == decisions
