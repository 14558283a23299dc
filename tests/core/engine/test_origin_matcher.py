"""Which origins match, and which listed one is near."""

from __future__ import annotations

import re

import pytest
from support.engine_requests import EVIL, LISTED, PLAIN, A, decide_actual

from corsguard import Engine, Policy, Reason

MATCHING = Policy(
    allow_origins=[
        "https://foo.example",
        "https://bar.example",
        "https://*.sub.example",
        "https://*.port.example:8443",
        "https://*.both.example:*",
        "http://localhost:*",
        "http://[::1]:*",
        "https://deep.sub.example:444",
    ]
)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://foo.example", True),
        ("https://barfoo.example", False),
        ("https://foo.example.evil.example", False),
        ("https://evil-foo.example", False),
        ("https://fooXexample", False),
        ("http://foo.example", False),
        ("https://foo.example:8443", False),
        ("https://a.sub.example", True),
        ("https://a.b.c.sub.example", True),
        ("https://sub.example", False),
        ("https://asub.example", False),
        ("https://a.sub.example:444", False),
        ("https://deep.sub.example:444", True),
        ("http://a.sub.example", False),
        ("https://a.port.example:8443", True),
        ("https://a.port.example", False),
        ("https://a.both.example", True),
        ("https://a.both.example:1", True),
        ("https://both.example:1", False),
        ("http://localhost", True),
        ("http://localhost:65535", True),
        ("https://localhost:3000", False),
        ("http://a.localhost:3000", False),
        ("http://[::1]:5000", True),
        ("http://[::1]", True),
    ],
)
def test_matcher_compares_whole_labels(origin: str, allowed: bool) -> None:
    assert decide_actual(MATCHING, origin).allowed is allowed


def test_regex_matches_the_whole_origin() -> None:
    policy = Policy(allow_origins=[re.compile(r"https://[a-z]+\.example\.com")])
    assert decide_actual(policy, "https://a.example.com").allowed
    assert not decide_actual(policy, "https://a.example.com.evil.com").allowed


@pytest.mark.parametrize(
    ("origin", "nearest"),
    [
        ("http://a.example", "https://a.example"),
        ("https://a.example:8443", "https://a.example"),
        ("https://www.a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("HTTPS://A.example", "https://a.example"),
        ("https://a.example:443", "https://a.example"),
        ("https://b.example", "https://*.b.example"),
        ("http://x.b.example", "https://*.b.example"),
        ("http://localhost.", None),
        ("https://localhost:3000", "http://localhost:*"),
        ("http://y.x.b.example", "https://*.b.example"),
        ("https://y.x.b.example:8443", "https://*.b.example"),
        ("http://6.5.4.3.2.b.example", None),
        (EVIL, None),
        ("null", None),
        ("app://elsewhere", None),
    ],
)
def test_detail_names_the_closest_listed_origin(origin: str, nearest: str | None) -> None:
    detail = decide_actual(LISTED, origin).detail
    assert detail == (f"{origin} (nearest listed: {nearest})" if nearest else origin)


def test_detail_finds_www_added_or_omitted() -> None:
    policy = Policy(allow_origins=["https://www.a.example:8443", "https://www.a.example-x.example"])
    assert "nearest listed: https://www.a.example:8443" in decide_actual(policy, A).detail


@pytest.mark.parametrize(
    ("origin", "nearest"),
    [
        ("https://localhost:3000", "http://localhost:3000"),
        ("http://localhost:3001", "http://localhost:1"),
        ("http://www.a.example", "https://a.example"),
        ("http://a.example:8443", "https://a.example:*"),
        ("https://www.localhost:2", "http://localhost:1"),
    ],
)
def test_detail_names_the_origin_that_differs_least(origin: str, nearest: str) -> None:
    listed = ["http://localhost:1", "http://localhost:3000", "https://a.example"]
    policy = Policy(allow_origins=[*listed, "https://a.example:*"])
    assert decide_actual(policy, origin).detail == f"{origin} (nearest listed: {nearest})"


THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")


@pytest.mark.parametrize("listed", THIS_MACHINE)
@pytest.mark.parametrize("host", THIS_MACHINE)
def test_detail_names_another_host_of_this_machine(host: str, listed: str) -> None:
    policy = Policy(allow_origins=["https://a.example", f"http://{listed}:3000"])
    detail = decide_actual(policy, f"http://{host}:3000").detail
    assert host == listed or detail.endswith(f"(nearest listed: http://{listed}:3000)")


def test_detail_prefers_the_same_port_of_this_machine() -> None:
    listed = ["http://127.0.0.1:8000", "http://localhost:3000"]
    policy = Policy(allow_origins=listed)
    assert listed[0] in decide_actual(policy, "http://localhost:8000").detail
    assert listed[1] in decide_actual(policy, "http://localhost:9000").detail


@pytest.mark.parametrize("origin", ["app://.", "app://.:8080", "https://a.example."])
def test_origin_with_a_trailing_dot_is_a_different_origin(origin: str) -> None:
    assert decide_actual(Policy(allow_origins=[origin]), origin).allowed
    assert not decide_actual(Policy(allow_origins=[origin]), "https://a.example").allowed
    assert not decide_actual(Policy(allow_origins=["https://a.example", "app://a"]), origin).allowed


def test_pattern_matches_a_trailing_dot_only_if_it_has_one() -> None:
    plain, dotted = (Policy(allow_origins=[f"https://*.a.example{end}"]) for end in ("", "."))
    assert not decide_actual(plain, "https://x.a.example.").allowed
    assert decide_actual(dotted, "https://x.a.example.").allowed
    assert not decide_actual(dotted, "https://x.a.example").allowed
    assert not decide_actual(dotted, "https://a.example.").allowed


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_regex_and_callable_never_match_an_opaque_origin(origin: str) -> None:
    asked: list[str] = []

    def allow(text: str) -> bool:
        asked.append(text)
        return True

    policy = Policy(allow_origins=[re.compile(r"null|file://|https://a\.example"), allow])
    assert decide_actual(policy, origin).reason is Reason.ORIGIN_NOT_ALLOWED
    assert asked == []


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_opaque_origin_is_allowed_only_by_name(origin: str) -> None:
    policy = Policy(allow_origins=[origin], dangerously_allow_null_origin=True)
    decision = decide_actual(policy, origin)
    assert decision.allowed
    assert ("Access-Control-Allow-Origin", origin) in decision.headers
    assert not decide_actual(policy, "file:///").allowed
    assert not decide_actual(policy, "file://a").allowed


def test_detail_is_escaped_and_cut() -> None:
    detail = decide_actual(PLAIN, "https://a\r\n\x1b[31m\u202e" + "x" * 500).detail
    assert detail.startswith(r"https://a\r\n\x1b[31m\u202exxx")
    assert detail.endswith("...")
    assert len(detail) < 150


def test_matcher_accepts_thousands_of_ports() -> None:
    listed = [f"https://*.a.example:{port}" for port in range(1_000, 17_000)]
    engine = Engine(Policy(allow_origins=[*listed, "https://*.b.example:1000"]))
    assert engine.decide("https://x.a.example:16999", "GET", {}).allowed
    assert not engine.decide("https://x.a.example:17000", "GET", {}).allowed
    assert not engine.decide("https://x.b.example:16999", "GET", {}).allowed
