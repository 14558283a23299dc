"""docs/websockets.md: handshakes of real clients at the applications of the page."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from flask import Flask
from support.doc_pages import read_blocks
from support.servers.threaded import by_uvicorn, serving
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from corsguard import Policy, PolicyWarning
from corsguard.browser import Blocked, Browser
from corsguard_flask import CORSGuard

PAGE = "websockets"
APP, API, EVIL = "https://app.example.com", "https://api.example.com", "https://evil.example"
FASTAPI, QUART, SOCKET_IO = read_blocks(PAGE, "python")


def run_block(code: str) -> Any:
    """Return the application that a block of the page creates."""
    names: dict[str, Any] = {"__name__": "main"}
    exec(compile(code, f"{PAGE}.md", "exec"), names)
    return names["app"]


def test_page_has_no_other_blocks() -> None:
    # tests/e2e runs the js, and tests/ecosystem the application with Socket.IO.
    languages = [block.language for block in read_blocks(PAGE)]
    assert languages == ["python", "js", "python", "python", "js", "js"]
    assert "flask_socketio" in SOCKET_IO.code


async def open_socket(url: str, **headers: str) -> str:
    """Return the first message of a socket, or the status that refuses its handshake."""
    try:
        async with connect(url, additional_headers=headers) as socket:
            return str(await socket.recv())
    except InvalidStatus as error:
        return f"refused: {error.response.status_code}"


@pytest.mark.parametrize("code", [FASTAPI.code, QUART.code], ids=["fastapi", "quart"])
def test_handshake_needs_an_allowed_origin(code: str) -> None:
    with serving(by_uvicorn, run_block(code)) as url:
        socket = url.replace("http", "ws") + "/feed"
        assert asyncio.run(open_socket(socket, Origin=APP, Cookie="session=ada")) == "hello"
        assert asyncio.run(open_socket(socket, Origin=EVIL)) == "refused: 403"
        assert asyncio.run(open_socket(socket)) == "hello"  # not a browser


def test_handshake_with_a_cookie_needs_credentials() -> None:
    code = FASTAPI.code.replace("    allow_credentials=True,\n", "")
    with serving(by_uvicorn, run_block(code)) as url:
        socket = url.replace("http", "ws") + "/feed"
        assert asyncio.run(open_socket(socket, Origin=APP)) == "hello"
        refused = asyncio.run(open_socket(socket, Origin=APP, Cookie="session=ada"))
        assert refused == "refused: 403"


def test_without_enforce_every_handshake_passes() -> None:
    code = FASTAPI.code.replace("    enforce=True,\n", "")
    with serving(by_uvicorn, run_block(code)) as url:
        assert asyncio.run(open_socket(url.replace("http", "ws") + "/feed", Origin=EVIL)) == "hello"


def test_handshake_of_flask_needs_an_allowed_origin() -> None:
    app = Flask(__name__)
    app.add_url_rule("/feed", view_func=lambda: "the handshake", websocket=True)
    CORSGuard(app, allow_origins=[APP], enforce=True)
    for origin, status in ((APP, 200), (EVIL, 403)):
        fields = {"Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket"}
        assert app.test_client().get("/feed", headers=fields).status_code == status


def test_origin_of_a_socket_matches_nothing() -> None:
    with pytest.warns(PolicyWarning, match="wss://api.example.com matches no request"):
        Policy(allow_origins=["wss://api.example.com"])
    with warnings.catch_warnings(action="error"):
        Policy(allow_origins=[APP])


def test_events_are_read_by_the_page_alone() -> None:
    app = run_block(FASTAPI.code)
    browser = Browser.on(app, page=APP, url=API)
    response = browser.fetch("/events", credentials="include")
    assert response.body == (
        b"id: 1\nretry: 10\ndata: event 1\n\nid: 2\nretry: 10\ndata: event 2\n\n"
    )
    with pytest.raises(Blocked):
        Browser.on(app, page=EVIL, url=API).fetch("/events")
    with pytest.raises(Blocked, match="authorization"):
        browser.fetch("/events", headers={"Authorization": "Bearer abc"})
