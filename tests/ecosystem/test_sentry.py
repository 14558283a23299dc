"""Sentry's middleware outside and inside of corsguard, as a page in a browser sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, assert_cors
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

PAGE = "https://app.example.com"
EVIL = "https://evil.example"
POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"], allow_credentials=True)


async def asgi_service(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        if scope["path"] == "/broken":
            raise LookupError("in the application")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


def wsgi_service(environ: Any, start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/broken":
        raise LookupError("in the application")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


class OldService:
    """An ASGI 2 application, which is called with the scope first."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await asgi_service(self.scope, receive, send)


APPS = {
    "asgi, outside": SentryAsgiMiddleware(ASGIMiddleware(asgi_service, POLICY)),
    "asgi, inside": ASGIMiddleware(SentryAsgiMiddleware(asgi_service), POLICY),
    "asgi, twice": SentryAsgiMiddleware(SentryAsgiMiddleware(ASGIMiddleware(asgi_service, POLICY))),
    "wsgi, outside": SentryWsgiMiddleware(WSGIMiddleware(wsgi_service, POLICY)),
    "wsgi, inside": WSGIMiddleware(SentryWsgiMiddleware(wsgi_service), POLICY),
}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
def test_allowed_page_reads_the_response(app: Any) -> None:
    browser = Browser.on(app, page=PAGE)
    response = browser.fetch("/items/1", method="PUT", credentials="include")
    assert (response.status, response.text, browser.preflights) == (200, "hello", 1)


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
def test_untrusted_page_is_blocked(app: Any) -> None:
    blocked = assert_cors(app, page=EVIL, method="PUT", blocked="ALLOW_ORIGIN_MISSING")
    assert isinstance(blocked, Blocked)


@pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())
def test_application_exception_is_raised_or_a_500(app: Any) -> None:
    with pytest.raises(LookupError, match="in the application"):
        Browser.on(app, page=PAGE).fetch("/broken")
    browser = Browser.on(app, page="https://testserver", raise_app_exceptions=False)
    assert browser.fetch("/broken").status == 500


def test_500_inside_asgi_adapter_carries_headers() -> None:
    browser = Browser.on(APPS["asgi, inside"], page=PAGE, raise_app_exceptions=False)
    assert browser.fetch("/broken").status == 500
    untrusted = Browser.on(APPS["asgi, inside"], page=EVIL, raise_app_exceptions=False)
    with pytest.raises(Blocked) as blocked:
        untrusted.fetch("/broken")
    assert blocked.value.reason is BlockReason.ALLOW_ORIGIN_MISSING


def test_asgi_2_application_is_called_twice() -> None:
    browser = Browser.on(SentryAsgiMiddleware(OldService), page="https://testserver")
    assert browser.fetch("/").text == "hello"
