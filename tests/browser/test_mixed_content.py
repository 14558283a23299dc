"""A redirect from https to plain http: mixed content, which no browser follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from support.scripted_server import API, PAGE, allowing, play, preflighted, redirect, seen

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, EngineName, Exchange
from corsguard_wsgi import CORSMiddleware

PLAIN = API.replace("https:", "http:")


def blocked_by(exchange: Exchange) -> Blocked:
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
def test_a_redirect_to_plain_http_of_the_same_host_is_blocked(
    status: int, to: str, engine: EngineName
) -> None:
    blocked = blocked_by(play(redirect(to, status, PAGE), engine=engine))
    assert "redirect to https" in blocked.fix
    assert "X-Forwarded-Proto" in blocked.fix
    assert len(blocked.exchange.hops) == 1


def test_it_is_blocked_after_a_preflight_too() -> None:
    exchange = play(preflighted("PUT"), redirect(PLAIN, 307, PAGE), method="PUT")
    blocked_by(exchange)
    assert exchange.preflights == 1


def test_it_is_blocked_on_the_page_s_own_host_and_where_nothing_is_read() -> None:
    own = f"{PAGE}/items"
    blocked_by(play(redirect(own.replace("https:", "http:")), url=own))
    blocked_by(play(redirect(PLAIN), mode="no-cors"))


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
def test_what_is_not_mixed_is_followed(page: str, url: str, to: str) -> None:
    answers = [redirect(to, origin="*"), allowing(origin="*")]
    assert seen(play(*answers, page=page, url=url)).redirected


@pytest.mark.parametrize(
    ("asked", "what"),
    [({}, "resource"), ({"upload_listener": True}, "XMLHttpRequest endpoint")],
)
def test_chromium_says_so(asked: dict[str, Any], what: str) -> None:
    exchange = play(redirect(PLAIN, 307, PAGE), engine="chromium", **asked)
    assert exchange.console == (
        f"Mixed Content: The page at '{PAGE}/' was loaded over HTTPS, but requested an insecure "
        f"{what} '{PLAIN}'. This request has been blocked; the content must be served over HTTPS."
    )


@pytest.mark.parametrize("to", ["http://testserver/items/", "http://elsewhere.example/"])
def test_an_application_that_takes_its_scheme_for_http_is_told_of_mixed_content(to: str) -> None:
    def service(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("307 Temporary Redirect", [("Location", to)])
        return []

    browser = Browser.on(CORSMiddleware(service, Policy(allow_origins=[PAGE])), page=PAGE)
    with pytest.raises(Blocked, match="mixed content") as blocked:
        browser.fetch("/items")
    blocked_by(blocked.value.exchange)
