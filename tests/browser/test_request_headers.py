"""The headers that a browser adds: Host, Accept, Origin, Referer and Sec-Fetch-*."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    API,
    OTHER,
    OWN,
    PAGE,
    allow,
    allow_preflight,
    answer,
    get_sent_headers,
    play,
    redirect,
)

from corsguard.browser import EngineName


@pytest.mark.parametrize(
    ("url", "host"),
    [(API, "api.example.com"), ("https://API.example.com:8443/", "api.example.com:8443")],
)
def test_host_header_is_that_of_the_url(url: str, host: str) -> None:
    assert get_sent_headers(play(allow(), url=url))["Host"] == host


def test_accept_defaults_to_any() -> None:
    assert get_sent_headers(play(allow()))["Accept"] == "*/*"
    assert get_sent_headers(play(allow(), headers={"accept": "a/b"}))["Accept"] == "a/b"


@pytest.mark.parametrize(
    ("url", "method", "mode", "origin"),
    [
        (OWN, "GET", "cors", None),
        (OWN, "HEAD", "cors", None),
        (OWN, "POST", "cors", PAGE),
        (OWN, "DELETE", "same-origin", PAGE),
        (OWN, "GET", "no-cors", None),
        (OWN, "POST", "no-cors", PAGE),
        (API, "GET", "cors", PAGE),
        (API, "HEAD", "cors", PAGE),
        (API, "POST", "cors", PAGE),
        (API, "GET", "no-cors", None),
        (API, "POST", "no-cors", PAGE),
        ("http://api.example.com/", "POST", "no-cors", "null"),
        ("http://api.example.com/", "POST", "cors", PAGE),
    ],
)
def test_origin_is_sent_with_cors_and_unsafe_methods(
    url: str, method: str, mode: str, origin: str | None
) -> None:
    exchange = play(allow(), url=url, method=method, mode=mode)
    assert get_sent_headers(exchange).get("Origin") == origin


@pytest.mark.parametrize(
    ("named", "same_origin", "cross_origin", "plain_http"),
    [
        (None, True, True, False),
        ("no-referrer", False, False, False),
        ("same-origin", True, False, False),
        ("origin", True, True, True),
        ("Unsafe-URL", True, True, True),
        ("origin-when-cross-origin", True, True, True),
        ("no-referrer-when-downgrade", True, True, False),
        ("no-referrer, made-up, origin", True, True, True),
        ("no-referrer, made-up", False, False, False),
        ("no-referrer;", True, True, False),
    ],
)
def test_redirect_can_set_the_referrer_policy(
    named: str | None, same_origin: bool, cross_origin: bool, plain_http: bool
) -> None:
    policy = [("Referrer-Policy", named)] if named else []
    for url, is_sent in (
        (OWN, same_origin),
        (API, cross_origin),
        ("http://api.example.com/", plain_http),
    ):
        leading = answer(("Location", url), *policy, status=307)
        exchange = play(leading, allow(), url=OWN)
        assert get_sent_headers(exchange, 0)["Referer"] == f"{PAGE}/"
        assert get_sent_headers(exchange, 1).get("Referer") == (f"{PAGE}/" if is_sent else None)


@pytest.mark.parametrize(
    ("named", "same_origin", "cross_origin", "plain_http"),
    [
        ("strict-origin", PAGE, PAGE, "null"),
        ("no-referrer", "null", "null", "null"),
        ("same-origin", PAGE, "null", "null"),
        ("unsafe-url", PAGE, PAGE, PAGE),
    ],
)
def test_referrer_policy_hides_the_origin_outside_cors(
    named: str, same_origin: str, cross_origin: str, plain_http: str
) -> None:
    for url, origin in (
        (OWN, same_origin),
        (API, cross_origin),
        ("http://api.example.com/", plain_http),
    ):
        leading = answer(("Location", url), ("Referrer-Policy", named), status=307)
        exchange = play(leading, allow(), url=OWN, method="POST", mode="no-cors")
        assert get_sent_headers(exchange, 1)["Origin"] == origin


def test_opaque_page_sends_origin_null() -> None:
    exchange = play(answer(), page="null", mode="no-cors", method="POST")
    assert get_sent_headers(exchange)["Origin"] == "null"


@pytest.mark.parametrize(
    ("page", "url", "referrer"),
    [
        (PAGE, OWN, f"{PAGE}/"),
        (PAGE, API, f"{PAGE}/"),
        (PAGE, "http://api.example.com/", None),
        (PAGE, "http://localhost:8000/", f"{PAGE}/"),
        ("http://app.example.com", "http://api.example.com/", "http://app.example.com/"),
        ("http://localhost:8000", "http://api.example.com/", None),
        ("null", API, None),
    ],
)
def test_referrer_is_omitted_on_downgrade(page: str, url: str, referrer: str | None) -> None:
    exchange = play(allow(origin="*"), page=page, url=url)
    assert get_sent_headers(exchange).get("Referer") == referrer


@pytest.mark.parametrize(
    ("page", "url", "site"),
    [
        (PAGE, OWN, "same-origin"),
        (PAGE, API, "same-site"),
        (PAGE, OTHER, "cross-site"),
        ("http://app.example.com", API, "cross-site"),
        ("https://a.github.io", "https://b.github.io/", "cross-site"),
        ("https://a.example.co.uk", "https://b.example.co.uk/", "same-site"),
        ("https://192.0.2.1", "https://192.0.2.1:8443/", "same-site"),
        ("https://192.0.2.1", "https://198.51.2.1/", "cross-site"),
        ("http://localhost:3000", "http://localhost:8000/", "same-site"),
        ("http://localhost:3000", "http://127.0.0.1:8000/", "cross-site"),
        ("null", API, "cross-site"),
    ],
)
def test_sec_fetch_site_compares_page_and_url(page: str, url: str, site: str) -> None:
    headers = get_sent_headers(play(allow(origin="*"), page=page, url=url))
    assert headers["Sec-Fetch-Site"] == site
    assert headers["Sec-Fetch-Dest"] == "empty"


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
def test_sec_fetch_mode_is_the_request_mode(mode: str) -> None:
    assert get_sent_headers(play(answer(), url=OWN, mode=mode))["Sec-Fetch-Mode"] == mode


def test_sec_fetch_site_covers_all_redirects() -> None:
    exchange = play(redirect(OWN, origin=PAGE), allow(origin="null"))
    assert get_sent_headers(exchange)["Sec-Fetch-Site"] == "same-site"
    exchange = play(redirect(API, origin=PAGE), allow(origin="null"), url=OTHER)
    assert get_sent_headers(exchange)["Sec-Fetch-Site"] == "cross-site"


def test_sec_fetch_is_omitted_for_untrustworthy_urls() -> None:
    exchange = play(allow(), url="http://api.example.com/")
    assert [name for name in get_sent_headers(exchange) if name.startswith("sec-fetch")] == []


def test_webkit_encodes_header_values_as_utf_8() -> None:
    cases: list[tuple[EngineName, str, str]]
    cases = [("standard", "é", "é"), ("webkit", "Ã©", "ï¿½")]
    ok = allow_preflight(None, "x-a")
    actual = allow(("X-Latin", "é"), ("X-Utf", "Ã©"), ("Access-Control-Expose-Headers", "*"))
    for engine, sent, latin in cases:
        exchange = play(ok, actual, headers={"X-A": "é"}, engine=engine)
        assert get_sent_headers(exchange)["X-A"] == sent
        assert exchange.response is not None
        assert exchange.response.headers["X-Latin"] == latin
        assert exchange.response.headers["X-Utf"] == "Ã©"
