"""Fixed origins and prefixes: the values that were most likely meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsguard import Guard, OriginPattern, Policy, PolicyError, Problem
from corsguard.policy.origin_fixes import convert_regex, fix_origin, fix_prefix

LISTED = Policy(allow_origins=["https://a.example"])
EXAMPLE = "an origin such as https://app.example.com or https://*.example.com"


def suggested(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=[text])
    (problem,) = caught.value.problems
    assert problem.code == "origin-invalid"
    return problem.suggestion


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("example.com", "https://example.com"),
        ("https://a.example/", "https://a.example"),
        ("https://a.example:443", "https://a.example"),
        ("HTTPS://A.example", "https://a.example"),
        ("https://résumé.example", "https://xn--rsum-bpad.example"),
        # a missing scheme
        ("example.com:8443", "https://example.com:8443"),
        ("//example.com", "https://example.com"),
        ("*.example.com", "https://*.example.com"),
        ("example.com/", "https://example.com"),
        ("localhost", "http://localhost"),
        ("localhost:3000", "http://localhost:3000"),
        ("localhost:*", "http://localhost:*"),
        ("app.localhost:3000", "http://app.localhost:3000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("192.168.0.7", "https://192.168.0.7"),
        # white space, case
        (" https://a.example\n", "https://a.example"),
        ("https://A.Example:8443", "https://a.example:8443"),
        ("https://*.A.example", "https://*.a.example"),
        ("HTTP://LOCALHOST:3000", "http://localhost:3000"),
        # a path, a query or userinfo around the host
        ("https://a.example/path/x", "https://a.example"),
        ("https://a.example?x=1", "https://a.example"),
        ("https://a.example#top", "https://a.example"),
        ("https://a.example/*", "https://a.example"),
        ("https://*.a.example/*", "https://*.a.example"),
        ("https://user@a.example", "https://a.example"),
        ("https://user:p@ss@a.example:8443/", "https://a.example:8443"),
        # ports
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:080", "http://a.example"),
        ("https://a.example:", "https://a.example"),
        ("https://a.example:08443", "https://a.example:8443"),
        ("https://*.a.example:443", "https://*.a.example"),
        ("https://a.example:*/", "https://a.example:*"),
        # dots and stars
        (".example.com", "https://*.example.com"),
        ("https://.example.com", "https://*.example.com"),
        ("https://*example.com", "https://*.example.com"),
        ("https://**.example.com", "https://*.example.com"),
        ("https://A.example.", "https://a.example"),
        # hosts that are not ASCII (URL standard, domain to ASCII)
        ("https://*.résumé.example", "https://*.xn--rsum-bpad.example"),
        ("https://RÉSUMÉ.example:443/", "https://xn--rsum-bpad.example"),
        ("faß.example", "https://xn--fa-hia.example"),
        ("https://a\u3002example", "https://a.example"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
        # IPv6
        ("https://[2001:DB8:0:0:0:0:0:7]", "https://[2001:db8::7]"),
        ("https://[::1]:443", "https://[::1]"),
        ("https://[::192.0.2.7]", "https://[::c000:207]"),
        # what looks like a regular expression
        (r"https://.*\.example\.com", "https://*.example.com"),
        (r"^https://.+\.example\.com$", "https://*.example.com"),
        (r"https://(.*)\.example\.com", "https://*.example.com"),
        (r"https://(?:\S+)\.example\.com", "https://*.example.com"),
        (r"http(s)?://app\.example\.com", "https://app.example.com"),
        (r"https:\/\/my\-app\.example\.com", "https://my-app.example.com"),
        (r"http://localhost:\d+", "http://localhost:*"),
        (r"http://localhost(:[0-9]+)?", "http://localhost:*"),
        # quotes of a shell, a list of JSON
        ('"https://a.example"', "https://a.example"),
        ("'a.example'", "https://a.example"),
        ('["https://a.example"]', "https://a.example"),
        ('[ "http://[::1]:8000"', "http://[::1]:8000"),
        ("https://b.example' ]", "https://b.example"),
        (r"^http:\/\/localhost(?::\d+)?$", "http://localhost:*"),
    ],
)
def test_fix_origin_of_a_mistake_is_suggested(text: str, meant: str) -> None:
    assert suggested(text) == meant
    assert Policy(allow_origins=[meant]).allow_origins == (meant,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "*.",
        "https://",
        "https://*",
        "example.*",
        "https://a b.example",
        "https://a.example, b.example",
        "https://a.example, https://",
        "not an origin",
        "https://a.example:65536",
        "https://a.example:00",
        "https://a.example:http",
        "https://1.2.3",
        "https://*.1.2.3.4",
        "https://[::1",
        "https://[fe80::1%eth0]",
        "https://[nonsense]",
        "https://[v1.a]",
        "::1",
        "https://ex%61mple.com",
        "https://\u2100.example",
        "https://\u200d.example",
        "https://\ud800.example",
        "https://xn--é.example",
        "https://é\0.example",
        "https://\0",
        "1https://a.example",
        "https://" + "é" * 20_000 + ".example",
        "https://" + "a." * 20_000 + "example",
        "[" * 20_000,
        "https://" + ":" * 20_000,
        "://" * 20_000,
    ],
    ids=lambda text: f"{text[:40]!a}",
)
def test_fix_origin_of_an_unknown_text_suggests_an_example(text: str) -> None:
    assert suggested(text) == EXAMPLE


@given(st.one_of(st.text(), st.text("htps:/[]().*+\\d?^$@%0149axÉ ,#", max_size=40)))
def test_fix_origin_of_any_text_is_a_pattern_or_none(text: str) -> None:
    for fixed in (fix_origin(text), convert_regex(text)):
        assert fixed is None or str(OriginPattern.parse(fixed)) == fixed


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("https://a.example, https://b.example", ["https://a.example", "https://b.example"]),
        ("https://a.example https://b.example/", ["https://a.example", "https://b.example"]),
        ("https://a.example;https://*.b.example", ["https://a.example", "https://*.b.example"]),
        ("a.example\nlocalhost localhost:3000",
         ["https://a.example", "http://localhost", "http://localhost:3000"]),
        ('["https://a.example","https://b.example"]', ["https://a.example", "https://b.example"]),
        ("http://[::1], http://[::1]:8000,", ["http://[::1]", "http://[::1]:8000"]),
    ],
)  # fmt: skip
def test_fix_origins_of_several_in_one_text_splits_them(text: str, meant: list[str]) -> None:
    assert suggested(text) == ", ".join(f'"{origin}"' for origin in meant)
    assert Policy(allow_origins=meant).allow_origins == tuple(meant)
    with pytest.raises(PolicyError) as caught:
        Guard(LISTED, own_origins=[text])
    own = "an origin such as https://api.example.com" if "*" in text else suggested(text)
    assert caught.value.problems[0].suggestion == own


def route_problem(prefix: str) -> Problem:
    with pytest.raises(PolicyError) as caught:
        Guard({prefix: LISTED})
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("prefix", "meant"),
    [
        ("/api/*", "/api"),
        ("api", "/api"),
        ("/a/../b", "/b"),
        ("/a%20b", "/a b"),
        # their like
        ("", "/"),
        ("*", "/"),
        ("//", "/"),
        ("//api", "/api"),
        ("/api//v1", "/api/v1"),
        ("/./api/.", "/api"),
        ("/../..", "/"),
        ("/api/**", "/api"),
        ("/api/<id>", "/api"),
        ("/api/{id}/x", "/api"),
        ("/api?x=1", "/api"),
        ("/api#top", "/api"),
        ("/api\\v1", "/api/v1"),
        (" /api ", "/api"),
        ("/api\n", "/api"),
        ("/a%0Ab", "/a"),
        ("/caf%E9/x", "/caf"),
        ("/%c3%a9", "/é"),
        ("/%2e%2e/api", "/api"),
        ("https://a.example/api/", "/api"),
        ("https://a.example", "/"),
        ("r/api/.*", "/r/api"),
        ("^/api/.*$", "/api"),
        ("/api /*", "/api"),
        ("/api/ {id}", "/api"),
    ],
)
def test_fix_prefix_of_a_mistake_is_suggested(prefix: str, meant: str) -> None:
    problem = route_problem(prefix)
    assert problem[:3] == ("route-invalid", "routes", prefix)
    assert problem.suggestion == meant
    assert Guard({meant: LISTED}).policy_for(meant) == LISTED


@given(
    st.lists(
        st.sampled_from(["", " ", ".", ".. ", "..", "a", "b c", "é", "\\", "*", "?", "%00", "%E9"])
    ).map("/".join)
)
def test_fix_prefix_of_any_text_is_a_valid_prefix(prefix: str) -> None:
    meant = fix_prefix(prefix)
    assert Guard({meant: LISTED}).policy_for(meant) == LISTED
