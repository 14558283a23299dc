"""Problems of one field of a policy, and their suggestions."""

from __future__ import annotations

import json
import pickle
import re
from ast import literal_eval
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from corsguard import OriginPattern, Policy, PolicyError, PolicyWarning, Problem

A = "https://a.example"
BYTES = re.compile(rb"https://a\.example")
PATTERN = re.compile(r"https://pr-\d+\.a\.example")
NAN = float("nan")

Row = tuple[str, str, object, str]
"""Code, field, value and suggestion."""
EXAMPLE = "an origin such as https://app.example.com or https://*.example.com"


class Address:  # what frameworks validate an address into
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def allow(origin: str) -> bool:
    return origin == A


def problems(fields: Mapping[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        Policy(**{"allow_origins": [A], **fields})
    return caught.value.problems


def rows(fields: Mapping[str, Any]) -> list[Row]:
    return [(each.code, each.field, each.value, each.suggestion) for each in problems(fields)]


@pytest.mark.parametrize(
    ("field", "value", "suggestion"),
    [
        ("allow_credentials", "false", "False"),
        ("allow_credentials", "true", "True"),
        ("allow_credentials", " Yes ", "True"),
        ("allow_credentials", 1, "True"),
        ("allow_credentials", 0, "False"),
        ("allow_credentials", None, "False"),
        ("dangerously_allow_insecure_origins", "on", "True"),
        ("dangerously_allow_public_suffixes", "no", "False"),
        ("dangerously_allow_null_origin", [], "False"),
        ("max_age", "600", "600"),
        ("max_age", " 600 ", "600"),
        ("max_age", 600.0, "600"),
        ("max_age", "10 minutes", "7200"),
        ("max_age", True, "7200"),
        ("max_age", NAN, "7200"),
        ("max_age", [600], "7200"),
        ("predicate_timeout", "1", "1.0"),
        ("predicate_timeout", None, "1.0"),
        ("predicate_timeout", True, "1.0"),
        ("predicate_timeout", 0, "1.0"),
        ("predicate_timeout", -1.0, "1.0"),
        ("predicate_timeout", NAN, "1.0"),
        ("predicate_timeout", float("inf"), "1.0"),
        ("predicate_timeout", timedelta(seconds=1), "1.0"),
        ("allow_methods", None, "[]"),
        ("allow_headers", 5, "[]"),
        ("expose_headers", {"X-A": True}, "[]"),
        ("allow_origins", None, '["https://app.example.com"]'),
        ("allow_origins", 443, '["https://app.example.com"]'),
        ("allow_origins", {A: True}, '["https://app.example.com"]'),
    ],
)
def test_type_invalid(field: str, value: object, suggestion: str) -> None:
    assert rows({field: value}) == [("type-invalid", field, value, suggestion)]


@pytest.mark.parametrize(
    ("field", "entry", "suggestion"),
    [
        ("allow_origins", BYTES, r"re.compile('https://a\\.example')"),
        ("allow_origins", b"https://a.example", "'https://a.example'"),
        ("allow_origins", Address(f"{A}:443/"), "'https://a.example'"),
        ("allow_origins", [A, "https://*.b.example/"], f"'{A}', 'https://*.b.example'"),
        ("allow_origins", (A,), f"'{A}'"),
        ("allow_origins", [], EXAMPLE),
        ("allow_origins", [A, 8000], EXAMPLE),
        ("allow_origins", {A: True}, EXAMPLE),
        ("allow_origins", 8000, EXAMPLE),
        ("allow_origins", None, EXAMPLE),
        ("allow_origins", OriginPattern.parse("https://*.a.example"), "'https://*.a.example'"),
        ("allow_methods", 5, "'5'"),
        ("allow_methods", ["PUT", "PATCH"], "'PUT', 'PATCH'"),
        ("allow_headers", {"X-A": True}, "remove it"),
        ("allow_headers", 5.5, "'5.5'"),
        ("allow_headers", None, "remove it"),
        ("allow_headers", b"X-A", "'X-A'"),
        ("expose_headers", True, "'True'"),
    ],
)
def test_type_invalid_within_a_list(field: str, entry: object, suggestion: str) -> None:
    assert rows({field: [entry]}) == [("type-invalid", field, entry, suggestion)]
    if suggestion.startswith("'"):
        assert Policy(**{"allow_origins": [A], field: literal_eval(f"[{suggestion}]")})


@pytest.mark.parametrize(
    ("field", "value", "suggestion"),
    [
        ("allow_origins", A, '["https://a.example"]'),
        (
            "allow_origins",
            "https://a.example, https://b.example",
            '["https://a.example", "https://b.example"]',
        ),
        ("allow_origins", PATTERN, f"[{PATTERN!r}]"),
        pytest.param("allow_origins", allow, f"[{allow!r}]", id="a callable"),
        ("allow_methods", "PUT", '["PUT"]'),
        ("allow_methods", "PUT,PATCH", '["PUT", "PATCH"]'),
        ("allow_headers", "X-A, X-B", '["X-A", "X-B"]'),
        ("expose_headers", "*", '["*"]'),
    ],
)
def test_not_a_list(field: str, value: object, suggestion: str) -> None:
    assert rows({field: value}) == [("not-a-list", field, value, suggestion)]


def test_not_a_list_for_bytes() -> None:
    found = problems({"allow_methods": b"PUT"})
    assert [problem.code for problem in found] == ["not-a-list", "type-invalid"]
    assert [problem.suggestion for problem in found] == ['["PUT"]', "'PUT'"]


@pytest.mark.parametrize("value", [[], (), set(), iter(())])
def test_no_origins(value: object) -> None:
    suggestion = "list an origin, or remove the policy"
    assert rows({"allow_origins": value}) == [("no-origins", "allow_origins", value, suggestion)]


def test_no_origins_for_a_mapping_without_the_field() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping({"max_age": 5})
    assert [problem.code for problem in caught.value.problems] == ["no-origins"]


@pytest.mark.parametrize(
    ("origin", "suggestion"),
    [
        ("example.com", "https://example.com"),
        ("https://a.example/", A),
        ("https://a.example:443", A),
        ("HTTPS://A.example", A),
        ("https://résumé.example", "https://xn--rsum-bpad.example"),
        ("", "an origin such as https://app.example.com or https://*.example.com"),
    ],
)
def test_origin_invalid(origin: str, suggestion: str) -> None:
    found = rows({"allow_origins": [A, origin]})
    assert found == [("origin-invalid", "allow_origins", origin, suggestion)]


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        ("https://a.example/", "it has a path or a slash after its host"),
        ("https://*.a.example/app/*", "it has a path or a slash after its host"),
        ("https://bücher.example", "it is not ASCII: browsers send such a host in Punycode"),
        ("HTTPS://A.EXAMPLE", "it is not in lower case"),
        ("Https://*.a.example:*", "it is not in lower case"),
        ("https://A.example", "its host is not in lower case"),
        ("https://a.example ", "it contains white space, a comma, a semicolon or a quote"),
        ("a.example;b.example", "it contains white space, a comma, a semicolon or a quote"),
        ("a.example", "it has no scheme"),
        ("a.example/app", "it has no scheme"),
        ("a b://example", "it contains white space, a comma, a semicolon or a quote"),
        ("1://a.example", "it is not scheme://host or scheme://host:port"),
        ("https://a.example:443", "browsers omit port 443, the default of https"),
    ],
)
def test_origin_invalid_names_the_reason(origin: str, why: str) -> None:
    (problem,) = problems({"allow_origins": [origin]})
    assert problem.message == f"{origin!r} is not a valid origin: {why}"


@pytest.mark.parametrize(
    ("field", "entries", "suggestion"),
    [
        ("allow_origins", ("*", A), '["*"] or ["https://a.example"]'),
        ("allow_origins", (A, "*", "null"), '["*"] or ["https://a.example", "null"]'),
        ("allow_methods", ("PUT", "*"), '["*"] or ["PUT"]'),
        ("allow_headers", ("*", "X-A"), '["*"] or ["X-A"]'),
        (
            "allow_headers",
            ("*", "authorization", "X-A"),
            '["*", "authorization"] or ["authorization", "X-A"]',
        ),
        ("expose_headers", ("*", "X-A"), '["*"] or ["X-A"]'),
        ("expose_headers", ("*", "Authorization"), '["*"] or ["Authorization"]'),
        (
            "allow_headers",
            ("*", *(f"X-{number}" for number in range(100))),
            '["*"] or ["X-0", "X-1", "X-2", "X-3", "X-4", "X-5", "X-6", "X-7"]',
        ),
    ],
)
def test_wildcard_not_alone(field: str, entries: tuple[str, ...], suggestion: str) -> None:
    found = rows({field: entries, "dangerously_allow_null_origin": True})
    assert found == [("wildcard-not-alone", field, entries, suggestion)]


def test_wildcard_not_alone_beside_a_regex_and_a_callable() -> None:
    for entry in (PATTERN, allow):
        (problem,) = problems({"allow_origins": ["*", entry]})
        assert problem.code == "wildcard-not-alone"
        assert problem.suggestion == f'["*"] or [{entry!r}]'


@pytest.mark.parametrize(
    ("method", "suggestion"),
    [
        ("GET POST", '"GET", "POST"'),
        ("put, patch", '"PUT", "PATCH"'),
        (" PUT", '"PUT"'),
        ("trace, put", '"PUT"'),
        ("*,GET", '"GET"'),
        ("*,", '"*"'),
        ("TRACE CONNECT", "remove it"),
        ("PUT\r\nX-A: 1", '"PUT", "1"'),
        ("PÜT", "remove it"),
        ("", "remove it"),
        ("\0", "remove it"),
        ("\ud800", "remove it"),
    ],
)
def test_method_invalid(method: str, suggestion: str) -> None:
    found = rows({"allow_methods": ["PUT", method]})
    assert found == [("method-invalid", "allow_methods", method, suggestion)]


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "trace", "Connect"])
def test_method_forbidden(method: str) -> None:
    found = rows({"allow_methods": [method]})
    assert found == [("method-forbidden", "allow_methods", method, f"remove {method}")]


@pytest.mark.parametrize("method", ["patch", "Patch", "get", "delete", "Query", "propfind"])
def test_method_case(method: str) -> None:
    (problem,) = problems({"allow_methods": [method]})
    assert problem[:3] == ("method-case", "allow_methods", method)
    assert problem.suggestion == method.upper()
    assert "browsers do not upper-case" in problem.message


def test_custom_method_in_lower_case_is_accepted() -> None:
    assert Policy(allow_origins=[A], allow_methods=["purge", "Chicken"]).allow_methods == (
        "purge",
        "Chicken",
    )


def test_header_suggestion_is_never_a_forbidden_header() -> None:
    assert rows({"allow_headers": ["Cookie, X-A"]})[0][3] == '"X-A"'
    assert rows({"expose_headers": ["Set-Cookie, X-A"]})[0][3] == '"X-A"'
    assert rows({"allow_headers": ["Access-Control-Allow-Origin:"]})[0][3] == "remove it"
    assert rows({"expose_headers": ["Access-Control-Request-Method, X-A"]})[0][3] == '"X-A"'


@pytest.mark.parametrize("field", ["allow_headers", "expose_headers"])
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("x foo", '"x-foo"'),
        ("X-A, X-B", '"X-A", "X-B"'),
        ("X-A:", '"X-A"'),
        ("X-A: 1", "remove it"),
        ("X-Ä", "remove it"),
        ("X-A\r\nX-B", "remove it"),
        ("\ud800", "remove it"),
        ("", "remove it"),
    ],
)
def test_header_invalid(field: str, name: str, suggestion: str) -> None:
    assert rows({field: [name]}) == [("header-invalid", field, name, suggestion)]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("expose_headers", "Set-Cookie"),
        ("expose_headers", "set-cookie2"),
    ],
)
def test_header_forbidden(field: str, name: str) -> None:
    assert rows({field: [name]}) == [("header-forbidden", field, name, f"remove {name}")]


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "HOST",
        "Origin",
        "DNT",
        "Sec-Fetch-Site",
        "proxy-authorization",
        "Access-Control-Request-Method",
    ],
)
def test_header_forbidden_for_a_request_header_warns(name: str) -> None:
    with pytest.warns(PolicyWarning) as caught:
        policy = Policy(allow_origins=[A], allow_headers=["X-A", name])
    assert policy.allow_headers == ("X-A", name)
    (warning,) = policy.warnings
    assert [str(each.message) for each in caught] == [str(warning)]
    assert warning.problem[:3] == ("header-forbidden", "allow_headers", name)
    assert warning.problem.suggestion == f"remove {name}"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("allow_headers", "Access-Control-Allow-Origin"),
        ("allow_headers", "access-control-allow-credentials"),
        ("allow_headers", "Access-Control-Allow-Methods"),
        ("allow_headers", "Access-Control-Allow-Headers"),
        ("allow_headers", "Access-Control-Max-Age"),
        ("allow_headers", "Access-Control-Expose-Headers"),
        ("expose_headers", "Access-Control-Request-Method"),
        ("expose_headers", "access-control-request-headers"),
        ("expose_headers", "Access-Control-Allow-Origin"),
        ("expose_headers", "ACCESS-CONTROL-EXPOSE-HEADERS"),
        ("expose_headers", "Access-Control-Something-New"),
        ("expose_headers", "Origin"),
        ("expose_headers", "origin"),
    ],
)
def test_header_prohibited(field: str, name: str) -> None:
    assert rows({field: [name]}) == [("header-prohibited", field, name, f"remove {name}")]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("allow_headers", "User-Agent"),
        ("allow_headers", "Content-Type"),
        ("allow_headers", "Range"),
        ("allow_headers", "X-HTTP-Method-Override"),
        ("allow_headers", "Second"),
        ("expose_headers", "Content-Length"),
        ("expose_headers", "Cookie"),
    ],
)
def test_header_that_pages_send_or_read_is_accepted(field: str, name: str) -> None:
    policy = Policy.from_mapping({"allow_origins": [A], field: [name]})
    assert getattr(policy, field) == (name,)


@pytest.mark.parametrize(
    ("value", "suggestion"),
    [
        (-1, "0"),
        (86401, "86400"),
        (864000, "86400"),
        (10**100, "86400"),
        (timedelta(days=2), "86400"),
        (timedelta(seconds=-1), "0"),
        (timedelta.max, "86400"),
        (timedelta.min, "0"),
    ],
)
def test_max_age_out_of_range(value: object, suggestion: str) -> None:
    (problem,) = problems({"max_age": value})
    assert problem[:3] == ("max-age-out-of-range", "max_age", value)
    assert problem.suggestion == suggestion
    assert "Chromium to 7200, Firefox to 86400, WebKit to 600" in problem.message


MANY: dict[str, Any] = {
    "allow_origins": ["*", "null", "a.example", "http://a.example", "https://*.co.uk", BYTES],
    "allow_credentials": True,
    "allow_methods": ["GET POST", "TRACE", "patch"],
    "allow_headers": ["x foo", "Cookie", "Access-Control-Max-Age"],
    "expose_headers": "*",
    "max_age": -1,
    "predicate_timeout": "1",
    "allow_origin": ["*"],
}
MANY_CODES = [
    "unknown-field",
    "origin-invalid",
    "type-invalid",
    "wildcard-not-alone",
    "method-invalid",
    "method-forbidden",
    "method-case",
    "header-invalid",
    "header-prohibited",
    "not-a-list",
    "max-age-out-of-range",
    "type-invalid",
    "origin-null",
    "wildcard-with-credentials",
    "expose-wildcard-with-credentials",
    "origin-insecure",
    "origin-public-suffix",
]


def test_policy_error_has_every_problem() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping(MANY)
    assert [problem.code for problem in caught.value.problems] == MANY_CODES
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{len(MANY_CODES)} problems:"
    for code, line in zip(MANY_CODES, lines[1:], strict=True):
        assert line.startswith("  * ")
        assert line.endswith(f" [{code}]")


def test_as_dict_is_json() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping(MANY)
    read = json.loads(json.dumps(caught.value.as_dict()))
    assert [problem["code"] for problem in read["problems"]] == MANY_CODES
    values = {problem["code"]: problem["value"] for problem in read["problems"]}
    assert values["origin-invalid"] == "a.example"
    assert values["max-age-out-of-range"] == -1
    assert values["unknown-field"] == "['*']"


def test_policy_error_of_one_problem_is_one_line() -> None:
    with pytest.raises(ValueError, match="allow_origins") as caught:
        Policy(allow_origins=["a.example"])
    assert str(caught.value) == (
        "allow_origins: 'a.example' is not a valid origin: it has no scheme. Use https://a.example "
        "[origin-invalid]"
    )


@pytest.mark.parametrize("kind", [PolicyError, PolicyWarning])
def test_error_and_warning_can_be_pickled(
    kind: type[PolicyError | PolicyWarning],
) -> None:
    problem = Problem("max-age-out-of-range", "max_age", -1, "it is negative", "0")
    sent = PolicyError([problem]) if kind is PolicyError else PolicyWarning(problem)
    assert str(pickle.loads(pickle.dumps(sent))) == str(sent) == str(problem)
