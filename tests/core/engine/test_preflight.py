"""The responses to preflights: methods, headers and their limits."""

from __future__ import annotations

import pytest
from support.engine_requests import (
    ANY,
    ASKED,
    CREDENTIALS,
    EVIL,
    LISTED,
    PLAIN,
    PREFLIGHT_VARY,
    A,
    decide_preflight,
    find_header,
)

from corsguard import Decision, Kind, Policy, Reason


def test_preflight_of_an_allowed_origin_gets_204_and_all_headers() -> None:
    decision = decide_preflight(LISTED, A, "PUT", "content-type,x-a")
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


def test_preflight_of_a_refused_origin_gets_403_and_one_line() -> None:
    decision = decide_preflight(LISTED, EVIL)
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
def test_preflight_that_is_refused_still_gets_the_whole_lists(
    method: str, headers: str | None, reason: Reason, detail: str
) -> None:
    decision = decide_preflight(LISTED, A, method, headers)
    assert (decision.reason, decision.detail, decision.status) == (reason, detail, 204)
    assert decision.headers == decide_preflight(LISTED, A, "PUT", "x-a").headers
    assert not decision.allowed


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_safelisted_methods_are_allowed_and_sent(
    method: str,
) -> None:
    assert decide_preflight(PLAIN, A, method).reason is Reason.ALLOWED
    assert find_header(decide_preflight(PLAIN, A, method), "Allow-Methods") is None
    assert method in (find_header(decide_preflight(LISTED, A), "Allow-Methods") or "").split(", ")


def test_safelisted_methods_in_the_policy_are_sent_once() -> None:
    policy = Policy(allow_origins=[A], allow_methods=["PUT", "POST", "GET"])
    assert find_header(decide_preflight(policy, A), "Allow-Methods") == "GET, HEAD, POST, PUT"


def test_preflight_under_any_origin_does_not_vary_by_origin() -> None:
    assert decide_preflight(ANY, A).headers == (
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT"),
        ("Access-Control-Max-Age", "7200"),
        ("Vary", ASKED),
    )


@pytest.mark.parametrize(("max_age", "sent"), [(0, "0"), (600, "600"), (None, None)])
def test_max_age_zero_is_sent_and_none_is_omitted(max_age: int | None, sent: str | None) -> None:
    assert (
        find_header(decide_preflight(Policy(allow_origins=[A], max_age=max_age), A), "Max-Age")
        == sent
    )


WILD = Policy(allow_origins=[A], allow_methods=["*"], allow_headers=["*", "Authorization"])


WILD_WITH_CREDENTIALS = Policy(
    allow_origins=[A], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)


def test_wildcards_without_credentials_are_sent_literally() -> None:
    decision = decide_preflight(WILD, A, "PURGE", "x-anything, authorization")
    assert decision.reason is Reason.ALLOWED
    assert find_header(decision, "Allow-Methods") == "*"
    assert find_header(decision, "Allow-Headers") == "*, Authorization"


def test_wildcard_does_not_allow_authorization() -> None:
    with pytest.warns(match="Authorization"):
        policy = Policy(allow_origins=[A], allow_headers=["*"])
    decision = decide_preflight(policy, A, "GET", "x-anything,authorization")
    assert (decision.reason, decision.detail) == (Reason.HEADERS_NOT_ALLOWED, "authorization")
    assert find_header(decision, "Allow-Headers") == "*"


def test_wildcards_with_credentials_echo_valid_names() -> None:
    decision = decide_preflight(WILD_WITH_CREDENTIALS, A, "PURGE", " X-B ,,authorization,x-b\t")
    assert decision.reason is Reason.ALLOWED
    assert find_header(decision, "Allow-Methods") == "GET, HEAD, POST, PURGE"
    assert find_header(decision, "Allow-Headers") == "x-b, authorization"


@pytest.mark.parametrize("headers", ["x-a, b c", "x-a,\r\nSet-Cookie: a", "x-a,é", "x-a;q=1"])
def test_wildcard_with_credentials_echoes_no_invalid_list(headers: str) -> None:
    decision = decide_preflight(WILD_WITH_CREDENTIALS, A, "GET", headers)
    assert decision.reason is Reason.HEADERS_NOT_ALLOWED
    assert find_header(decision, "Allow-Headers") is None


@pytest.mark.parametrize("method", ["PU T", "", "PUT,DELETE", "PUT\r\nX: y", "TRACE", "connect"])
@pytest.mark.parametrize("policy", [WILD, WILD_WITH_CREDENTIALS], ids=["*", "echo"])
def test_wildcard_does_not_allow_forbidden_methods(policy: Policy, method: str) -> None:
    decision = decide_preflight(policy, A, method)
    assert decision.reason is Reason.METHOD_NOT_ALLOWED
    assert find_header(decision, "Allow-Methods") in {"*", None}


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
def test_request_headers_ignore_order_case_and_spaces(headers: str) -> None:
    assert decide_preflight(LISTED, A, "PUT", headers).reason is Reason.ALLOWED


@pytest.mark.parametrize("policy", [LISTED, WILD, WILD_WITH_CREDENTIALS], ids=["list", "*", "echo"])
@pytest.mark.parametrize(
    "headers",
    ["x-a" + " " * 4_094, "," * 1_000_000, ",".join(["x-a"] * 65)],
    ids=["characters", "megabyte of commas", "names"],
)
def test_request_headers_over_the_limits_are_refused(policy: Policy, headers: str) -> None:
    decision = decide_preflight(policy, A, "PUT", headers)
    assert (decision.reason, decision.status) == (Reason.HEADERS_NOT_ALLOWED, 204)
    assert headers[:65] not in str(decision)


def test_request_headers_at_the_limits_are_allowed() -> None:
    assert decide_preflight(LISTED, A, "PUT", "x-a" + " " * 4_093).reason is Reason.ALLOWED
    assert decide_preflight(LISTED, A, "PUT", ",".join(["x-a"] * 64)).reason is Reason.ALLOWED
