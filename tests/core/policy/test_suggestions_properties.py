"""Properties of all suggested values: they are accepted, and cover no more than was meant."""

from __future__ import annotations

import json
import re
import warnings
from ast import literal_eval
from fnmatch import fnmatchcase
from typing import Any

import pytest
from core.policy.test_suggestions import FLAGS, problems
from hypothesis import given, settings
from hypothesis import strategies as st

from corsguard import Engine, OriginPattern, Policy
from corsguard.origin import OriginError

# What a value of a suggestion looks like; anything else is words.


def values(suggestion: str) -> list[list[object]]:
    """Return the lists of entries in a suggestion, or none for an instruction."""
    suggestion = suggestion.partition(", or dangerously_")[0]
    if match := re.fullmatch(r're\.compile\(r"(.*)"\)', suggestion):
        return [[re.compile(match[1])]]
    if suggestion.startswith("["):
        return [
            json.loads(each) for each in re.split(r" or (?=\[)", suggestion) if "re." not in each
        ]
    if suggestion.startswith(('"', "'")):
        return [list(literal_eval(f"[{suggestion}]"))]
    try:
        OriginPattern.parse(suggestion)
    except OriginError:
        return []
    return [[suggestion]]


def could_mean(text: str, origin: str) -> bool:
    """Return True if text covers origin, read as a glob or as a regular expression."""
    text = text.lower()  # as browsers write schemes and hosts
    with_scheme = re.sub(r"^(?:\*:)?//", "https://", text)
    texts = (text, with_scheme, f"https://{text}")
    patterns = [*texts, *(each.replace("*", ".*") for each in texts)]
    try:
        found = any(re.fullmatch(pattern, origin) for pattern in patterns)
    except re.error:
        found = False
    return found or any(fnmatchcase(origin, each) for each in (*texts[:2], f"*//{text}"))


OTHERS = (
    "https://evil.com",
    "https://evilexample.com",
    "https://evil-example.com",
    "https://example.com.evil.com",
    "https://evil.vercel.app",
    "https://evil.app.evil.com",
    "https://x.github.io",
    "http://localhost.evil.com",
    "https://evil.co",
    "http://192.168.0.7.evil.com",
    "null",
    "file://",
)
SCHEMES = [
    "",
    "",
    "https://",
    "https://",
    "http://",
    "HTTPS://",
    "*://",
    "//",
    "^https://",
    "https?://",
    "https:\\/\\/",
    "app://",
    "file://",
]
LABELS = [
    "app",
    "www",
    "*",
    "**",
    "pr-*",
    "*-preview",
    "*app",
    ".*",
    "[a-z]+",
    "[^.]+",
    "\\w+",
    "(a|b)",
    "pr-\\d+",
    "\\S+",
    "",
    "é",
    "xn--f",
    "A",
    ".+--shop",
    "(.*\\.)?",
    "a?",
]
DOTS = [".", ".", "\\.", ""]
DOMAINS = [
    "example.com",
    "example\\.com",
    "EXAMPLE.com",
    "vercel.app",
    "vercel\\.app",
    "github.io",
    "co.uk",
    "com",
    "*",
    "example.*",
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "192.168.0.7",
    "192.168.*.*",
    "[::1]",
    "example.com.",
    "null",
    "none",
    ".",
]
TAILS = [
    "",
    "",
    "",
    ":443",
    ":80",
    ":8000",
    ":*",
    ":\\d+",
    "(:\\d+)?",
    ":*([0-9]+)?",
    "/",
    "/*",
    "/x",
    "$",
    "/.*$",
    ":30*",
    " ",
    ",",
    "?",
    "#",
    ";",
]
ENTRIES = st.builds(
    lambda scheme, labels, domain, tail: f"{scheme}{''.join(labels)}{domain}{tail}",
    st.sampled_from(SCHEMES),
    st.lists(st.builds(str.__add__, st.sampled_from(LABELS), st.sampled_from(DOTS)), max_size=2),
    st.sampled_from(DOMAINS),
    st.sampled_from(TAILS),
)


@settings(derandomize=True, max_examples=600, deadline=None)
@given(
    st.lists(ENTRIES, min_size=1, max_size=2),
    st.fixed_dictionaries({flag: st.booleans() for flag in FLAGS}),
    st.booleans(),
)
@pytest.mark.slow
def test_origin_suggestions_are_accepted_and_cover_no_more(
    entries: list[str], flags: dict[str, bool], is_list: bool
) -> None:
    given_value: object = entries if is_list else ",".join(entries)
    for problem in problems(allow_origins=given_value, **flags):
        for value in values(problem.suggestion):
            assert problems(allow_origins=value, **flags) == ()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                engine = Engine(Policy(allow_origins=value, **flags))  # type: ignore[arg-type]
            for origin in OTHERS:
                if engine.decide(origin, "GET", {}).allowed:
                    assert any(
                        could_mean(entry, origin)
                        for entry in [*entries, *",".join(entries).split(",")]
                    )


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.sampled_from(["allow_methods", "allow_headers", "expose_headers"]),
    st.lists(
        st.sampled_from(
            [
                "*",
                "*, ",
                "put",
                "PUT",
                "GET POST",
                "TRACE",
                "trace,put",
                "X-A",
                "x foo",
                "Origin",
                "X-A:",
                "Set-Cookie",
                "Authorization",
                "Access-Control-Allow-Origin",
                "Cookie",
                "é",
                "Access-Control-Request-Method, X-B",
                "",
                b"PUT",
                b"x y",
                5,
                None,
                ("a", "b c"),
            ]
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_name_suggestions_are_accepted(field: str, entries: list[Any], credentials: bool) -> None:
    given_value: object = entries
    if len(entries) == 1:
        given_value = entries[0]
    for problem in problems(**{field: given_value}, allow_credentials=credentials):
        for value in values(problem.suggestion):
            assert problems(**{field: value}, allow_credentials=credentials) == ()


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.one_of(st.integers(), st.floats(), st.text("0123456789. -e", max_size=12), st.none()))
def test_max_age_suggestions_are_accepted(value: object) -> None:
    for problem in problems(max_age=value):
        assert problems(max_age=int(problem.suggestion)) == ()
