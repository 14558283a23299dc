"""The reasons, first match wins, and the same-origin request."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.origins import EVIL, LISTED, PLAIN, VARY, A, ask, get, preflight

from corsguard import Decision, Engine, Kind, Reason

EVERY_REFUSAL = {
    Reason.ORIGIN_INVALID,
    Reason.ORIGIN_NOT_ALLOWED,
    Reason.METHOD_NOT_ALLOWED,
    Reason.HEADERS_NOT_ALLOWED,
    Reason.CREDENTIALS_NOT_ALLOWED,
    Reason.CROSS_ORIGIN_REFUSED,
}


@pytest.mark.parametrize("reason", Reason)
def test_allowed_is_false_exactly_for_a_refusal(reason: Reason) -> None:
    decision = Decision(Kind.ACTUAL, reason, "", None, ())
    assert decision.allowed is (reason not in EVERY_REFUSAL)
    assert reason.refusal is (reason in EVERY_REFUSAL)
    assert reason.words.isascii()


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
def test_a_cookie_without_allow_credentials_is_a_refusal_with_the_headers_of_an_allowed_origin(
    headers: Mapping[str, str], credentials: bool | None, reason: Reason
) -> None:
    decision = Engine(PLAIN).decide(A, "GET", headers, credentials)
    assert (decision.kind, decision.reason, decision.status) == (Kind.ACTUAL, reason, None)
    assert decision.headers == get(PLAIN, A).headers
    assert Engine(LISTED).decide(A, "GET", headers, credentials).reason is Reason.ALLOWED


def test_an_invalid_origin_comes_before_one_that_is_not_allowed_before_method_and_headers() -> None:
    assert preflight(LISTED, "x y", "DELETE", "x-b").reason is Reason.ORIGIN_INVALID
    assert preflight(LISTED, EVIL, "DELETE", "x-b").reason is Reason.ORIGIN_NOT_ALLOWED
    assert preflight(LISTED, A, "DELETE", "x-b").reason is Reason.METHOD_NOT_ALLOWED
    assert preflight(LISTED, A, "PUT", "x-b").reason is Reason.HEADERS_NOT_ALLOWED


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("OPTIONS", ask(), Kind.PREFLIGHT),
        ("OPTIONS", {"ACCESS-CONTROL-REQUEST-METHOD": "PUT"}, Kind.PREFLIGHT),
        ("OPTIONS", {"Access-Control-Request-Headers": "x-a"}, Kind.ACTUAL),
        ("OPTIONS", {}, Kind.ACTUAL),
        ("options", ask(), Kind.ACTUAL),
        ("GET", ask(), Kind.ACTUAL),
    ],
)
def test_a_preflight_is_origin_options_and_request_method_and_nothing_else(
    method: str, headers: Mapping[str, str], kind: Kind
) -> None:
    assert Engine(LISTED).decide(A, method, headers).kind is kind


def test_without_origin_nothing_is_a_preflight() -> None:
    assert Engine(LISTED).decide(None, "OPTIONS", ask()).kind is Kind.NOT_CORS


@pytest.mark.parametrize(
    ("origin", "headers", "own"),
    [
        (EVIL, {"Sec-Fetch-Site": "same-origin"}, True),
        (EVIL, {"Sec-Fetch-Site": "none"}, True),
        (EVIL, {"Sec-Fetch-Site": "same-site", "Host": "evil.example"}, False),
        (EVIL, {"Sec-Fetch-Site": "same-origin,same-origin"}, False),
        (EVIL, {"Sec-Fetch-Site": "Same-Origin"}, False),
        (EVIL, {"Host": "evil.example"}, True),
        (EVIL, {"Host": "EVIL.example:443"}, True),
        (EVIL, {"Host": "evil.example:80"}, False),
        ("http://evil.example", {"Host": "evil.example:80"}, True),
        ("http://evil.example:8000", {"Host": "evil.example:8000"}, True),
        ("http://evil.example:8000", {"Host": "evil.example"}, False),
        (EVIL, {"Host": ""}, False),
        (EVIL, {}, False),
        (EVIL, {"X-Forwarded-Host": "evil.example"}, False),
        (EVIL, {"Forwarded": "host=evil.example"}, False),
        (f"{EVIL}.", {"Host": "evil.example."}, True),
        (f"{EVIL}.", {"Host": "evil.example.:443"}, True),
        (f"{EVIL}.", {"Host": "evil.example"}, False),
        (EVIL, {"Host": "evil.example."}, False),
        ("file://", {"Host": "file"}, False),
        ("file://", {"Host": ""}, False),
        ("null", {"Host": "null"}, False),
        ("null", {"Host": ""}, False),
        (f"{EVIL}/", {"Host": "evil.example/"}, False),
        ("https://own.example", {}, True),
    ],
)
def test_same_origin_replaces_a_refusal_and_changes_no_header(
    origin: str, headers: Mapping[str, str], own: bool
) -> None:
    engine = Engine(PLAIN, own_origins=["https://own.example"])
    decision = engine.decide(origin, "POST", headers)
    assert (decision.reason is Reason.SAME_ORIGIN) is own
    assert decision.headers == (VARY,)
    assert decision.allowed is own
    assert decision.kind is (Kind.NOT_CORS if own else Kind.ACTUAL)


def test_same_origin_is_looked_at_only_where_a_refusal_would_follow() -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    assert Engine(PLAIN).decide(A, "POST", own).reason is Reason.ALLOWED
    assert Engine(PLAIN).decide(EVIL, "OPTIONS", {**own, **ask()}).status == 403
    assert Engine(PLAIN).decide(A, "POST", own, credentials=True).reason is Reason.SAME_ORIGIN


def test_a_decision_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        get(PLAIN, A).status = 200  # type: ignore[misc]


def test_request_headers_may_come_as_a_function_from_the_lower_case_name() -> None:
    asked = {"access-control-request-method": "PUT"}
    assert Engine(LISTED).decide(A, "OPTIONS", asked.get).reason is Reason.ALLOWED
