"""Entries of a policy that start, and that no request will ever match."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest
from core.facts import get

from corsguard import Guard, OriginEntry, Policy, PolicyWarning

WITH_CREDENTIALS = {"allow_credentials": True}
INSECURE = {"dangerously_allow_insecure_origins": True}


def warned_of(entry: OriginEntry, **fields: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        policy = Policy(allow_origins=["https://a.example", entry], **fields)
    assert [str(each.message) for each in caught] == list(map(str, policy.warnings))
    return [f"{each.problem.code}: {each.problem.suggestion}" for each in policy.warnings]


@pytest.mark.parametrize(
    ("entry", "suggestion"),
    [
        ("file://host", "remove file://host"),
        ("file://*.host", "remove file://*.host"),
        ("https://xn--f", "remove https://xn--f, or correct it"),
        ("https://a.xn--99999.example:8443", None),
        ("https://*.xn--f", "remove https://*.xn--f, or correct it"),
        ("https://xn--", None),
        ("https://xn--abc-", None),
        ("wss://a.example", "https://a.example: a socket is opened by a page, whose origin is"),
        ("ws://localhost:*", "http://localhost:*: a socket is opened by a page, whose origin is"),
        ("data://x", "remove data://x"),
        ("javascript://x", "remove javascript://x"),
        ("ftp://a.example", "remove ftp://a.example"),
    ],
)
def test_an_origin_that_no_browser_sends_is_warned_of(entry: str, suggestion: str | None) -> None:
    (warning,) = warned_of(entry)
    assert warning.startswith(f"never-matches: {suggestion or 'remove '}")


@pytest.mark.parametrize(
    "entry",
    [
        r"http://10\.0\.0\.\d+",
        r"http://192\.168\.\d+\.\d+(:\d+)?",
        r"http://[a-z]+\.corp\.example",
        r"http://\[fd00::[0-9a-f]+\]",
        r"http://127\.corp\.example",
    ],
)
def test_a_regex_for_plain_http_is_warned_of_with_credentials(entry: str) -> None:
    regex = re.compile(entry)
    (warning,) = warned_of(regex, **WITH_CREDENTIALS)
    assert warning == ("never-matches: https in its place, or dangerously_allow_insecure_origins")
    assert warned_of(regex) == []
    assert warned_of(regex, **WITH_CREDENTIALS, **INSECURE) == []


def test_a_regex_for_plain_http_is_warned_of_under_enforce() -> None:
    plain = Policy(allow_origins=[re.compile(r"http://10\.0\.0\.\d+")])
    routes = {"/": plain, "/hook": Policy(allow_origins=[re.compile(r"http://10\.0\.1\.\d+")])}
    guard = Guard(routes, enforce=True, enforce_exempt=["/hook"])
    assert [warning.problem.field for warning in guard.warnings] == ['routes."/".allow_origins']
    assert Guard(routes).warnings == ()
    with pytest.warns(PolicyWarning, match="never-matches"):
        Guard.from_mapping({"allow_origins": list(plain.allow_origins), "enforce": True})


@pytest.mark.parametrize(
    "entry",
    [
        r"https://a\.\.b",
        r"https://256\.1\.1\.1",
        r"https://example\.com:443",
        r"http://localhost:80",
        r"https://example\.com:0443",
        r"https://example\.com:65536",
        r"https://[a-z]{64}\.example\.com",
        r"https://\.example\.com",
        r"https://1\.2\.3\.4\.",
    ],
)
def test_a_regex_that_no_browser_s_origin_has_is_warned_of(entry: str) -> None:
    (warning,) = warned_of(re.compile(entry))
    assert warning.startswith("regex-matches-nothing: ")


def test_what_the_warning_says_is_so() -> None:
    regex = re.compile(r"http://10\.0\.0\.\d+")
    with pytest.warns(PolicyWarning, match="never-matches"):
        policy = Policy(allow_origins=[regex], allow_credentials=True)
    assert not get(policy, "http://10.0.0.7").allowed


@pytest.mark.parametrize(
    "entry",
    [
        "file://",
        "app://.",
        "https://a.example.",
        "https://xn--rsum-bpad.example",
        "https://xn--i-7iq.ws",
        "https://xn.example",
        "https://a-xn--f.example",
        re.compile(r"https://example\.com(?::443)?"),
        re.compile(r"https?://localhost:(?:80|443)"),
        re.compile(r"https://[a-z]{63}\.example\.com\."),
        re.compile(r"https?://10\.0\.0\.\d+"),
        re.compile(r"http://localhost:\d+"),
        re.compile(r"http://127\.0\.0\.1:\d+|http://10\.0\.0\.\d+"),
        re.compile(r"http://(?:10\.0\.0\.1|\[::1\]):\d+"),
        re.compile(r"http://[a-z]+\.localhost"),
        re.compile(r"httpx?://app\.a\.example"),
    ],
    ids=str,
)
def test_what_a_browser_may_send_gives_no_warning(entry: OriginEntry) -> None:
    fields = {"dangerously_allow_null_origin": True} if entry == "file://" else WITH_CREDENTIALS
    assert warned_of(entry, **fields) == []
