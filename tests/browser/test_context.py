"""What a browser adds by itself: Host, Accept, Origin, Referer and Sec-Fetch-*."""

from __future__ import annotations

import pytest
from support.scripted_server import (
    API,
    OTHER,
    OWN,
    PAGE,
    allowing,
    answer,
    headers_of,
    play,
    preflighted,
    redirect,
)

from corsguard.browser import EngineName


@pytest.mark.parametrize(
    ("url", "host"),
    [(API, "api.example.com"), ("https://API.example.com:8443/", "api.example.com:8443")],
)
def test_host_is_the_url_s(url: str, host: str) -> None:
    assert headers_of(play(allowing(), url=url))["Host"] == host


def test_accept_is_anything_unless_the_script_says_so() -> None:
    assert headers_of(play(allowing()))["Accept"] == "*/*"
    assert headers_of(play(allowing(), headers={"accept": "a/b"}))["Accept"] == "a/b"


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
def test_origin_goes_with_cors_and_with_every_method_that_changes(
    url: str, method: str, mode: str, origin: str | None
) -> None:
    exchange = play(allowing(), url=url, method=method, mode=mode)
    assert headers_of(exchange).get("Origin") == origin


@pytest.mark.parametrize(
    ("named", "at_home", "abroad", "in_plain"),
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
def test_a_redirect_may_set_the_policy_of_the_referrer(
    named: str | None, at_home: bool, abroad: bool, in_plain: bool
) -> None:
    policy = [("Referrer-Policy", named)] if named else []
    for url, told in ((OWN, at_home), (API, abroad), ("http://api.example.com/", in_plain)):
        leading = answer(("Location", url), *policy, status=307)
        exchange = play(leading, allowing(), url=OWN)
        assert headers_of(exchange, 0)["Referer"] == f"{PAGE}/"
        assert headers_of(exchange, 1).get("Referer") == (f"{PAGE}/" if told else None)


@pytest.mark.parametrize(
    ("named", "at_home", "abroad", "in_plain"),
    [
        ("strict-origin", PAGE, PAGE, "null"),
        ("no-referrer", "null", "null", "null"),
        ("same-origin", PAGE, "null", "null"),
        ("unsafe-url", PAGE, PAGE, PAGE),
    ],
)
def test_and_that_policy_hides_the_origin_where_cors_has_no_use_for_it(
    named: str, at_home: str, abroad: str, in_plain: str
) -> None:
    for url, origin in ((OWN, at_home), (API, abroad), ("http://api.example.com/", in_plain)):
        leading = answer(("Location", url), ("Referrer-Policy", named), status=307)
        exchange = play(leading, allowing(), url=OWN, method="POST", mode="no-cors")
        assert headers_of(exchange, 1)["Origin"] == origin


def test_the_origin_of_a_page_without_one_is_null() -> None:
    exchange = play(answer(), page="null", mode="no-cors", method="POST")
    assert headers_of(exchange)["Origin"] == "null"


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
def test_the_referrer_is_the_page_unless_that_is_https_and_the_url_is_not(
    page: str, url: str, referrer: str | None
) -> None:
    exchange = play(allowing(origin="*"), page=page, url=url)
    assert headers_of(exchange).get("Referer") == referrer


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
def test_sec_fetch_site_tells_how_far_the_url_is(page: str, url: str, site: str) -> None:
    headers = headers_of(play(allowing(origin="*"), page=page, url=url))
    assert headers["Sec-Fetch-Site"] == site
    assert headers["Sec-Fetch-Dest"] == "empty"


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
def test_sec_fetch_mode_is_the_mode(mode: str) -> None:
    assert headers_of(play(answer(), url=OWN, mode=mode))["Sec-Fetch-Mode"] == mode


def test_sec_fetch_site_is_of_the_farthest_url_on_the_way() -> None:
    exchange = play(redirect(OWN, origin=PAGE), allowing(origin="null"))
    assert headers_of(exchange)["Sec-Fetch-Site"] == "same-site"
    exchange = play(redirect(API, origin=PAGE), allowing(origin="null"), url=OTHER)
    assert headers_of(exchange)["Sec-Fetch-Site"] == "cross-site"


def test_nobody_on_the_network_is_told_sec_fetch() -> None:
    exchange = play(allowing(), url="http://api.example.com/")
    assert [name for name in headers_of(exchange) if name.startswith("sec-fetch")] == []


def test_webkit_writes_and_reads_header_values_as_utf_8() -> None:
    cases: list[tuple[EngineName, str, str]]
    cases = [("standard", "é", "é"), ("webkit", "Ã©", "ï¿½")]
    ok = preflighted(None, "x-a")
    actual = allowing(("X-Latin", "é"), ("X-Utf", "Ã©"), ("Access-Control-Expose-Headers", "*"))
    for engine, sent, latin in cases:
        exchange = play(ok, actual, headers={"X-A": "é"}, engine=engine)
        assert headers_of(exchange)["X-A"] == sent
        assert exchange.response is not None
        assert exchange.response.headers["X-Latin"] == latin
        assert exchange.response.headers["X-Utf"] == "Ã©"
