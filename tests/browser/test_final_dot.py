"""A host with a final dot is a host of its own, and so are its origin, its site, its cookies."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import PAGE, allowing, answer, headers_of, play, preflighted, refused

from corsguard import Policy
from corsguard.browser import BlockReason, Browser, Cookie, Request, assert_cors
from corsguard.browser.cookies import parse_cookie
from corsguard.browser.url import URL
from corsguard_wsgi import CORSMiddleware

DOTTED = "https://app.example.com."


def test_a_page_is_of_another_origin_with_the_dot() -> None:
    exchange = play(allowing(origin=DOTTED), page=DOTTED, url=f"{PAGE}/")
    assert headers_of(exchange)["Origin"] == DOTTED
    assert headers_of(exchange)["Sec-Fetch-Site"] == "cross-site"
    exchange = play(answer(), page=DOTTED, url=f"{DOTTED}/")
    assert headers_of(exchange)["Sec-Fetch-Site"] == "same-origin"
    assert headers_of(exchange)["Host"] == "app.example.com."
    exchange = play(allowing(origin=DOTTED), page=DOTTED, url="https://api.example.com./")
    assert headers_of(exchange)["Sec-Fetch-Site"] == "same-site"
    refused(play(allowing(), page=DOTTED), BlockReason.ALLOW_ORIGIN_MISMATCH, 'Fetch, "CORS check"')


def test_an_application_is_at_one_of_the_two() -> None:
    def service(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    app = CORSMiddleware(service, Policy(allow_origins=[PAGE]))
    assert_cors(app, page=PAGE, url="https://api.example.com./")
    assert_cors(app, page=DOTTED, url="https://api.example.com./", blocked="ALLOW_ORIGIN_MISSING")
    browser = Browser.on(app, page=PAGE, url="https://api.example.com.")
    assert browser.fetch("/").url == "https://api.example.com./"


@pytest.mark.parametrize(
    ("page", "url", "codes"),
    [
        (PAGE, "http://localhost.:8000/", ["local-network-access"]),
        (PAGE, "http://api.localhost./", ["local-network-access"]),
        (PAGE, "https://printer.local./", ["local-network-access"]),
        (PAGE, "http://api.example.com./", ["mixed-content"]),
    ],
)
def test_the_place_of_a_host_is_the_same_with_the_dot(
    page: str, url: str, codes: list[str]
) -> None:
    exchange = play(allowing(origin="*"), page=page, url=url)
    assert [caveat.code for caveat in exchange.caveats] == codes


def test_cookies_go_to_the_host_that_they_are_of() -> None:
    host = "api.example.com"
    plain, dotted = Cookie("a", "1", host), Cookie("b", "2", f"{host}.")
    browser = Browser(f"https://{host}.", cookies=[plain, dotted])
    [hop] = browser.play(Request("/"), lambda sent: answer()).hops
    assert dict(hop.sent.headers)["Cookie"] == "b=2"


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        ("example.com", None),
        ("example.com.", "example.com."),
        ("com.", None),
        ("co.uk.", None),
    ],
)
def test_the_domain_of_a_cookie_has_the_dot_too(domain: str, host: str | None) -> None:
    url = URL.parse(f"https://api.example.{'co.uk' if 'uk' in domain else 'com'}./")
    cookie = parse_cookie(f"a=1; Domain={domain}", url, 0)
    assert (cookie and cookie.host) == host


def test_electron_s_page_has_an_origin() -> None:
    exchange = play(
        preflighted("PUT", origin="app://."),
        allowing(origin="app://."),
        page="app://.",
        method="PUT",
    )
    assert exchange.allowed
    assert [headers_of(exchange, hop)["Origin"] for hop in (0, 1)] == ["app://."] * 2


def test_a_page_from_a_file_has_none() -> None:
    exchange = play(allowing(origin="null"), page="file://")
    assert (exchange.page, exchange.allowed) == ("null", True)
    assert headers_of(exchange)["Origin"] == "null"
