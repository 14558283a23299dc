"""Which origins match, and which listed one is near."""

from __future__ import annotations

import re

import pytest
from core.facts import EVIL, LISTED, PLAIN, A, get

from corsguard import Engine, Policy

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
def test_origins_are_matched_label_by_label(origin: str, allowed: bool) -> None:
    assert get(MATCHING, origin).allowed is allowed


def test_a_regex_is_matched_as_a_whole() -> None:
    policy = Policy(allow_origins=[re.compile(r"https://[a-z]+\.example\.com")])
    assert get(policy, "https://a.example.com").allowed
    assert not get(policy, "https://a.example.com.evil.com").allowed


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
def test_the_detail_names_the_listed_origin_that_is_one_slip_away(
    origin: str, nearest: str | None
) -> None:
    detail = get(LISTED, origin).detail
    assert detail == (f"{origin} (nearest listed: {nearest})" if nearest else origin)


def test_www_is_a_slip_in_both_directions() -> None:
    policy = Policy(allow_origins=["https://www.a.example:8443", "https://www.a.example-x.example"])
    assert "nearest listed: https://www.a.example:8443" in get(policy, A).detail


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
def test_the_detail_names_the_origin_that_differs_least(origin: str, nearest: str) -> None:
    listed = ["http://localhost:1", "http://localhost:3000", "https://a.example"]
    policy = Policy(allow_origins=[*listed, "https://a.example:*"])
    assert get(policy, origin).detail == f"{origin} (nearest listed: {nearest})"


def test_details_are_escaped_and_cut() -> None:
    detail = get(PLAIN, "https://a\r\n\x1b[31m\u202e" + "x" * 500).detail
    assert detail.startswith(r"https://a\r\n\x1b[31m\u202exxx")
    assert detail.endswith("...")
    assert len(detail) < 150


def test_any_number_of_ports_of_one_pattern_starts_and_matches() -> None:
    listed = [f"https://*.a.example:{port}" for port in range(1_000, 17_000)]
    engine = Engine(Policy(allow_origins=[*listed, "https://*.b.example:1000"]))
    assert engine.decide("https://x.a.example:16999", "GET", {}).allowed
    assert not engine.decide("https://x.a.example:17000", "GET", {}).allowed
    assert not engine.decide("https://x.b.example:16999", "GET", {}).allowed
