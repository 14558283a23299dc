"""The transport where an application raises, with raise_app_exceptions=False."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, assert_cors
from corsguard_asgi import CORSMiddleware

PAGE = "https://app.example.com"
OWN = "https://testserver"
Send = Callable[[Any], Awaitable[None]]


async def raise_error(scope: Any, receive: Any, send: Send) -> None:
    raise LookupError("in the application")


async def raise_mid_body(scope: Any, receive: Any, send: Send) -> None:
    headers = [(b"access-control-allow-origin", b"*")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b"half of", "more_body": True})
    raise LookupError("in the application")


async def send_nothing(scope: Any, receive: Any, send: Send) -> None:
    pass


def wsgi_raise_error(environ: Any, start_response: Any) -> Any:
    raise LookupError("in the application")


def wsgi_raise_mid_body(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("202 Accepted", [("Access-Control-Allow-Origin", "*")])
    yield b"half of"
    raise LookupError("in the application")


def wsgi_send_nothing(environ: Any, start_response: Any) -> list[bytes]:
    return []


@pytest.mark.parametrize("app", [raise_error, send_nothing, wsgi_raise_error, wsgi_send_nothing])
def test_app_that_raises_becomes_plain_500(app: Any) -> None:
    browser = Browser.on(app, page=OWN, raise_app_exceptions=False)
    response = browser.fetch("/")
    assert (response.status, response.text) == (500, "Internal Server Error")
    assert browser.fetch("/", method="HEAD").body == b""
    with pytest.raises(Blocked) as blocked:
        Browser.on(app, page=PAGE, raise_app_exceptions=False).fetch("/")
    assert blocked.value.reason is BlockReason.ALLOW_ORIGIN_MISSING
    assert assert_cors(app, page=PAGE, raise_app_exceptions=False, blocked=True)


@pytest.mark.parametrize("app", [raise_mid_body, wsgi_raise_mid_body])
def test_app_that_raises_mid_body_keeps_partial_response(app: Any) -> None:
    response = Browser.on(app, page=PAGE, raise_app_exceptions=False).fetch("/")
    assert (response.status, response.text) == (202, "half of")
    with pytest.raises(LookupError, match="in the application"):
        Browser.on(app, page=PAGE).fetch("/")


def test_adapter_500_has_cors_headers() -> None:
    app = CORSMiddleware(raise_error, Policy(allow_origins=[PAGE]))
    assert Browser.on(app, page=PAGE, raise_app_exceptions=False).fetch("/").status == 500
    with pytest.raises(LookupError, match="in the application"):
        Browser.on(app, page=PAGE).fetch("/")


def test_exit_exceptions_are_always_raised() -> None:
    async def exit_process(scope: Any, receive: Any, send: Send) -> None:
        assert scope["type"] == "http"
        raise SystemExit(3)

    def wsgi_exit(environ: Any, start_response: Any) -> Any:
        raise SystemExit(3)

    for app in (exit_process, wsgi_exit):
        for raises in (True, False):
            with pytest.raises(SystemExit, match="3"):
                Browser.on(app, page=PAGE, raise_app_exceptions=raises).fetch("/")
