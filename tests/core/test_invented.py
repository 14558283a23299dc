"""Regular expressions that cover what anyone can have, or take too long."""

from __future__ import annotations

import re
from typing import Any

import pytest

from corsguard import Policy, PolicyError, Problem

A = "https://a.example"
LISTED = Policy(allow_origins=[A])
EXAMPLE = "an origin such as https://app.example.com or https://*.example.com"


def problems(make: Any, *given: Any, **fields: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(*given, **fields)
    return caught.value.problems


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://example\.com[^/]*",
        r"https://example\.com(?:[\s\S])*",
        r"https://example\.com\.?\w*",
        r"https://[a-z0-9.-]*example\.com",
        r"https://[a-z]+example\.com",
        r"https://[a-z]+\.shop",
        r"https://app-[a-z0-9-]+\.vercel\.app",
        r"https://pr-\d+\.vercel\.app",
    ],
)
def test_regex_too_wide_where_a_name_can_be_taken(pattern: str) -> None:
    (problem,) = problems(Policy, allow_origins=[re.compile(pattern)])
    assert problem.code == "regex-too-wide"
    assert "dangerously_allow_public_suffixes" in problem.suggestion
    assert Policy(
        allow_origins=[re.compile(pattern)], dangerously_allow_public_suffixes=True
    ).allow_origins


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://[a-z]{2}\.com",
        r"https://[a-z]{3,8}\.io",
        r"https://(?:www\.)?[a-z0-9-]{4}\.(?:com|org)",
        r"https://[a-z]{8}\.vercel\.app",
        r"https://[a-z]{0,8}example\.com",
        r"https://[-a-z]{1,9}example\.com",
        r"https://app-\d{1,4}\.vercel\.app",
        r"(?i)https://[A-Z]?example\.com",
        r"https://example-[^/.]\.com",
        r"https://example\w\.com",
        r"https://app-[b-z]+\.vercel\.app",
        r"https://[b-y]+\.github\.io",
        r"https://[a-f]+example\.com",
        r"https://[evil]+example\.com",
        r"https://(?:e|v|i|l)+example\.com",
        r"https://(?:[b-d]-?)+example\.com",
        r"https://(?:x[0-9]){10,}example\.com",
        r"https://(?:x[0-9]y){9,12}example\.com",
        r"https://[^a-c./0-9]+example\.com",
        r"https://[^abc0-9./:]+example\.com",
        r"https://[^\W\d_a-c]+example\.com",
        r"https://[^a]+example\.com",
    ],
)
def test_regex_too_wide_for_names_of_few_letters(pattern: str) -> None:
    (problem,) = problems(Policy, allow_origins=[re.compile(pattern)])
    assert (problem.code, problem.field) == ("regex-too-wide", "allow_origins")


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://(?:[a-z]+\.)?example\.co\.uk(?::\d+)?",
        r"https://[a-z]{2}\.example\.com",
        r"https://[ab]example\.com",
        r"https://app-[0-9]{1,4}\.example\.com:[34]000",
        r"https://\S+\.example\.com",
        r"https://example\.com:\d+",
        r"http://192\.168\.\d+\.\d+:\d+",
        r"https?://localhost(?::\d+)?",
        r"https://[a-z]+\.example",
        r"https://[a-z]+app\.test",
    ],
)
def test_a_narrow_regex_still_starts(pattern: str) -> None:
    assert Policy(allow_origins=[re.compile(pattern)]).allow_origins


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://(?:[a-z]+){1,20}\.example\.com",
        r"https://(?:[a-z]{1,40}){1,20}\.example\.com",
        r"https://(?:[a-z]|[a-z][a-z])+\.example\.com",
        r"https://(?:a|aa)+\.example\.com",
        r"https://[a-z]*[a-z]*[a-z]*[a-z]*\.example\.com",
        r"https://([a-z]+)(?:[a-z]+)[a-z]+[a-z]*\.example\.com",
    ],
)
def test_regex_too_slow_in_other_spellings(pattern: str) -> None:
    (problem,) = problems(Policy, allow_origins=[re.compile(pattern)])
    assert problem.code == "regex-too-slow"


@pytest.mark.parametrize("pattern", [r"https://\w+\.io", r"https://.*\.github\.io"])
def test_regex_too_wide_does_not_suggest_what_is_as_wide(pattern: str) -> None:
    (problem,) = problems(Policy, allow_origins=[re.compile(pattern)])
    assert "https://*" not in problem.suggestion
