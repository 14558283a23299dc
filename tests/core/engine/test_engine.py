"""Decisions of an engine: the kind, the first reason that applies, and the headers."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from support.engine_requests import (
    ANY,
    CREDENTIALS,
    EVIL,
    LISTED,
    PLAIN,
    VARY,
    A,
    build_preflight,
    decide_actual,
    decide_preflight,
    find_header,
)

from corsguard import Decision, Engine, Kind, Policy, PolicyWarning, Reason


@pytest.mark.parametrize(
    ("headers", "credentials", "reason"),
    [
        ({}, True, Reason.CREDENTIALS_NOT_ALLOWED),
        ({"Sec-Fetch-Mode": "cors"}, True, Reason.CREDENTIALS_NOT_ALLOWED),
        ({"Sec-Fetch-Mode": "navigate"}, True, Reason.ALLOWED),
        ({"sec-fetch-mode": "no-cors"}, True, Reason.ALLOWED),
        ({}, False, Reason.ALLOWED),
        ({}, None, Reason.ALLOWED),
    ],
)
def test_cookie_without_allow_credentials_is_refused(
    headers: Mapping[str, str], credentials: bool | None, reason: Reason
) -> None:
    decision = Engine(PLAIN).decide(A, "GET", headers, credentials)
    assert (decision.kind, decision.reason, decision.status) == (Kind.ACTUAL, reason, None)
    assert decision.headers == decide_actual(PLAIN, A).headers
    assert Engine(LISTED).decide(A, "GET", headers, credentials).reason is Reason.ALLOWED


def test_first_failed_check_is_the_reason() -> None:
    assert decide_preflight(LISTED, "x y", "DELETE", "x-b").reason is Reason.ORIGIN_INVALID
    assert decide_preflight(LISTED, EVIL, "DELETE", "x-b").reason is Reason.ORIGIN_NOT_ALLOWED
    assert decide_preflight(LISTED, A, "DELETE", "x-b").reason is Reason.METHOD_NOT_ALLOWED
    assert decide_preflight(LISTED, A, "PUT", "x-b").reason is Reason.HEADERS_NOT_ALLOWED


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("OPTIONS", build_preflight(), Kind.PREFLIGHT),
        ("OPTIONS", {"ACCESS-CONTROL-REQUEST-METHOD": "PUT"}, Kind.PREFLIGHT),
        ("OPTIONS", {"Access-Control-Request-Headers": "x-a"}, Kind.ACTUAL),
        ("OPTIONS", {}, Kind.ACTUAL),
        ("options", build_preflight(), Kind.ACTUAL),
        ("GET", build_preflight(), Kind.ACTUAL),
    ],
)
def test_preflight_needs_options_and_request_method(
    method: str, headers: Mapping[str, str], kind: Kind
) -> None:
    assert Engine(LISTED).decide(A, method, headers).kind is kind


def test_preflight_without_origin_is_not_cors() -> None:
    assert Engine(LISTED).decide(None, "OPTIONS", build_preflight()).kind is Kind.NOT_CORS


def test_request_headers_may_be_a_function() -> None:
    asked = {"access-control-request-method": "PUT"}
    assert Engine(LISTED).decide(A, "OPTIONS", asked.get).reason is Reason.ALLOWED


@pytest.mark.parametrize("origin", [None, A, EVIL, "null", "", "not an origin", "x" * 1_000_000])
def test_any_origin_policy_sends_constant_headers(
    origin: str | None,
) -> None:
    decision = decide_actual(ANY, origin)
    assert decision.status is None
    assert decision.headers == (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "X-Total"),
    )


def test_request_without_origin_gets_vary() -> None:
    assert decide_actual(LISTED, None) == Decision(
        Kind.NOT_CORS, Reason.NOT_CORS, "", None, (VARY,)
    )


def test_actual_request_of_an_allowed_origin_gets_all_headers() -> None:
    decision = decide_actual(LISTED, A)
    assert decision == Decision(
        Kind.ACTUAL,
        Reason.ALLOWED,
        "",
        None,
        (
            ("Access-Control-Allow-Origin", A),
            CREDENTIALS,
            ("Access-Control-Expose-Headers", "X-Total, X-Page"),
            VARY,
        ),
    )
    assert decision.allowed


def test_unset_options_send_no_headers() -> None:
    assert decide_actual(PLAIN, A).headers == (("Access-Control-Allow-Origin", A), VARY)


def test_actual_request_of_a_refused_origin_gets_only_vary() -> None:
    decision = decide_actual(LISTED, EVIL)
    assert (decision.kind, decision.reason) == (Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED)
    assert (decision.status, decision.headers) == (None, (VARY,))
    assert not decision.allowed


@pytest.mark.parametrize(
    "origin",
    [
        "",
        f"{A}, {A}",
        f"{A},{A}",
        f"{A} {A}",
        f"{A}/",
        f"{A}/path",
        "https://user@a.example",
        "https://A.example",
        "https://a.example\r\nX: y",
        "https://a.example\x00",
        "https://é.example",
        f"https://{'a' * 64}.example",
        f"https://{'.'.join(['a' * 60] * 5)}",
        "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:443",
        f"https://{'a.' * 200}example",
        "x" * 1_000_000,
        "a.example",
        "NULL",
        "*",
    ],
)
def test_origin_that_is_not_serialised_is_invalid(
    origin: str,
) -> None:
    asked: list[str] = []

    def predicate(origin: str) -> bool:
        asked.append(origin)
        return True

    anything = re.compile(r"(?:https://a)?[\s\S]?")
    engine = Engine(
        Policy(allow_origins=[A, anything, predicate], dangerously_allow_public_suffixes=True)
    )
    for method, headers, status in [("GET", {}, None), ("OPTIONS", build_preflight(), 403)]:
        decision = engine.decide(origin, method, headers)
        assert (decision.reason, decision.status) == (Reason.ORIGIN_INVALID, status)
        assert [name for name, _ in decision.headers] == ["Vary"]
    assert asked == []


def test_origin_with_an_underscore_is_valid() -> None:
    origin = "https://my_app.b.example"
    assert decide_actual(LISTED, origin).reason is Reason.ALLOWED


def test_origin_null_is_allowed_only_by_name() -> None:
    asked: list[str] = []

    def predicate(origin: str) -> bool:
        asked.append(origin)
        return True

    with pytest.warns(PolicyWarning, match="matches no origin"):
        policy = Policy(allow_origins=[re.compile("null"), predicate])
    assert decide_actual(policy, "null").reason is Reason.ORIGIN_NOT_ALLOWED
    assert asked == []
    listed = Policy(allow_origins=["null"], dangerously_allow_null_origin=True)
    assert find_header(decide_actual(listed, "null"), "Allow-Origin") == "null"


def test_engine_caches_a_bounded_number_of_evaluations() -> None:
    engine = Engine(Policy(allow_origins=["https://*.b.example"]))
    first = engine.evaluate("https://a.b.example")
    assert engine.evaluate("https://a.b.example") is first
    for number in range(3_000):
        decision = engine.decide(f"https://n{number}.b.example", "GET", {})
        assert decision.allowed
        assert len(engine._evaluations) <= 1_024
    assert engine.decide("x" * 5_000, "GET", {}).reason is Reason.ORIGIN_INVALID
    assert "x" * 5_000 not in engine._evaluations
