"""URLs as the URL standard parses them, with cases from its tests."""

from __future__ import annotations

import pytest

from corsguard.browser import Browser
from corsguard.browser.url import URL, URLError, parse_page_origin
from corsguard.origin import OriginError

BASE = URL.parse("https://example.com/a/b?c#d")


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/A", "https://example.com/A"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("http://example.com:0080/", "http://example.com/"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com:0/", "http://example.com:0/"),
        ("  https://example.com/\t\n", "https://example.com/"),
        ("ht\ntps://exam\tple.com/a\rb", "https://example.com/ab"),
        ("https:example.org/x", "https://example.com/a/example.org/x"),
        ("http:example.org/x", "http://example.org/x"),
        ("https:/example.org/x", "https://example.com/example.org/x"),
        ("https:///example.org/x", "https://example.org/x"),
        ("https:\\\\example.org\\x?a\\b", "https://example.org/x?a\\b"),
        ("https://example.org/\udcff?\ud83d\ude00", "https://example.org/%EF%BF%BD?%F0%9F%98%80"),
        ("//example.org/x", "https://example.org/x"),
        ("\\\\example.org", "https://example.org/"),
        ("/x", "https://example.com/x"),
        ("x", "https://example.com/a/x"),
        ("./x", "https://example.com/a/x"),
        ("../x", "https://example.com/x"),
        ("../../x", "https://example.com/x"),
        ("..", "https://example.com/"),
        (".", "https://example.com/a/"),
        ("x/%2e%2E/y", "https://example.com/a/y"),
        ("x/.%2e/", "https://example.com/a/"),
        ("/a//b", "https://example.com/a//b"),
        ("", "https://example.com/a/b?c"),
        ("?x", "https://example.com/a/b?x"),
        ("?", "https://example.com/a/b?"),
        ("#x", "https://example.com/a/b?c#x"),
        ("x#", "https://example.com/a/x#"),
        ("x?y#z?#", "https://example.com/a/x?y#z?#"),
        ("/a b\"<>`{}^|'", "https://example.com/a%20b%22%3C%3E%60%7B%7D%5E|'"),
        ("?a b\"<>'`{}^|", "https://example.com/a/b?a%20b%22%3C%3E%27`{}^|"),
        ("/ä?ä", "https://example.com/%C3%A4?%C3%A4"),
        ("/%41%zz", "https://example.com/%41%zz"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        ("https://ex%41mple.com/", "https://example.com/"),
        ("https://a_b.example.com/", "https://a_b.example.com/"),
        ("https://user:pass@example.com/", "https://user:pass@example.com/"),
        ("https://a@b@example.com/", "https://a@b@example.com/"),
        ("https://:@example.com/", "https://example.com/"),
        ("https://@example.com/", "https://example.com/"),
        ("https://user:@example.com/", "https://user@example.com/"),
        ("https://:pass@example.com/", "https://:pass@example.com/"),
        ("https://example.com./", "https://example.com./"),
        ("https://EXAMPLE.com.:443/", "https://example.com./"),
        ("https://münchen.example.:8443/", "https://xn--mnchen-3ya.example.:8443/"),
        ("http://127.0.0.1./", "http://127.0.0.1/"),
        ("http://127.1./", "http://127.0.0.1/"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("http://[0:0::0:1]/", "http://[::1]/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://0x7f.0.0.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("mailto:a@example.com", "mailto:a@example.com"),
        ("data:,x#y", "data:,x#y"),
        ("foo:a b\x1b\x7f\u00e9", "foo:a b%1B%7F%C3%A9"),
        ('#a b\x1b<\u00e9>`"%20|', "https://example.com/a/b?c#a%20b%1B%3C%C3%A9%3E%60%22%20|"),
    ],
)
def test_url_is_parsed_as_in_a_browser(text: str, href: str) -> None:
    assert URL.parse(text, BASE).href == href


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http:///",
        "http://user@/",
        "http://a b/",
        "http://a<b/",
        "http://a%2fb/",
        "http://exa%23mple/",
        "http://example.com:65536/",
        "http://example.com:8o/",
        "http://[::1/",
        "http://[:::1]/",
        "http://[::1]x/",
        "http://1.2.3.4.5/",
        "http://256.256.256.256/",
        "http://a..b/",
        "http://a../",
        "http://./",
        "http://a%00b.6/",
    ],
)
def test_invalid_url_raises_url_error(text: str) -> None:
    with pytest.raises(URLError):
        URL.parse(text, BASE)


@pytest.mark.parametrize(("text", "base"), [("/x", None), ("", None), ("x", "mailto:a@b")])
def test_relative_url_without_http_base_raises_url_error(text: str, base: str | None) -> None:
    with pytest.raises(URLError, match="is not an absolute URL"):
        URL.parse(text, URL.parse(base) if base else None)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://api.example.com.", "https://api.example.com."),
        ("https://api.example.com.:8443", "https://api.example.com.:8443"),
        ("app://.", "app://."),
        ("app://-", "app://-"),
        ("app://1.2.3.", "app://1.2.3."),
        ("file://", "null"),
        ("null", "null"),
    ],
)
def test_page_origin_is_parsed(text: str, origin: str) -> None:
    assert str(parse_page_origin(text)) == origin
    assert Browser(text).page == origin


@pytest.mark.parametrize(
    "text", ["https://.", "https://a..", "https://127.0.0.1.", "https://a./", "app://..", "://."]
)
def test_invalid_page_origin_raises_origin_error(text: str) -> None:
    with pytest.raises(OriginError):
        parse_page_origin(text)


def test_url_has_origin_port_and_path() -> None:
    url = URL.parse("https://example.com/a?b#c")
    assert (str(url.origin), url.port, url.path) == ("https://example.com", 443, "/a")
    assert (str(url), url.fragment) == ("https://example.com/a?b", "c")
    assert URL.parse("http://example.com:8000/").port == 8000
    assert URL.parse("data:,x").origin.opaque
