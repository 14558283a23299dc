"""Regular expressions that cover more domains than their author has written out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from corsguard import Engine, Guard, Origin, Policy, PolicyError, Problem

SUFFIXES = "dangerously_allow_public_suffixes"
TENANTS = "|".join(rf"https://tenant{number}\.example\.com" for number in range(64))


def problems(make: Any, *given: Any, **fields: Any) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(*given, **fields)
    return caught.value.problems


def policy(pattern: str, **fields: Any) -> Policy:
    return Policy(allow_origins=[re.compile(pattern)], **fields)


def example_in(problem: Problem) -> str:
    """Return the origin that a message names."""
    found = re.search(r"also covers (\S+), ", problem.message)
    assert found
    return found[1]


MISSING_DOT = [
    r"https://[a-z0-9.-]*example\.com",
    r"https://[a-z]+example\.com",
    r"https://[a-z0-9-]+example\.com",
    r"https://[a-z0-9]+[.-]example\.com",
    r"https://[a-z0-9]+(?:\.|-)example\.com",
    r"https://[a-z0-9]+[._-]example\.com",
    r"https://[a-z0-9]+\Wexample\.com",
    r"https://[a-z0-9]+[^\w]example\.com",
    r"https?://(?:[a-z]+[.-])?example\.com(?::\d+)?",
    r"(?i)https://[A-Z]{2,5}EXAMPLE\.COM",
    r"(?x) https:// [a-z]+ [.-] example \. com",
    r"https://(?i:[A-Z]+)example\.com",
    r"https://[a-z]{0,8}example\.com",
    r"https://[-a-z]{1,9}example\.com",
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
    r"https://(?:[a-z]+example\.com|b\.org)",
    rf"{TENANTS}|https://[a-z0-9-]+example\.com",
    r"https://(?!evil)[a-z]+example\.com",
    r"https://(?=[a-z])[a-z-]+example\.com",
    r"https://[a-z]++-example\.com",
    r"https://(?>[a-z]+)-example\.com",
    r"https://(x)?(?(1)y|[a-z]+)example\.com",
    r"https://[a-z]+(?<!old)example\.com",
]
FREE_DOMAIN = [
    r"https://example\.com[^/]*",
    r"https://example\.com(?:[\s\S])*",
    r"https://example\.com\.?\w*",
    r"https://[a-z]+\.shop",
    r"https://[a-z]+\.co\.uk",
    r"https://[a-z]{2}\.com",
    r"https://[a-z]{3,8}\.io",
    r"https://(?:www\.)?[a-z0-9-]{4}\.(?:com|org)",
    r"https://[a-z0-9.-]+\.(?:com|vercel\.app)",
    r"https://[a-z]+\.ck",
    r"https://[a-z]+\.anything\.ck",
    r"https://[a-z]+\.xn--p1ai",
    r"https://www\.[a-z]+\.[a-z]{2,3}",
    r"https://[a-z]+\.example\.[a-z]+",
    r"https://(?:[a-z]+\.test|[a-z]+\.dev)",
    r"https://(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
    r"https://203\.0\.113\.\d+",
    r"https://192\.1[0-9]{2}\.\d+\.\d+",
    r"https://\[2001:[0-9a-f:]+\]",
    r"[a-z]+://[a-z-]+\.org",
]


@pytest.mark.parametrize("fields", [{}, {"allow_credentials": True}, {SUFFIXES: True}])
@pytest.mark.parametrize("pattern", MISSING_DOT + FREE_DOMAIN)
def test_regex_of_any_domain_is_refused_with_every_flag(
    pattern: str, fields: dict[str, Any]
) -> None:
    (problem,) = problems(policy, pattern, **fields)
    assert (problem.code, problem.field) == ("regex-too-wide", "allow_origins")
    assert SUFFIXES not in problem.suggestion
    example = example_in(problem)
    assert re.compile(pattern).fullmatch(example)
    assert Origin.parse(example).host not in {"example.com", "b.org"}


@pytest.mark.parametrize("pattern", MISSING_DOT[:8])
def test_regex_without_a_dot_suggests_the_dot(pattern: str) -> None:
    (problem,) = problems(policy, pattern)
    assert problem.suggestion == (
        "put a dot before the labels of a domain that is yours: .example.com"
    )


HOSTED = [
    r"https://app-[a-z0-9-]+\.vercel\.app",
    r"https://pr-\d+\.vercel\.app",
    r"https://[a-z]{8}\.vercel\.app",
    r"https://app-\d{1,4}\.vercel\.app",
    r"https://app-[b-z]+\.vercel\.app",
    r"https://app-[0123456789abcdef]{8}\.vercel\.app",
    r"https://[b-y]+\.github\.io",
    r"https://[a-z0-9-]+--myteam\.netlify\.app",
    r"https://\w+-\w+\.vercel\.app",
    r"https://[a-z]+\d\.netlify\.app",
    r"https://[a-z]+\.amazonaws\.com|https://[a-z]+\.s3\.amazonaws\.com",
    r"https://\d+-[a-z]+\.ws-eu1\.gitpod\.io",
    r"https://[a-z0-9-]+\.app\.github\.dev",
    r"https://[a-z0-9-]+\.nip\.io",
    r"https://[a-z]+\.compute\.amazonaws\.com",
    r"https://[a-z]+\.(?:vercel|netlify)\.app",
]


@pytest.mark.parametrize("pattern", HOSTED)
def test_regex_of_hosted_names_is_accepted_without_credentials(pattern: str) -> None:
    given = policy(pattern)
    assert Guard(given).policy_for("/") == given


@pytest.mark.parametrize("pattern", HOSTED)
def test_regex_of_hosted_names_is_refused_when_exposed(pattern: str) -> None:
    for found in (
        problems(policy, pattern, allow_credentials=True),
        problems(Guard, policy(pattern), enforce=True),
        problems(Guard, policy(pattern), enforce="report"),
    ):
        (problem,) = found
        assert (problem.code, problem.field) == ("regex-too-wide", "allow_origins")
        assert SUFFIXES in problem.suggestion
        assert re.compile(pattern).fullmatch(example_in(problem))


@pytest.mark.parametrize("pattern", HOSTED)
def test_regex_of_hosted_names_is_accepted_with_the_flag(pattern: str) -> None:
    given = policy(pattern, allow_credentials=True, dangerously_allow_public_suffixes=True)
    assert Guard(given, enforce=True).policy_for("/") == given


def test_regex_owners_count_together_with_credentials() -> None:
    sites = "|".join(rf"https://site{number}\.com" for number in range(60))
    apps = "|".join(rf"https://app{number}\.vercel\.app" for number in range(60))
    assert policy(sites, allow_credentials=True)
    assert policy(apps, allow_credentials=True)
    assert policy(f"{sites}|{apps}")
    (problem,) = problems(policy, f"{sites}|{apps}", allow_credentials=True)
    assert example_in(problem).endswith(".vercel.app")


IDS = [
    "chrome-extension://[a-p]{32}",
    "chrome-extension://[abcdefghijklmnop]{32}",
    r"chrome-extension://\w+",
    "chrome-extension://[^/]+",
    "moz-extension://[0-9a-f-]{36}",
    r"moz-extension://[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}",
    "safari-web-extension://[0-9A-F-]+",
    "(?i)safari-web-extension://[0-9A-F-]+",
    "vscode-webview://[a-z0-9]+",
    r"https://app\.example\.com|chrome-extension://[a-p]{32}",
    r"[a-z]+://app\.example\.com|[a-z-]+://[A-F]{4}",
    "[a-z-]+://[A-Z]{2}",
    "[a-z-]+://[0-9]{3}",
    "httpx://[a-z]+",
    "htt://[a-z]+",
]


@pytest.mark.parametrize("pattern", IDS)
def test_regex_of_any_extension_id_is_refused_when_exposed(pattern: str) -> None:
    assert policy(pattern)
    for found in (
        problems(policy, pattern, allow_credentials=True, dangerously_allow_public_suffixes=True),
        problems(Guard, policy(pattern), enforce=True),
    ):
        (problem,) = found
        assert problem.code == "regex-too-wide"
        assert problem.suggestion.startswith("list the ids of your extensions")
        assert "domain" not in problem.suggestion + problem.message
        assert re.compile(pattern).fullmatch(example_in(problem))


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        (r"https://([a-z])\1example\.com", "a back-reference"),
        (r"https://(x)?(?(1)y|[a-z]+)example\.com", "a conditional"),
        (r"https://[a-z]+(?<!old)example\.com", "a look-behind"),
        (r"https://[a-z.]+(?<=\.)example\.com", "a look-behind"),
        (r"https://(?=[a-z.]+\.example\.com$)[a-z.]+", "a look-ahead"),
        (r"https://[a-z.]*\bexample\.com", r"a \b"),
        (r"https://[a-z-]*\Bexample\.com", r"a \B"),
        (r"https://(?>[a-z.]*)example\.com", "an atomic group"),
        (r"https://[a-z.]*+example\.com", "a possessive repeat"),
        (r"https://(a)?(?(1)b)(?<!c)[a-z]+\.org", "a conditional and a look-behind"),
    ],
)
def test_regex_with_inexact_constructs_names_them(pattern: str, named: str) -> None:
    (problem,) = problems(policy, pattern)
    assert problem.code == "regex-too-wide"
    assert f"{named}" in problem.message
    assert "can't be counted exactly" in problem.message
    assert "a pattern such as https://*.example.com, or a callable" in problem.suggestion


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        (r"https://([a-z])\1\.example\.com", "a back-reference"),
        (r"https://(?P<name>a|b)-(?P=name)\.example\.com", "a back-reference"),
        (r"https://(a)?(?(1)b|c)\.example\.com", "a conditional"),
        (r"https://[a-z]+(?<!old)\.example\.com", "a look-behind"),
        (r"https://[a-z]+(?<=new)\.example\.com", "a look-behind"),
    ],
)
def test_regex_with_an_unsupported_construct_is_refused(pattern: str, named: str) -> None:
    (problem,) = problems(policy, pattern)
    assert problem.code == "regex-too-wide"
    assert f"has {named}, so what it covers can't be counted exactly" in problem.message
    assert "a pattern such as https://*.example.com, or a callable" in problem.suggestion


def test_regex_example_always_matches() -> None:
    pattern = r"https://(?=example)[a-z]+\.com\Z|https://(?:^|[a-z])+\.org"
    (problem,) = problems(policy, pattern)
    assert re.compile(pattern).fullmatch(example_in(problem))


@pytest.mark.parametrize("pattern", [r"https://[a-z]+^\.com", r"https://[a-z]{70}\.com"])
def test_regex_with_inexact_coverage_has_no_example(pattern: str) -> None:
    (problem,) = problems(policy, pattern)
    assert problem.message.endswith("covers more than 100 domains")


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (re.compile(rb"https://[a-z]+\.vercel\.app"), "type-invalid"),
        (re.compile(r"https://.*\.vercel\.app"), "regex-too-wide"),
        (re.compile(r"https://(?:[a-z]+)+\.vercel\.app"), "regex-too-slow"),
    ],
)
def test_regex_problem_is_reported_once_with_credentials(entry: Any, code: str) -> None:
    (problem,) = problems(Policy, allow_origins=[entry], allow_credentials=True)
    assert problem.code == code


def test_regex_of_listed_names_is_accepted_with_credentials() -> None:
    sites = "|".join(rf"(?:www\.)?site{number}\.com" for number in range(90))
    given = policy(rf"https://(?:{sites})", allow_credentials=True)
    assert Engine(given).decide("https://www.site89.com", "GET", {}).allowed
    assert not Engine(given).decide("https://site90.com", "GET", {}).allowed


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
        r"https://[a-z]\.com",
        r"(?i)https://[A-Z]?example\.com",
        r"https://example-[^/.]\.com",
        r"https://example\w\.com",
        r"https://pr-\d+\.example\.com",
        r"https://[a-z0-9-]+\.example\.com",
        r"https://(?:a|b)\.example\.com(?::\d+)?",
        r"https://[a-z.]+\.corsguard\.vercel\.app",
        r"https://[a-z]+\.amazonaws\.com",
        r"https://[a-z]+\.www\.ck",
        r"https?://127\.\d+\.\d+\.\d+:\d+",
        r"https://10\.\d+\.\d+\.\d+",
        r"https://172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+",
        r"https://169\.254\.\d+\.\d+",
        r"https://203\.0\.113\.[1-9]",
        r"https://\[::1\](?::\d+)?",
        r"https://\[f[cd][0-9a-f]{2}::[0-9a-f]+\]",
        r"https://\[fe80::[0-9a-f:]+\]",
        r"https://\[2001:db8::[1-9]\]",
        r"https://\[::[01]?\]",
        r"https://(?:localhost|intranet)(?::\d+)?",
        r"chrome-extension://(?:abc|def)",
        r"capacitor://localhost|http://localhost",
        r"[a-z]+://app\.example\.com",
        r"(?i)[a-z-]+://[a-z]+\.example\.com",
        r"https://(?!admin)[a-z]+\.example\.com",
        r"https://(?:a|(?!))\.com",
    ],
)
@pytest.mark.parametrize("credentials", [False, True])
@pytest.mark.filterwarnings("ignore:.*never-matches")  # plain http, with credentials
def test_narrow_regex_is_accepted(pattern: str, credentials: bool) -> None:
    assert policy(pattern, allow_credentials=credentials).allow_origins


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
def test_regex_too_wide_suggests_nothing_as_wide(pattern: str) -> None:
    (problem,) = problems(Policy, allow_origins=[re.compile(pattern)])
    assert "https://*" not in problem.suggestion
