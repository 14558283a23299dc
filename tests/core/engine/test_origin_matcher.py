"""Which origins match, and which listed one is near."""

from __future__ import annotations

import re

import pytest
from support.engine_requests import EVIL, LISTED, PLAIN, A, get

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


THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")


@pytest.mark.parametrize("listed", THIS_MACHINE)
@pytest.mark.parametrize("host", THIS_MACHINE)
def test_the_hosts_of_this_machine_are_near_misses(host: str, listed: str) -> None:
    policy = Policy(allow_origins=["https://a.example", f"http://{listed}:3000"])
    detail = get(policy, f"http://{host}:3000").detail
    assert host == listed or detail.endswith(f"(nearest listed: http://{listed}:3000)")


def test_the_same_port_of_this_machine_is_nearer_than_the_same_host() -> None:
    listed = ["http://127.0.0.1:8000", "http://localhost:3000"]
    policy = Policy(allow_origins=listed)
    assert listed[0] in get(policy, "http://localhost:8000").detail
    assert listed[1] in get(policy, "http://localhost:9000").detail


@pytest.mark.parametrize("origin", ["app://.", "app://.:8080", "https://a.example."])
def test_an_origin_with_a_trailing_dot_is_one_of_its_own(origin: str) -> None:
    assert get(Policy(allow_origins=[origin]), origin).allowed
    assert not get(Policy(allow_origins=[origin]), "https://a.example").allowed
    assert not get(Policy(allow_origins=["https://a.example", "app://a"]), origin).allowed


def test_a_pattern_covers_no_trailing_dot_that_it_does_not_have() -> None:
    plain, dotted = (Policy(allow_origins=[f"https://*.a.example{end}"]) for end in ("", "."))
    assert not get(plain, "https://x.a.example.").allowed
    assert get(dotted, "https://x.a.example.").allowed
    assert not get(dotted, "https://x.a.example").allowed
    assert not get(dotted, "https://a.example.").allowed


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_no_regex_and_no_callable_is_asked_about_an_opaque_origin(origin: str) -> None:
    asked: list[str] = []

    def allow(text: str) -> bool:
        asked.append(text)
        return True

    policy = Policy(allow_origins=[re.compile(r"null|file://|https://a\.example"), allow])
    assert get(policy, origin).reason is Reason.ORIGIN_NOT_ALLOWED
    assert asked == []


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_an_opaque_origin_is_allowed_by_its_name_alone(origin: str) -> None:
    policy = Policy(allow_origins=[origin], dangerously_allow_null_origin=True)
    decision = get(policy, origin)
    assert decision.allowed
    assert ("Access-Control-Allow-Origin", origin) in decision.headers
    assert not get(policy, "file:///").allowed
    assert not get(policy, "file://a").allowed


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
