"""A FastAPI application with policies of views, as pages of two origins use it in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from support.e2e.engines import RealBrowser
from support.e2e.pages import Pages, pages
from support.e2e.sockets import by_asgi

from corsguard import Policy
from corsguard_starlette import CORSGuard, cors_exempt, cors_policy

REFUSED = "TypeError"
FETCH = """
const [url, options] = args;
try {
  const response = await fetch(url, options);
  return [response.status, await response.text()];
} catch (error) {
  return [error.name];
}
"""
SOCKET = """
const [url] = args;
return new Promise((resolve) => {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.onmessage = ({ data }) => { resolve(data); socket.close(); };
  socket.onerror = () => resolve("refused");
});
"""


def build(listed: str, untrusted: str) -> FastAPI:
    """Build an application for pages of one origin, with views for pages of another one."""
    app = FastAPI()
    cors = CORSGuard(app, allow_origins=[listed], allow_methods=["PUT", "DELETE"], enforce=True)
    partners = APIRouter(prefix="/partners")
    cors.set_policy(partners, Policy(allow_origins=[untrusted], allow_methods=["PUT"]))

    @app.get("/items")
    @cors_policy(allow_origins=["*"])
    def read() -> str:
        return "read"

    @app.put("/items")
    def write() -> str:
        return "written"

    @app.delete("/items")
    @cors_exempt
    def remove() -> str:
        return "removed"

    @app.get("/crash")
    @cors_policy(allow_origins=[untrusted])
    def crash() -> None:
        raise RuntimeError

    @partners.put("/orders/{number}")
    def order(number: int) -> str:
        return f"order {number}"

    @partners.websocket("/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    app.include_router(partners, prefix="/v1")
    return app


class World(NamedTuple):
    """A browser, the origins of two pages in it, and the API."""

    browser: RealBrowser
    pages: Pages
    api: str

    def fetch(self, path: str, **options: object) -> list[Any]:
        answer: list[Any] = self.browser.run(FETCH, self.api + path, options)
        return answer


@pytest.fixture(scope="module")
def opened() -> Iterator[Pages]:
    with pages() as served:
        yield served


@pytest.fixture
def world(browser: RealBrowser, opened: Pages) -> Iterator[World]:
    with by_asgi(build(opened.listed, opened.stranger)) as url:
        browser.open(opened.listed)
        yield World(browser, opened, url)


def test_page_of_the_path_uses_the_views_without_policies(world: World) -> None:
    assert world.fetch("/items") == [200, '"read"']
    assert world.fetch("/items", method="PUT") == [200, '"written"']
    assert world.fetch("/items", method="DELETE") == [REFUSED]
    assert world.fetch("/v1/partners/orders/1", method="PUT") == [REFUSED]
    assert world.fetch("/crash") == [REFUSED]
    assert world.fetch("/nothing")[0] == 404


def test_page_of_the_views_uses_these_alone(world: World) -> None:
    world.browser.open(world.pages.stranger)
    assert world.fetch("/items") == [200, '"read"']
    assert world.fetch("/items", method="PUT") == [REFUSED]
    assert world.fetch("/v1/partners/orders/1", method="PUT") == [200, '"order 1"']
    assert world.fetch("/v1/partners/orders/one", method="PUT")[0] == 422
    assert world.fetch("/crash")[0] == 500
    assert world.fetch("/nothing") == [REFUSED]


def test_websocket_opens_for_pages_of_its_router(world: World) -> None:
    url = f"{world.api}/v1/partners/feed"
    assert world.browser.run(SOCKET, url) == "refused"
    world.browser.open(world.pages.stranger)
    assert world.browser.run(SOCKET, url) == "hello"
