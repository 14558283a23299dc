"""docs/graphql.md: Strawberry on FastAPI behind corsguard."""

# mypy: ignore-errors
# The framework is installed in the environment `ecosystem` alone.

from __future__ import annotations

import asyncio
import json
import sys
from types import ModuleType

import pytest
from support.doc_pages import read_blocks
from support.servers.threaded import by_uvicorn, serving
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from corsguard.browser import Blocked, Browser

APP, API, EVIL = "https://app.example.com", "https://api.example.com", "https://evil.example"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch):
    [code] = [block.code for block in read_blocks("graphql") if "strawberry" in block.code]
    module = ModuleType("main")  # Strawberry looks annotations up in the module of a class
    monkeypatch.setitem(sys.modules, "main", module)
    exec(compile(code, "graphql.md", "exec"), vars(module))
    return module.app


def test_page_reads_data_and_errors(app) -> None:
    browser = Browser.on(app, page=APP, url=API)
    send = {"method": "POST", "headers": {"Content-Type": "application/json"}}
    data = browser.fetch("/graphql", body=json.dumps({"query": "{ items }"}), **send)
    assert json.loads(data.body) == {"data": {"items": ["tea"]}}
    assert browser.fetch("/graphql", body="{", **send).status == 400
    assert browser.preflights == 1
    with pytest.raises(Blocked):
        Browser.on(app, page=EVIL, url=API).fetch("/graphql", body="{}", **send)


async def subscribe(url: str, origin: str) -> str:
    """Return the first event of a subscription, or the status that refuses its handshake."""
    try:
        async with connect(url, origin=origin, subprotocols=["graphql-transport-ws"]) as socket:
            await socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": "subscription { added }"}
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            return json.loads(await socket.recv())["payload"]["data"]["added"]
    except InvalidStatus as error:
        return f"refused: {error.response.status_code}"


def test_subscription_needs_an_allowed_origin(app) -> None:
    with serving(by_uvicorn, app) as url:
        socket = url.replace("http", "ws") + "/graphql"
        assert asyncio.run(subscribe(socket, APP)) == "coffee"
        assert asyncio.run(subscribe(socket, EVIL)) == "refused: 403"
