"""Suggested values are accepted, and cover no more than was meant."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, Problem

A = "https://app.example.com"
EXAMPLE = "an origin such as https://app.example.com or https://*.example.com"
SUFFIXES = "dangerously_allow_public_suffixes"
INSECURE = "dangerously_allow_insecure_origins"
NULL = "dangerously_allow_null_origin"
FLAGS = ("allow_credentials", SUFFIXES, INSECURE, NULL)


def problems(**fields: Any) -> tuple[Problem, ...]:
    """Return the problems of a policy, or none where it is accepted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Policy(**{"allow_origins": [A], **fields})
        except PolicyError as error:
            return error.problems
    return ()


def suggested(entry: object, **fields: Any) -> str:
    (problem,) = problems(allow_origins=[entry], **fields)
    return problem.suggestion


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("*-preview.example.com", "https://*-preview.example.com"),
        ("pr-*.example.com:8443", "https://pr-*.example.com:8443"),
        ("https://.*-preview.example.com", "https://*-preview.example.com"),
        # a part of a name that is given away: below it there is somebody else's
        ("*app.vercel.app", "https://*app.vercel.app"),
        (r"https://.*app\.vercel\.app", "https://*app.vercel.app"),
        ("*app-10-0-0-1.nip.io", "https://*app-10-0-0-1.nip.io"),
    ],
)
def test_part_of_a_label_suggests_a_pattern(text: str, pattern: str) -> None:
    assert suggested(text) == pattern


def test_reserved_label_is_suggested_with_credentials() -> None:
    text = r"https://.*--shop\.netlify\.app"
    assert suggested(text, allow_credentials=True) == "https://*--shop.netlify.app"


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        # a `*` in the place of a part of a label
        ("https://app.*.example.com", r"https://app\.[a-z0-9-]+\.example\.com"),
        # a `*` for each label, where a pattern would cover one label as well
        ("https://*.*.example.com", r"https://[a-z0-9-]+\.[a-z0-9-]+\.example\.com"),
        ("*.*.example.com:8443", r"https://[a-z0-9-]+\.[a-z0-9-]+\.example\.com:8443"),
        ("https://*.*.vercel.app", r"https://[a-z0-9-]+\.[a-z0-9-]+\.vercel\.app"),
        (r"\.vercel\.app$", r"https://[a-z0-9-]+\.vercel\.app"),
        ("http://localhost:30*", r"http://localhost:30[0-9]+"),
        ("http://192.168.*.*:3000", r"http://192\.168\.[0-9]+\.[0-9]+:3000"),
        # a regular expression that starts as it is
        (r"https://pr-\d+\.example\.com", r"https://pr-\d+\.example\.com"),
        (r"^https://pr-\d+\.example\.com$", r"^https://pr-\d+\.example\.com$"),
        (r"https://(a|b)\.example\.com", r"https://(a|b)\.example\.com"),
        (r"https://[a-z0-9-]+\.example\.com", r"https://[a-z0-9-]+\.example\.com"),
        (r"https://[a-z]+\.example\.com/", r"https://[a-z]+\.example\.com"),
        (r"https://[a-z]+\.example\.com/.*", r"https://[a-z]+\.example\.com"),
        (r"https:\/\/pr-\d+\.example\.com", r"https:\/\/pr-\d+\.example\.com"),
        (r"http://localhost:\d{4}", r"http://localhost:\d{4}"),
        (r"https://[a-z]-x\.example\.com", r"https://[a-z]-x\.example\.com"),
        # one that a pattern would widen by more labels, or other schemes
        (r"https://[^.]+\.example\.com", r"https://[^.]+\.example\.com"),
        (r"^https?://[^.]+\.example\.com$", r"^https?://[^.]+\.example\.com$"),
        (r"https://\w+\.example\.com", r"https://\w+\.example\.com"),
        # one that starts without a scheme, or whose dots were meant to be dots
        (r"^[a-z]+\.example\.com$", r"https://[a-z]+\.example\.com"),
        (r"https://(.*\.)?example\.com", r"https://([a-z0-9-]+\.)?example\.com"),
        (r"https://.{3}\.example\.com", r"https://[a-z0-9-]{3}\.example\.com"),
        ("https://a.example|https://b.example", r"https://a\.example|https://b\.example"),
        # one that is matched, though not by each text that an automaton accepts
        (r"https://(^|x\.)a\.example\.com", r"https://(^|x\.)a\.example\.com"),
        (
            r"https://(?!admin)[a-z]+\.example\.com",
            r"https://(?!admin)[a-z]+\.example\.com",
        ),
        (
            r"^https://a\.example\.com$|^https://b\.example\.com$",
            r"^https://a\.example\.com$|^https://b\.example\.com$",
        ),
        ("https://exa?mple.com", r"https://exa?mple\.com"),
    ],
)
def test_origin_that_is_a_regex_suggests_re_compile(text: str, expression: str) -> None:
    assert suggested(text) == f're.compile(r"{expression}")'
    assert problems(allow_origins=[re.compile(expression)]) == ()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (r"https://.*\.example\.com", "https://*.example.com"),
        (r"https://[^/]+\.example\.com", "https://*.example.com"),
        (r".*\.example\.com$", "https://*.example.com"),
        # one that is to be found at the end of a host
        (r"\.example\.com$", "https://*.example.com"),
        (r"^\.example\.com", "https://*.example.com"),
        (r"(^|\.)example\.com$", "https://*.example.com"),
        (r"(?:\.|^)example\.com$", "https://*.example.com"),
        (r"(^|.*\.)example\.com$", "https://*.example.com"),
        (r"^https?://(^|\.)example\.com$", "https://*.example.com"),
        (r"https:\/\/\.example\.com(:\d+)?$", "https://*.example.com:*"),
        ("https://*.example.com$", "https://*.example.com"),
        ("^https://app.example.com$", A),
        ("https://*example.com", "https://*.example.com"),
        ("*://*.example.com", "https://*.example.com"),
        ("http*://app.example.com", A),
        ("http://localhost:*([0-9]+)?", "http://localhost:*"),
        ("0.0.0.0:8000", "http://localhost:8000"),
        ("http://0.0.0.0:8000/", "http://0.0.0.0:8000"),
    ],
)
def test_origin_that_is_a_simple_regex_suggests_a_pattern(text: str, pattern: str) -> None:
    assert suggested(text) == pattern


@pytest.mark.parametrize(
    "text",
    [
        ".*",
        "https?://.*",
        "https://*.*",
        "https://a.example.*",
        r"https://(?!evil).*\.example\.com",
        r"https://(?<!x).+\.example\.com",
        "https://[a-z-x.example.com",
        r"(?i)[a-z]+\.example\.com",
        r"https://([a-z]+)*\.example\.com",
        "https://" + "[a-z]" * 300 + r"\.example\.com",
        "file:///home/x.html",
        ".com",
        "https://.co.uk",
        "a.example .com",
        "Null",
        r"\.com$",
        r"(^|\.)co\.uk$",
        "https://*.*.com",
        "https://**.*.example.com",
        "https://??.example.com",
        "https://pr-??.example.com",
        "??.example.com",
        "true",
        "'Default'",
        # what no origin is matched by
        r"https://^app\.example\.com",
        r"https://app$\.example\.com",
        r"https://app\.example\.com$:8443",
        r"https://(?=z)a\.example\.com",
        r"https://(?:(?:a?){20}){20}(?:(?:b?){20}){20}\.example\.com",
    ],
    ids=lambda text: text[:40],
)
def test_origin_without_a_valid_fix_suggests_an_instruction(text: str) -> None:
    assert suggested(text) == EXAMPLE


@pytest.mark.parametrize("word", ["all", "any", "ALL", " everyone ", '"anywhere"'])
def test_origin_word_for_any_origin_suggests_the_wildcard(word: str) -> None:
    assert suggested(word) == ("`*` alone, if any site may read the responses")
    assert suggested(word, allow_credentials=True) == EXAMPLE
    assert problems(allow_origins=word)[0].suggestion == '["https://app.example.com"]'


@pytest.mark.parametrize("word", ["self", "'self'", "same-origin"])
def test_origin_word_for_the_service_itself_suggests_removal(word: str) -> None:
    assert suggested(word) == "remove it: same-origin requests are always allowed"
    assert guard_problems(own_origins=[word]) == ["an origin such as https://api.example.com"]


def test_origin_name_of_one_label_is_a_host() -> None:
    assert suggested("intranet") == "https://intranet"
    assert suggested("nothing") == suggested("none")


def test_regex_with_a_quote_is_suggested_as_python() -> None:
    assert suggested(r"https://[a-z\"]\.example\.com") == (
        r"""re.compile('https://[a-z\\"]\\.example\\.com')"""
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("*.vercel.app", "https://*.vercel.app"),
        (r"https://.*\.vercel\.app", "https://*.vercel.app"),
        ("*shop.netlify.app", "https://*shop.netlify.app"),
        (r"\.vercel\.app$", r're.compile(r"https://[a-z0-9-]+\.vercel\.app")'),
    ],
)
def test_origin_under_a_public_suffix_suggests_the_flag(text: str, meant: str) -> None:
    suggestion = suggested(text, allow_credentials=True)
    assert suggestion.startswith(f"list each origin; or {SUFFIXES}, ")
    assert suggestion.endswith(f" and {meant}")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://0.0.0.0:8000/", "http://localhost:8000"),
        ("http://a.example/", "https://a.example"),
        ("http://a.example:443/", "https://a.example"),
        (r"http://192\.168\.\d+\.\d+", EXAMPLE),
    ],
)
def test_origin_suggestion_is_accepted_with_credentials(text: str, meant: str) -> None:
    assert suggested(text, allow_credentials=True) == meant


def test_opaque_origin_is_suggested_with_its_flag_only() -> None:
    assert suggested("NULL", **{NULL: True}) == "null"
    assert suggested("file:///x", **{NULL: True}) == "file://"


@pytest.mark.parametrize(
    ("origin", "meant"),
    [
        ("http://0.0.0.0:8000", "http://localhost:8000"),
        ("http://[::]:8000", "http://localhost:8000"),
        ("http://0.0.0.0:*", "http://localhost:*"),
        ("http://*.github.io", "https://*.your-name.github.io"),
        ("http://a.example", "https://a.example"),
    ],
)
def test_origin_insecure_suggestion_is_accepted(origin: str, meant: str) -> None:
    for problem in problems(allow_origins=[origin], allow_credentials=True):
        assert problem.suggestion.partition(", or dangerously_")[0] == meant
    assert problems(allow_origins=[meant], allow_credentials=True) == ()


@pytest.mark.parametrize("suffix", ["github.io", "co.uk", "ck", "elb.amazonaws.com", "github.io."])
def test_origin_public_suffix_suggestion_is_accepted(suffix: str) -> None:
    (problem,) = problems(allow_origins=[f"https://*.{suffix}"], allow_credentials=True)
    assert problem.code == "origin-public-suffix"
    meant = problem.suggestion.partition(", or ")[0]
    assert problems(allow_origins=[meant], allow_credentials=True) == ()


@pytest.mark.parametrize(
    ("field", "value", "suggestions"),
    [
        (
            "allow_headers",
            ["*", "Authorization", "Content-Type"],
            ['["*", "Authorization"] or ["Authorization", "Content-Type"]'],
        ),
        (
            "allow_headers",
            ["*", " Authorization", "AUTHORIZATION"],
            [
                '"Authorization"',
                '["*", "Authorization"] or ["Authorization", "AUTHORIZATION"]',
            ],
        ),
        (
            "allow_headers",
            ["*", "Authorization, X-A"],
            ['"Authorization", "X-A"', '["*", "Authorization"] or ["Authorization", "X-A"]'],
        ),
        ("allow_headers", ["*", None], ["remove it"]),
        ("allow_headers", ["*", 1, None], ["'1'", "remove it"]),
        ("expose_headers", [None, b"X-A"], ["remove it", "'X-A'"]),
        ("allow_methods", [("GET", "PUT"), ("GET", None)], ["'GET', 'PUT'", "remove it"]),
        ("allow_headers", ["*", "x foo"], ['"x-foo"', '["*"] or ["x-foo"]']),
        ("allow_methods", ["*", "patch"], ["PATCH", '["*"] or ["PATCH"]']),
        ("allow_methods", ["*", "TRACE"], ["remove TRACE", '["*"]']),
        ("allow_methods", ["*", "GET POST"], ['"GET", "POST"', '["*"] or ["GET", "POST"]']),
        ("expose_headers", ["*", "Set-Cookie"], ["remove Set-Cookie", '["*"]']),
        ("expose_headers", "X-A, X B", ['["X-A", "X-B"]', '"X-B"']),
        ("allow_methods", "put, TRACE", ['["PUT"]', "PUT", "remove TRACE"]),
        ("allow_methods", "TRACE", ["a list", "remove TRACE"]),
        ("allow_methods", [b"TRACE"], ["remove it"]),
        ("max_age", "864000", ["86400"]),
        ("max_age", "00600", ["600"]),
        ("max_age", 90_000.5, ["86400"]),
        (
            "allow_origins",
            "a.example, b.example/",
            [
                '["https://a.example", "https://b.example"]',
                "https://a.example",
                "https://b.example",
            ],
        ),
        ("allow_origins", "*, *.example.com", ['["https://app.example.com"]']),
        (
            "allow_origins",
            r"https://[a-z]+\.example\.com",
            [
                r"""[re.compile('https://[a-z]+\\.example\\.com')]""",
                r're.compile(r"https://[a-z]+\.example\.com")',
            ],
        ),
        ("allow_origins", [b"http://0.0.0.0/x"], ["'http://0.0.0.0'"]),
    ],
)
def test_not_a_list_suggestion_is_accepted(
    field: str, value: object, suggestions: list[str]
) -> None:
    found = [problem.suggestion for problem in problems(**{field: value})]
    assert found[: len(suggestions)] == suggestions


def test_expose_list_suggestion_is_accepted_with_credentials() -> None:
    found = problems(expose_headers=["Set-Cookie", "*"], allow_credentials=True)
    assert [problem.suggestion for problem in found] == [
        "remove Set-Cookie",
        "remove `*`, and list what pages need",
        "list the headers",
    ]
    found = problems(expose_headers=["X-A", "*"], allow_credentials=True)
    assert found[0].suggestion == '["X-A"]'
    found = problems(expose_headers=["*, "], allow_credentials=True)
    assert found[0].suggestion == "remove it"


def test_origin_list_suggestion_is_accepted_with_credentials() -> None:
    fields = {"allow_origins": ["*", "http://b.example", "null", A], "allow_credentials": True}
    assert problems(**fields)[0].suggestion == f'["https://b.example", "{A}"]'


def test_suggestion_beside_a_mistyped_flag_is_accepted() -> None:
    found = problems(allow_origins=["http://a.example/"], allow_credentials="true")
    assert [problem.suggestion for problem in found] == ["https://a.example", "True"]


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self, origin: str) -> bool:
        return True


def test_not_a_list_for_an_unhashable_callable_suggests_a_list() -> None:
    allow = Unhashable()
    assert problems(allow_origins=allow)[0].suggestion == f"[{allow!r}]"
    assert problems(allow_origins=["*", allow])[0].suggestion == f'["*"] or [{allow!r}]'


def test_suggestion_beside_a_misnamed_flag_is_accepted() -> None:
    codes = [problem.code for problem in problems(allow_origins=["*"], allow_credentials="yes")]
    assert codes == ["type-invalid", "wildcard-with-credentials"]
    codes = [problem.code for problem in problems(allow_origins=["null"], **{NULL: "true"})]
    assert codes == ["type-invalid"]


def guard_problems(**options: Any) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        Guard(Policy(allow_origins=[A]), **options)
    return [problem.suggestion for problem in caught.value.problems]


def test_guard_option_suggestion_is_accepted() -> None:
    assert guard_problems(own_origins="a.example") == ['["https://a.example"]', "https://a.example"]
    assert guard_problems(own_origins="*")[0] == "a list"
    assert guard_problems(own_origins=[r"https://[a-z]\.a\.example"]) == [
        "an origin such as https://api.example.com"
    ]
    assert guard_problems(own_origins=["file://"]) == ["an origin such as https://api.example.com"]
    assert guard_problems(enforce_exempt="/a/*, b") == ['["/a", "/b"]', "/a", "/b"]
    assert guard_problems(enforce_exempt=[b"/a/*"]) == ["'/a'"]
    Guard(Policy(allow_origins=[A]), own_origins=["https://api.example.com."])


def test_route_invalid_for_a_listed_prefix_suggests_removal() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard({"/api": None, "/api/*": None, "/x/*": None, "x/": None})
    assert [problem.suggestion for problem in caught.value.problems] == [
        "remove it: /api is listed already",
        "/x",
        "remove it: /x is listed already",
    ]


def test_suggestion_under_enforce_is_accepted() -> None:
    with pytest.raises(PolicyError) as caught:
        Guard.from_mapping({"allow_origins": ["http://a.example/", "*"], "enforce": True})
    assert caught.value.problems[0].suggestion == "https://a.example"
    assert caught.value.problems[1].suggestion == '["https://a.example"]'


def test_regex_suggestion_in_a_file_or_variable_names_python(tmp_path: Path) -> None:
    text = "https://app.*.example.com"
    file = tmp_path / "corsguard.toml"
    file.write_text(f'allow_origins = ["{text}"]\nallow_credentials = 1\n', encoding="utf-8")
    expression = r're.compile(r"https://app\.[a-z0-9-]+\.example\.com")'
    suffix = "can't hold a regular expression"
    with pytest.raises(PolicyError) as caught:
        Guard.from_file(file)
    assert [problem.suggestion for problem in caught.value.problems] == [
        f"in Python, {expression}: a TOML file {suffix}",
        "true",
    ]
    with pytest.raises(PolicyError) as caught:
        Guard.from_env({"CORSGUARD_ALLOW_ORIGINS": text})
    (problem,) = caught.value.problems
    assert problem.suggestion == f"in Python, {expression}: the environment {suffix}"
