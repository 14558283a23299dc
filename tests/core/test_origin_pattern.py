"""Origin patterns, and loopback hosts."""

from __future__ import annotations

import pytest

from corsguard.origin import Origin, OriginError, OriginPattern, is_insecure, is_loopback

LONGEST_HOST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])

PATTERNS = [
    ("https://example.com", ("https", "example.com", "", False)),
    ("https://example.com:8443", ("https", "example.com", "8443", False)),
    ("https://*.example.com", ("https", "example.com", "", True)),
    ("https://*.example.com:8443", ("https", "example.com", "8443", True)),
    ("https://*.example.com:*", ("https", "example.com", "*", True)),
    ("http://localhost:*", ("http", "localhost", "*", False)),
    ("http://*.localhost:*", ("http", "localhost", "*", True)),
    ("http://127.0.0.1:*", ("http", "127.0.0.1", "*", False)),
    ("http://[::1]:*", ("http", "[::1]", "*", False)),
    ("https://*.com", ("https", "com", "", True)),
    ("app://*.Host", ("app", "Host", "", True)),
    ("app://.", ("app", ".", "", False)),
    ("https://*.example.com.", ("https", "example.com.", "", True)),
    ("https://example.com.:*", ("https", "example.com.", "*", False)),
    (f"https://*.{LONGEST_HOST}:*", ("https", LONGEST_HOST, "*", True)),
]


LABELS = [
    ("https://pr-*.example.com", ("https", "example.com", "", "pr-*")),
    ("https://*--site.netlify.app:*", ("https", "netlify.app", "*", "*--site")),
    ("https://a*b.example.com:8443", ("https", "example.com", "8443", "a*b")),
    ("http://dev-*.localhost:3000", ("http", "localhost", "3000", "dev-*")),
    ("https://pr-*.example.com.", ("https", "example.com.", "", "pr-*")),
]


@pytest.mark.parametrize(("text", "parts"), LABELS)
def test_parse_of_a_wildcard_in_a_label_round_trips(
    text: str, parts: tuple[str, str, str, str]
) -> None:
    pattern = OriginPattern.parse(text)
    assert (pattern.scheme, pattern.host, pattern.port, pattern.label) == parts
    assert not pattern.subdomains
    assert str(pattern) == text


@pytest.mark.parametrize(("text", "parts"), PATTERNS)
def test_parse_of_a_pattern_round_trips(text: str, parts: tuple[str, str, str, bool]) -> None:
    pattern = OriginPattern.parse(text)
    assert (pattern.scheme, pattern.host, pattern.port, pattern.subdomains) == parts
    assert str(pattern) == text
    assert not pattern.any_origin
    assert not pattern.opaque


def test_parse_of_wildcard_null_and_file() -> None:
    anything, null = OriginPattern.parse("*"), OriginPattern.parse("null")
    file = OriginPattern.parse("file://")
    assert (file.any_origin, file.opaque, str(file)) == (False, True, "file://")
    assert (anything.any_origin, anything.opaque, str(anything)) == (True, False, "*")
    assert (null.any_origin, null.opaque, str(null)) == (False, True, "null")


@pytest.mark.parametrize(
    "text",
    [
        "**",
        "*.example.com",
        "*:*",
        "*://example.com",
        "*://*",
        "http*://example.com",
        "https://*",
        "https://*.",
        "https://*:*",
        "https://**.example.com",
        "https://*.*.example.com",
        "https://a*b*.example.com",
        "https://**a.example.com",
        "https://a*.com",
        "https://a*.com.",
        "https://a*.",
        "https://a*",
        "https://A*.example.com",
        "https://a*.1.2.3",
        f"https://a*.{LONGEST_HOST[2:]}",
        "https://a.*.example.com",
        "https://example.*",
        "https://*example.com",
        "https://?.example.com",
        "https://[*.]example.com",
        "https://*.example.com/",
        "https://*.example.com/*",
        "https://example.com:80*",
        "https://example.com:**",
        "https://example.com:8443:*",
        "https://*.example.com:443",
        "https://:*",
        ":*",
        "null:*",
        "*.null",
        "file://:*",
        "file://*",
        "app://*..",
        "app://.:*",
        "https://*.example.com..",
        "https://*.null:",
        " *",
        "* ",
        "",
    ],
)
def test_parse_of_another_wildcard_is_an_error(text: str) -> None:
    with pytest.raises(OriginError):
        OriginPattern.parse(text)


@pytest.mark.parametrize(
    "text", ["http://*.127.0.0.1", "app://*.1.2.3.4.", "http://*.[::1]", "http://*.1.2.3.4:*"]
)
def test_parse_of_subdomains_of_an_ip_address_is_an_error(text: str) -> None:
    with pytest.raises(OriginError, match="an IP address has no subdomains"):
        OriginPattern.parse(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("app.localhost", True),
        ("localhost.", True),
        ("app.localhost.", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("[::1]", True),
        ("notlocalhost", False),
        ("localhost.example", False),
        ("127.example.com", False),
        ("128.0.0.1", False),
        ("[::2]", False),
        ("[::ffff:7f00:1]", False),
    ],
)
def test_is_loopback_only_for_the_machine_itself(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert is_insecure(Origin.parse(f"http://{host}")) is not loopback
    assert not is_insecure(Origin.parse(f"https://{host}"))
