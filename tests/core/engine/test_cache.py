"""What is known of an origin answers the next request as `decide` would, and nothing is stale."""

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
    "a callable": Guard(Policy(allow_origins=[A, lambda origin: origin.endswith("l.example")])),
}


def environ(origin: str | None, method: str, site: str | None, **fields: str) -> dict[str, Any]:
    given = {"HTTP_ORIGIN": origin, "HTTP_SEC_FETCH_SITE": site, "REQUEST_METHOD": method, **fields}
    return {name: value for name, value in given.items() if value is not None}


def decided(guard: Guard, asked: Mapping[str, Any]) -> Decision:
    return guard.adapter.decide(CORSRequest.from_environ(asked, "/"))


def known(guard: Guard, asked: Mapping[str, Any]) -> Decision | None:
    return guard.adapter.snapshot.find("/").cache.lookup(asked, asked["REQUEST_METHOD"])


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_what_is_known_is_what_is_decided(guard: Guard) -> None:
    preflights = [
        {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": method, **names}
        for method in ("PUT", "DELETE")
        for names in ({}, {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "x-a,,x-b"})
    ]
    extras: list[dict[str, str]] = [{}, {"HTTP_COOKIE": "a=b"}, {"HTTP_COOKIE": ""}, *preflights]
    for _ in range(2):  # what the first pass has taught must not change the second
        for origin, method, site, extra in product(
            ORIGINS, ("GET", "POST", "OPTIONS"), SITES, extras
        ):
            asked = environ(origin, method, site, **extra)
            assert known(guard, asked) in {None, decided(guard, asked)}


def test_what_most_requests_ask_is_known_from_the_second_time_on() -> None:
    guard = Guard(Policy(allow_origins=LISTED, allow_credentials=True, allow_methods=["PUT"]))
    preflight = {
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "",
    }
    for asked in (
        environ(None, "GET", "none"),
        environ(A, "GET", "cross-site", HTTP_COOKIE="a=b"),
        environ("https://www.b.example", "POST", None),
        environ(EVIL, "GET", "cross-site"),
        environ(A, "OPTIONS", "cross-site", **preflight),
        environ(EVIL, "OPTIONS", "cross-site", **preflight),
    ):
        decision = decided(guard, asked)
        assert known(guard, asked) is decision


def test_cached_refusal_answers_other_sites_only() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    decision = decided(guard, environ(EVIL, "GET", "cross-site"))
    for site in SITES:
        found = decision if site in {"cross-site", "same-site"} else None
        assert known(guard, environ(EVIL, "GET", site)) is found


def test_reconfiguring_forgets_what_was_known() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    for origin in (A, EVIL):
        decided(guard, environ(origin, "GET", "cross-site"))
    guard.reconfigure(Policy(allow_origins=[EVIL]))
    for origin, reason in ((A, Reason.ORIGIN_NOT_ALLOWED), (EVIL, Reason.ALLOWED)):
        asked = environ(origin, "GET", "cross-site")
        assert known(guard, asked) is None
        assert decided(guard, asked).reason is reason


def test_a_refused_preflight_of_another_route_is_logged_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    policy = Policy(allow_origins=[A])
    guard = Guard({"/api": policy})
    asked = environ(EVIL, "OPTIONS", "cross-site", HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT")
    guard.adapter.decide(CORSRequest.from_environ(asked, "/api"))
    guard.reconfigure(policy)
    assert known(guard, asked) is None
    decided(guard, asked)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_subscriber_hears_of_what_was_known_before_it_came() -> None:
    guard = Guard(Policy(allow_origins=[A]))
    heard: list[str | None] = []

    def hear(decision: Decision, facts: CORSRequest) -> None:
        heard.append(facts.origin)

    put = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    asked = [
        environ(origin, method, "cross-site", **put)
        for origin in (A, EVIL)
        for method in ("GET", "OPTIONS")
    ]
    for each in asked:
        decided(guard, each)
    guard.subscribe(hear)
    for _ in range(2):
        for each in asked:
            assert known(guard, each) is None
            decided(guard, each)
            assert known(guard, each) is None
        guard.reconfigure(guard.policies)
    assert heard == [A, A, EVIL, EVIL] * 2


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_at_debug_every_refusal_is_logged(caplog: pytest.LogCaptureFixture, method: str) -> None:
    guard = Guard(Policy(allow_origins=[A]))
    asked = environ(EVIL, method, "cross-site", HTTP_ACCESS_CONTROL_REQUEST_METHOD="PUT")
    decided(guard, asked)
    caplog.set_level(logging.DEBUG, logger="corsguard")
    assert known(guard, asked) is None
    decided(guard, asked)
    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG"]


def test_a_memory_starts_anew_when_it_is_full() -> None:
    memory: BoundedCache[int, bool] = BoundedCache()
    for number in range(3_000):
        memory.store(number, True)
        assert number in memory
        assert len(memory) <= 1_024


def test_preflights_of_strangers_do_not_push_out_what_pages_ask() -> None:
    guard = Guard(Policy(allow_origins=[A], allow_methods=["PUT"]))
    put = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    of_page = environ(A, "OPTIONS", "cross-site", **put)
    decision = decided(guard, of_page)
    for number in range(3_000):
        decided(guard, environ(f"https://n{number}.example", "OPTIONS", "cross-site", **put))
    assert known(guard, of_page) is decision
