"""A host with a final dot: another origin, another site and other cookies."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    PAGE,
    allow,
    allow_preflight,
    answer,
    expect_refusal,
    get_sent_headers,
    play,
)

from corsguard import Policy
from corsguard.browser import BlockReason, Browser, Cookie, Request, assert_cors
from corsguard.browser.cookies import parse_cookie
from corsguard.browser.url import URL
from corsguard_wsgi import CORSMiddleware

DOTTED = "https://app.example.com."


def test_page_with_final_dot_is_another_origin() -> None:
    exchange = play(allow(origin=DOTTED), page=DOTTED, url=f"{PAGE}/")
    assert get_sent_headers(exchange)["Origin"] == DOTTED
    assert get_sent_headers(exchange)["Sec-Fetch-Site"] == "cross-site"
    exchange = play(answer(), page=DOTTED, url=f"{DOTTED}/")
    assert get_sent_headers(exchange)["Sec-Fetch-Site"] == "same-origin"
    assert get_sent_headers(exchange)["Host"] == "app.example.com."
    exchange = play(allow(origin=DOTTED), page=DOTTED, url="https://api.example.com./")
    assert get_sent_headers(exchange)["Sec-Fetch-Site"] == "same-site"
    expect_refusal(
        play(allow(), page=DOTTED), BlockReason.ALLOW_ORIGIN_MISMATCH, 'Fetch, "CORS check"'
    )


def test_application_with_final_dot_is_another_origin() -> None:
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
def test_network_of_a_host_ignores_the_final_dot(page: str, url: str, codes: list[str]) -> None:
    exchange = play(allow(origin="*"), page=page, url=url)
    assert [caveat.code for caveat in exchange.caveats] == codes


def test_cookie_host_includes_the_final_dot() -> None:
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
def test_cookie_domain_includes_the_final_dot(domain: str, host: str | None) -> None:
    url = URL.parse(f"https://api.example.{'co.uk' if 'uk' in domain else 'com'}./")
    cookie = parse_cookie(f"a=1; Domain={domain}", url, 0)
    assert (cookie and cookie.host) == host


def test_electron_page_has_an_origin() -> None:
    exchange = play(
        allow_preflight("PUT", origin="app://."),
        allow(origin="app://."),
        page="app://.",
        method="PUT",
    )
    assert exchange.allowed
    assert [get_sent_headers(exchange, hop)["Origin"] for hop in (0, 1)] == ["app://."] * 2


def test_file_page_has_an_opaque_origin() -> None:
    exchange = play(allow(origin="null"), page="file://")
    assert (exchange.page, exchange.allowed) == ("null", True)
    assert get_sent_headers(exchange)["Origin"] == "null"
