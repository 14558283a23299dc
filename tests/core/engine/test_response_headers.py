"""The response headers, row by row and bullet by bullet."""

from __future__ import annotations

import re

import pytest
from support.engine_requests import (
    ANY,
    ASKED,
    CREDENTIALS,
    EVIL,
    LISTED,
    PLAIN,
    PREFLIGHT_VARY,
    VARY,
    A,
    ask,
    field,
    get,
    preflight,
)

from corsguard import Decision, Engine, Kind, Policy, PolicyWarning, Reason


@pytest.mark.parametrize("origin", [None, A, EVIL, "null", "", "not an origin", "x" * 1_000_000])
def test_any_origin_gets_the_same_headers_whatever_origin_says_and_no_vary(
    origin: str | None,
) -> None:
    decision = get(ANY, origin)
    assert decision.status is None
    assert decision.headers == (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", "X-Total"),
    )


def test_a_request_without_origin_varies_by_it_where_origins_are_listed() -> None:
    assert get(LISTED, None) == Decision(Kind.NOT_CORS, Reason.NOT_CORS, "", None, (VARY,))


def test_an_actual_request_of_an_allowed_origin() -> None:
    decision = get(LISTED, A)
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


def test_credentials_and_exposed_headers_are_sent_only_if_so() -> None:
    assert get(PLAIN, A).headers == (("Access-Control-Allow-Origin", A), VARY)


def test_an_actual_request_of_an_origin_that_is_not_allowed_only_varies() -> None:
    decision = get(LISTED, EVIL)
    assert (decision.kind, decision.reason) == (Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED)
    assert (decision.status, decision.headers) == (None, (VARY,))
    assert not decision.allowed


def test_a_preflight_of_an_allowed_origin() -> None:
    decision = preflight(LISTED, A, "PUT", "content-type,x-a")
    assert decision == Decision(
        Kind.PREFLIGHT,
        Reason.ALLOWED,
        "",
        204,
        (
            ("Access-Control-Allow-Origin", A),
            CREDENTIALS,
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH"),
            ("Access-Control-Allow-Headers", "Content-Type, X-A"),
            ("Access-Control-Max-Age", "600"),
            PREFLIGHT_VARY,
        ),
    )
    assert decision.body == b""
    assert decision.answer_headers == list(decision.headers)


def test_a_preflight_of_an_origin_that_is_not_allowed_is_403_with_one_line() -> None:
    decision = preflight(LISTED, EVIL)
    assert (decision.kind, decision.status) == (Kind.PREFLIGHT, 403)
    assert decision.headers == (PREFLIGHT_VARY,)
    assert decision.body == b"corsguard: origin not allowed: the policy does not list it\n"
    assert decision.answer_headers == [
        PREFLIGHT_VARY,
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(decision.body))),
    ]


@pytest.mark.parametrize(
    ("method", "headers", "reason", "detail"),
    [
        ("DELETE", None, Reason.METHOD_NOT_ALLOWED, "DELETE"),
        ("PUT", "x-a,x-b", Reason.HEADERS_NOT_ALLOWED, "x-b"),
    ],
)
def test_a_preflight_is_answered_with_the_whole_lists_even_where_they_lack_what_is_asked(
    method: str, headers: str | None, reason: Reason, detail: str
) -> None:
    decision = preflight(LISTED, A, method, headers)
    assert (decision.reason, decision.detail, decision.status) == (reason, detail, 204)
    assert decision.headers == preflight(LISTED, A, "PUT", "x-a").headers
    assert not decision.allowed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_safelisted_methods_need_no_allow_methods_and_stand_in_it_where_it_is_sent(
    method: str,
) -> None:
    assert preflight(PLAIN, A, method).reason is Reason.ALLOWED
    assert field(preflight(PLAIN, A, method), "Allow-Methods") is None
    assert method in (field(preflight(LISTED, A), "Allow-Methods") or "").split(", ")


def test_listed_safelisted_methods_are_not_sent_twice() -> None:
    policy = Policy(allow_origins=[A], allow_methods=["PUT", "POST", "GET"])
    assert field(preflight(policy, A), "Allow-Methods") == "GET, HEAD, POST, PUT"


def test_vary_of_a_preflight_leaves_origin_out_under_any_origin() -> None:
    assert preflight(ANY, A).headers == (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT"),
        ("Access-Control-Max-Age", "7200"),
        ("Vary", ASKED),
    )


@pytest.mark.parametrize(("max_age", "sent"), [(0, "0"), (600, "600"), (None, None)])
def test_max_age_zero_is_sent_and_none_is_left_out(max_age: int | None, sent: str | None) -> None:
    assert field(preflight(Policy(allow_origins=[A], max_age=max_age), A), "Max-Age") == sent


WILD = Policy(allow_origins=[A], allow_methods=["*"], allow_headers=["*", "Authorization"])
WILD_WITH_CREDENTIALS = Policy(
    allow_origins=[A], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)


def test_wildcards_are_sent_as_such_without_credentials() -> None:
    decision = preflight(WILD, A, "PURGE", "x-anything, authorization")
    assert decision.reason is Reason.ALLOWED
    assert field(decision, "Allow-Methods") == "*"
    assert field(decision, "Allow-Headers") == "*, Authorization"


def test_a_literal_wildcard_does_not_cover_authorization() -> None:
    with pytest.warns(match="Authorization"):
        policy = Policy(allow_origins=[A], allow_headers=["*"])
    decision = preflight(policy, A, "GET", "x-anything,authorization")
    assert (decision.reason, decision.detail) == (Reason.HEADERS_NOT_ALLOWED, "authorization")
    assert field(decision, "Allow-Headers") == "*"


def test_with_credentials_the_names_that_were_asked_for_are_written_anew() -> None:
    decision = preflight(WILD_WITH_CREDENTIALS, A, "PURGE", " X-B ,,authorization,x-b\t")
    assert decision.reason is Reason.ALLOWED
    assert field(decision, "Allow-Methods") == "GET, HEAD, POST, PURGE"
    assert field(decision, "Allow-Headers") == "x-b, authorization"


@pytest.mark.parametrize("headers", ["x-a, b c", "x-a,\r\nSet-Cookie: a", "x-a,é", "x-a;q=1"])
def test_with_credentials_one_name_that_is_no_token_and_none_is_sent(headers: str) -> None:
    decision = preflight(WILD_WITH_CREDENTIALS, A, "GET", headers)
    assert decision.reason is Reason.HEADERS_NOT_ALLOWED
    assert field(decision, "Allow-Headers") is None


@pytest.mark.parametrize("method", ["PU T", "", "PUT,DELETE", "PUT\r\nX: y", "TRACE", "connect"])
@pytest.mark.parametrize("policy", [WILD, WILD_WITH_CREDENTIALS], ids=["*", "echo"])
def test_a_method_that_no_page_sends_is_not_covered_by_a_wildcard_nor_sent_back(
    policy: Policy, method: str
) -> None:
    decision = preflight(policy, A, method)
    assert decision.reason is Reason.METHOD_NOT_ALLOWED
    assert field(decision, "Allow-Methods") in {"*", None}


@pytest.mark.parametrize(
    "headers",
    [
        "x-a,content-type",
        "content-type,x-a",
        " X-A ,\tContent-Type ",
        ",x-a,,content-type,",
        "",
        ",",
    ],
)
def test_request_headers_are_read_in_any_order_case_and_spacing(headers: str) -> None:
    assert preflight(LISTED, A, "PUT", headers).reason is Reason.ALLOWED


@pytest.mark.parametrize("policy", [LISTED, WILD, WILD_WITH_CREDENTIALS], ids=["list", "*", "echo"])
@pytest.mark.parametrize(
    "headers",
    ["x-a" + " " * 4_094, "," * 1_000_000, ",".join(["x-a"] * 65)],
    ids=["characters", "megabyte of commas", "names"],
)
def test_request_headers_over_the_limits_are_not_read(policy: Policy, headers: str) -> None:
    decision = preflight(policy, A, "PUT", headers)
    assert (decision.reason, decision.status) == (Reason.HEADERS_NOT_ALLOWED, 204)
    assert headers[:65] not in str(decision)


def test_request_headers_at_the_limits_are_read() -> None:
    assert preflight(LISTED, A, "PUT", "x-a" + " " * 4_093).reason is Reason.ALLOWED
    assert preflight(LISTED, A, "PUT", ",".join(["x-a"] * 64)).reason is Reason.ALLOWED


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
def test_an_origin_that_is_not_one_serialised_origin_is_invalid_and_asked_of_nobody(
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
    for method, headers, status in [("GET", {}, None), ("OPTIONS", ask(), 403)]:
        decision = engine.decide(origin, method, headers)
        assert (decision.reason, decision.status) == (Reason.ORIGIN_INVALID, status)
        assert [name for name, _ in decision.headers] == ["Vary"]
    assert asked == []


def test_browsers_send_hosts_with_an_underscore() -> None:
    origin = "https://my_app.b.example"
    assert get(LISTED, origin).reason is Reason.ALLOWED


def test_no_regex_and_no_callable_is_asked_about_null() -> None:
    asked: list[str] = []

    def predicate(origin: str) -> bool:
        asked.append(origin)
        return True

    with pytest.warns(PolicyWarning, match="matches no origin"):
        policy = Policy(allow_origins=[re.compile("null"), predicate])
    assert get(policy, "null").reason is Reason.ORIGIN_NOT_ALLOWED
    assert asked == []
    listed = Policy(allow_origins=["null"], dangerously_allow_null_origin=True)
    assert field(get(listed, "null"), "Allow-Origin") == "null"
