"""A redirect from https to plain http, which browsers block as mixed content."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from support.scripted_server import (
    API,
    PAGE,
    allow,
    allow_preflight,
    expect_response,
    play,
    redirect,
)

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, EngineName, Exchange
from corsguard_wsgi import CORSMiddleware

PLAIN = API.replace("https:", "http:")


def expect_blocked(exchange: Exchange) -> Blocked:
    blocked = exchange.outcome
    assert isinstance(blocked, Blocked)
    assert blocked.reason is BlockReason.REDIRECT_SCHEME
    assert blocked.step.text.startswith(f"mixed content: {PAGE} is https")
    assert [caveat.code for caveat in exchange.caveats] == ["mixed-content"]
    return blocked


@pytest.mark.parametrize("engine", ["standard", "chromium", "firefox", "webkit"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to", [f"{PLAIN}/", "http://api.example.com:8080/", "http://api.example.com/x"]
)
def test_redirect_to_plain_http_same_host_is_blocked(
    status: int, to: str, engine: EngineName
) -> None:
    blocked = expect_blocked(play(redirect(to, status, PAGE), engine=engine))
    assert "redirect to https" in blocked.fix
    assert "X-Forwarded-Proto" in blocked.fix
    assert len(blocked.exchange.hops) == 1


def test_redirect_to_plain_http_after_preflight_is_blocked() -> None:
    exchange = play(allow_preflight("PUT"), redirect(PLAIN, 307, PAGE), method="PUT")
    expect_blocked(exchange)
    assert exchange.preflights == 1


def test_redirect_to_plain_http_is_blocked_in_every_mode() -> None:
    own = f"{PAGE}/items"
    expect_blocked(play(redirect(own.replace("https:", "http:")), url=own))
    expect_blocked(play(redirect(PLAIN), mode="no-cors"))


@pytest.mark.parametrize(
    ("page", "url", "to"),
    [
        ("http://app.example.com", API, PLAIN),
        ("null", API, PLAIN),
        (PAGE, "https://localhost:8443/", "http://localhost:8000/"),
        (PAGE, "https://127.0.0.1/", "http://127.0.0.1/"),
        (PAGE, "https://[::1]/", "http://[::1]/"),
        (PAGE, PLAIN, f"{PLAIN}/"),
        (PAGE, API, f"{API}/"),
    ],
)
def test_redirect_without_mixed_content_is_followed(page: str, url: str, to: str) -> None:
    answers = [redirect(to, origin="*"), allow(origin="*")]
    assert expect_response(play(*answers, page=page, url=url)).redirected


@pytest.mark.parametrize(
    ("arguments", "what"),
    [({}, "resource"), ({"upload_listener": True}, "XMLHttpRequest endpoint")],
)
def test_redirect_to_plain_http_console_matches_chromium(
    arguments: dict[str, Any], what: str
) -> None:
    exchange = play(redirect(PLAIN, 307, PAGE), engine="chromium", **arguments)
    assert exchange.console == (
        f"Mixed Content: The page at '{PAGE}/' was loaded over HTTPS, but requested an insecure "
        f"{what} '{PLAIN}'. This request has been blocked; the content must be served over HTTPS."
    )


@pytest.mark.parametrize("to", ["http://testserver/items/", "http://elsewhere.example/"])
def test_app_behind_tls_proxy_is_blocked_as_mixed_content(to: str) -> None:
    def service(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("307 Temporary Redirect", [("Location", to)])
        return []

    browser = Browser.on(CORSMiddleware(service, Policy(allow_origins=[PAGE])), page=PAGE)
    with pytest.raises(Blocked, match="mixed content") as blocked:
        browser.fetch("/items")
    expect_blocked(blocked.value.exchange)
