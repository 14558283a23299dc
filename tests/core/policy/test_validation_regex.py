"""Regular expressions that are accepted, too wide or too slow."""

from __future__ import annotations

import re

import pytest

from corsguard import Engine, Policy, PolicyError, PolicyWarning, Problem
from corsguard.policy.redos import may_match

NO_NAME = "end it with the labels of a domain that is yours"
NO_DOT = r"escape each dot (\.) and write [a-z0-9-]+ for a label"
ONE_REPEAT = (
    "use one repeat, such as [a-z0-9-]+, or repeats with a separator between them, "
    "such as [a-z0-9]+-[a-z0-9]+"
)
NAMES = "|".join(f"tenant{number}" for number in range(300))


def found(regex: re.Pattern[str]) -> Problem:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[regex])
    (problem,) = caught.value.problems
    assert (problem.field, problem.value) == ("allow_origins", regex)
    return problem


STARTS: list[tuple[str, int, str, str]] = [
    (r"https://pr-\d+\.example\.com", 0, "https://pr-7.example.com", "https://pr-.example.com"),
    (
        r"https://[a-z0-9-]+\.example\.com",
        0,
        "https://a-1.example.com",
        "https://a.b.example.com",
    ),
    (
        r"https://(?:a|b)\.example\.com(?::\d+)?",
        0,
        "https://b.example.com:8443",
        "https://c.example.com",
    ),
    (r"^https://[a-z]+\.example\.com$", 0, "https://a.example.com", "https://a.example.com.evil"),
    (r"\Ahttps://[a-z]+\.example\.com\Z", 0, "https://a.example.com", "https://example.com"),
    (r"https://[a-z.]+\.example\.com", 0, "https://a.b.example.com", "https://evilexample.com"),
    (r"https://[^.]+\.example\.com", 0, "https://a.example.com", "https://a.b.example.com"),
    (r"https://example[.]com", 0, "https://example.com", "https://examplexcom"),
    (r"https://EXAMPLE\.com", re.IGNORECASE, "https://example.com", "https://example.org"),
    (r"(?i)https://EXAMPLE\.com", 0, "https://example.com", "https://example.org"),
    (
        r"""
        https://            # a comment. With dots... and (a+)+
        [a-z]+ [ ]? \.example\.com
        """,
        re.VERBOSE,
        "https://a.example.com",
        "https://a b.example.com",
    ),
    (
        r"(?P<scheme>https)://(?P<name>[a-z]+)\.example\.com",
        0,
        "https://a.example.com",
        "http://a.example.com",
    ),
    (
        r"https://(?!admin)[a-z]+\.example\.com",
        0,
        "https://a.example.com",
        "https://admin.example.com",
    ),
    (r"https://(?=a)[a-z]+\.example\.com", 0, "https://ab.example.com", "https://b.example.com"),
    (r"https://[a-z]++\.example\.com", 0, "https://a.example.com", "https://1.example.com"),
    (r"https://(?>[a-z]+)\.example\.com", 0, "https://a.example.com", "https://1.example.com"),
    (r"https://(?:[a-z]{1,3}-){1,3}a\.example\.com", 0, "https://b-a.example.com", "https://a"),
    (r"https://[a-z]+-[a-z]+\.example\.com", 0, "https://a-b.example.com", "https://a.example.com"),
    (r"https://10\.\d+\.\d+\.\d+", 0, "https://10.0.0.1", "https://11.0.0.1"),
    # Repeats in repeats, beside repeats and of a bounded length, of which a text has one reading
    (r"https://[a-z]+(?:-[a-z]+)*\.example\.com", 0, "https://a-b-c.example.com", "https://a-"),
    (r"https://(?:[a-z0-9-]+\.)+example\.com", 0, "https://a.b.example.com", "https://a.b"),
    (r"https://(?:[a-z]{2,}-)+a\.example\.com", 0, "https://bb-cc-a.example.com", "https://a"),
    (r"https://(?:(?>[a-z]+)-)+a\.example\.com", 0, "https://b-c-a.example.com", "https://a"),
    (r"https://(?:[a-z]++-)+a\.example\.com", 0, "https://b-c-a.example.com", "https://a"),
    (
        r"https://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+example\.com",
        0,
        "https://a-b.c.example.com",
        "https://a-.example.com",
    ),
    (
        r"https://[a-z0-9-]+-(?:dev|prod)--site\.example\.com",
        0,
        "https://a-dev-prod--site.example.com",
        "https://a-test--site.example.com",
    ),
    (r"https://(?!-)(?:(?i:APP)|x)\.example\.com", 0, "https://app.example.com", "https://X.com"),
    (r"https://(?:a|(?!))\b\.example\.com", 0, "https://a.example.com", "https://.example.com"),
    (rf"https://(?:{NAMES})\.example\.com", 0, "https://tenant199.example.com", "https://tenant"),
]


@pytest.mark.parametrize(("pattern", "flags", "covered", "other"), STARTS)
def test_narrow_regex_is_accepted_and_matches(
    pattern: str, flags: int, covered: str, other: str
) -> None:
    engine = Engine(Policy(allow_origins=[re.compile(pattern, flags)], allow_credentials=True))
    assert engine.decide(covered, "GET", {}).allowed
    assert not engine.decide(other, "GET", {}).allowed


@pytest.mark.parametrize(
    ("pattern", "flags", "suggestion"),
    [
        (".*", 0, NO_DOT),
        (r"https://.", 0, NO_DOT),
        (r"https://example.com", 0, "https://example.com"),
        (r"https://.*\.example\.com", 0, "https://*.example.com"),
        (r"^https://.+\.example\.com$", 0, "https://*.example.com"),
        (r"^https?:\/\/.*\.example\.com(:\d+)?$", 0, "https://*.example.com:*"),
        (r"http://localhost:.+", 0, NO_DOT),
        (r"https://(?:a|b.)\.example\.com", 0, NO_DOT),
        (r"https://(?=.)[a-z]+\.example\.com", 0, NO_DOT),
        (r"https://a(?:\.b.c)?\.example\.com", 0, NO_DOT),
        (r"https://[a-z]{3}.{2}\.example\.com", 0, NO_DOT),
        (r"https://(?>.+)\.example\.com", 0, NO_DOT),
        (r"(?s)https://.\.example\.com", 0, NO_DOT),
        ("https:// a . com  # comment", re.VERBOSE, NO_DOT),
    ],
)
def test_regex_too_wide_with_an_unescaped_dot(pattern: str, flags: int, suggestion: str) -> None:
    problem = found(re.compile(pattern, flags))
    assert (problem.code, problem.suggestion) == ("regex-too-wide", suggestion)
    assert "an unescaped `.`, which matches any character" in problem.message


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        (r"[\s\S]*", "https://corsguard.com"),
        (r"https?://\S+", "https://corsguard.com"),
        (r"https://[^/]+", "https://corsguard.com"),
        (r"\w+://[^/]+", "https://corsguard.com"),
        (r"https://[a-z]+", "https://corsguard"),
        (r"https://[a-z-]+\.com", "https://corsguard.com"),
        (r"https://[a-z-]+\.co\.uk", "https://corsguard.co.uk"),
        (r"https://(?:[a-z]+|app\.example)\.org", "https://corsguard.org"),
        (r"https://www\.[a-z-]+\.net", "https://www.corsguard.net"),
        (r"https://\d+\.\d+\.\d+\.\d+", "https://203.0.113.7"),
        (r"https://\[[0-9a-f:]+\]", "https://[2001:db8::7]"),
        (r"http://[a-z]+\.com", "http://corsguard.com"),
        (r"https://[a-z]+\.com:8443", "https://corsguard.com:8443"),
        (r"http://[a-z]+:\d", "http://corsguard:1"),
        (r"https://\S+", "https://corsguard.com"),
    ],
)
def test_regex_too_wide_covering_unowned_origins(pattern: str, covered: str) -> None:
    problem = found(re.compile(pattern))
    assert (problem.code, problem.suggestion) == ("regex-too-wide", NO_NAME)
    assert f"also covers {covered}, which anyone can register" in problem.message


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://([a-z]+)*\.example\.com",
        r"https://(?:[a-z]+)+\.example\.com",
        r"https://(?:[a-z]+?)*?\.example\.com",
        r"https://(?:[a-z]*){2,}\.example\.com",
        r"https://(?:a|(?:b|[a-z]+))*\.example\.com",
        r"https://(?=(?:[a-z]+)+)a\.example\.com",
        r"https://(?:a(?:[a-z]+)?)+\.example\.com",
        r"https://(?:(a)?(?(1)[a-z]+|b))+\.example\.com",
        r"https://(.+)+\.example\.com",
        # not exponential, and too slow all the same
        r"https://[a-z]+[a-z]+\.example\.com",
        r"https://.*.*\.example\.com",
        r"https://[a-z0-9-]+-[a-z0-9-]+\.example\.com",
        r"https://[a-z-]+-[a-z-]+-[a-z-]+-[a-z-]+\.example\.com",
        r"https://(?:[a-z]+-?)+\.example\.com",
        r"https://[a-z]++[a-z]++[a-z.]++\.example\.com",
        r"https://([a-z]+)\1\.example\.com",
        r"https://(?:(?=[a-z]*-)[a-z])+\.example\.com",
        r"https://(?:(?<=[a-z]{40})[a-z-])+\.example\.com",
        # with a bound that is large
        r"https://(?:a?){30}a{30}\.example\.com",
        r"https://(?:|){20}a\.example\.com",
        r"https://(?:a|a){20}\.example\.com",
        r"https://[a-z]{1,60}[a-z]{1,60}\.example\.com",
        r"https://[a-z]*a[a-z]{40}\.example\.com",
        r"https://(?:[a-z]{1,300}){1,300}\.example\.com",
        r"https://(?:(?:(?:){326}){326}){326}\.example\.com",
    ],
)
def test_regex_too_slow(pattern: str) -> None:
    problem = found(re.compile(pattern))
    assert (problem.code, problem.suggestion) == ("regex-too-slow", ONE_REPEAT)
    assert "can match one text in many ways" in problem.message


@pytest.mark.parametrize(
    "pattern",
    [
        r"https://[a-z0-9.-]{1,253}\.example\.com",
        r"https://[\w.-]{1,255}\.example\.com(?::\d{1,5})?",
        r"https://(?:exampl){1,50}\.example\.com",
    ],
)
def test_regex_with_a_long_bounded_repeat_is_accepted(pattern: str) -> None:
    assert Policy(allow_origins=[re.compile(pattern)], allow_credentials=True)


def test_regex_of_a_thousand_names_is_accepted() -> None:
    names = "|".join(f"tenant-{number}" for number in range(1_000))
    pattern = re.compile(rf"https://(?:{names})\.example\.com")
    engine = Engine(Policy(allow_origins=[pattern]))
    assert engine.decide("https://tenant-999.example.com", "GET", {}).allowed


@pytest.mark.parametrize(
    "pattern",
    [
        r"example\.com",
        r"//example\.com",
        r"https:/example\.com",
        r"https://",
        r"https://a\.example\.com/",
        r"https://(?:a|b)\.example\.com(?::\d+)?/[a-z]*",
        r"HTTPS://a\.example\.com",
        r"https:// a\.example\.com",
        r"(?=https)://a\.example\.com",
        "null",
    ],
)
def test_regex_that_matches_no_origin_warns(pattern: str) -> None:
    regex = re.compile(pattern)
    with pytest.warns(PolicyWarning) as caught:
        policy = Policy(allow_origins=["https://b.example.com", regex, str.isascii])
    (warning,) = policy.warnings
    assert str(warning) == str(caught[0].message)
    assert warning.problem[:3] == ("regex-matches-nothing", "allow_origins", regex)
    assert warning.problem.suggestion == (
        r"write a whole origin, such as https://app\.example\.com"
    )


def test_may_match_of_a_too_large_regex_is_true() -> None:
    assert may_match(re.compile("(?:" + "a?" * 1_000 + ")"))


def test_every_regex_of_a_list_is_validated() -> None:
    patterns = [re.compile(".*"), re.compile(r"https://(?:a+)+"), re.compile(r"https://[a-z]+")]
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=patterns)
    assert [problem.code for problem in caught.value.problems] == [
        "regex-too-wide",
        "regex-too-slow",
        "regex-too-wide",
    ]


def test_plain_string_is_never_matched_as_a_regex() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[r"https://[a-z]+\.example\.com"])
    assert [problem.code for problem in caught.value.problems] == ["origin-invalid"]
