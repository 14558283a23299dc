"""One application behind each adapter, as pages of two origins use it in real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from support.e2e.adapters import ADAPTERS, WITH_WEBSOCKETS
from support.e2e.engines import RealBrowser
from support.e2e.pages import Pages, pages
from support.e2e.site import Site

from corsguard import Guard, Policy

REFUSED = "TypeError"
# WebKitGTK loads fonts in the mode `no-cors`, with no Origin.
FONTS_WITHOUT_CORS = {"webkit"}
# What a script sees of an answer: the status, the text, and one header.
FETCH = """
const [url, options, header] = args;
try {
  const response = await fetch(url, options);
  return [response.status, await response.text(), response.headers.get(header)];
} catch (error) {
  return [error.name];
}
"""
STREAM = """
const [url] = args;
const reader = (await fetch(`${url}/stream`)).body.getReader();
const decoder = new TextDecoder();
const first = decoder.decode((await reader.read()).value);
await fetch(`${url}/go`);
let rest = "";
for (let read = await reader.read(); !read.done; read = await reader.read()) {
  rest += decoder.decode(read.value);
}
return [first, rest];
"""
SANDBOXED = """
const [url] = args;
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts";
frame.srcdoc = `<script>fetch("${url}").then((response) => response.status, (error) => error.name)
  .then((seen) => parent.postMessage(seen, "*"))</script>`;
const received = new Promise((resolve) => addEventListener("message", resolve, { once: true }));
document.body.append(frame);
const { data } = await received;
frame.remove();
return data;
"""
IMAGE = """
const [url] = args;
const image = new Image();
image.crossOrigin = "anonymous";
image.src = url;
try {
  await image.decode();
} catch {
  return "refused";
}
const pen = document.createElement("canvas").getContext("2d");
pen.drawImage(image, 0, 0);
return pen.getImageData(0, 0, 1, 1).data.length;
"""
FONT = """
const [url] = args;
return new FontFace("Empty", `url(${url})`).load().then(({ status }) => status, () => "refused");
"""
SOCKET = """
const [url] = args;
return new Promise((resolve) => {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => { resolve(data); socket.close(); };
  socket.onerror = () => resolve("refused");
});
"""


class World(NamedTuple):
    """A browser, the origins of two pages in it, and an API that lists one of them."""

    browser: RealBrowser
    pages: Pages
    api: str
    site: Site

    def fetch(self, path: str, header: str = "X-Total", **options: object) -> list[Any]:
        answer: list[Any] = self.browser.run(FETCH, self.api + path, options, header)
        return answer

    def run(self, script: str, path: str = "") -> Any:
        return self.browser.run(script, self.api + path)

    def open(self, origin: str) -> None:
        self.browser.open(origin)
        self.site.arrived.clear()
        self.site.reached.clear()


@pytest.fixture(scope="module")
def opened() -> Iterator[Pages]:
    with pages() as served:
        yield served


@pytest.fixture(params=ADAPTERS)
def world(request: pytest.FixtureRequest, browser: RealBrowser, opened: Pages) -> Iterator[World]:
    """Return a world on a new port, so that nothing of it is in the browser's cache."""
    policy = Policy(
        allow_origins=[opened.listed],
        allow_credentials=True,
        allow_methods=["PUT", "PATCH", "DELETE"],
        allow_headers=["Content-Type", "X-Trace"],
        expose_headers=["X-Total"],
    )
    routes = {"/": policy, "/public": Policy(allow_origins=["*"])}
    guard = Guard(routes, enforce=True, enforce_exempt=["/public"])
    site = Site()
    with ADAPTERS[request.param](site, guard) as url:
        there = World(browser, opened, url, site)
        there.open(opened.listed)
        yield there


def test_listed_page_reads_the_response(world: World) -> None:
    assert world.fetch("/items") == [200, "GET", "3"]
    assert world.fetch("/items", "X-Hidden") == [200, "GET", None]
    assert world.fetch("/items", method="POST", body="text") == [200, "POST", "3"]
    assert world.site.preflights == 0

    traced = {"X-Trace": "7"}
    assert world.fetch("/items", method="PUT", headers=traced, body="{}") == [200, "PUT", "3"]
    assert world.site.arrived[-2:] == [("OPTIONS", "/items"), ("PUT", "/items")]
    assert ("OPTIONS", "/items") not in world.site.reached
    assert world.fetch("/items", headers={"X-Other": "8"}) == [REFUSED]
    assert world.fetch("/items", method="CHICKEN") == [REFUSED]


def test_five_methods_need_one_preflight(world: World) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        headers = {"Content-Type": "application/json"} if method != "GET" else {}
        assert world.fetch("/items", method=method, headers=headers)[:2] == [200, method]

    assert world.site.preflights == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 500, 503])
def test_listed_page_reads_an_error(world: World, status: int) -> None:
    assert world.fetch(f"/status/{status}")[:2] == [status, f"this is {status}"]


def test_cookies_are_sent_with_credentials_include(world: World) -> None:
    assert world.fetch("/login", method="POST", credentials="include")[0] == 204
    assert world.fetch("/items", credentials="include")[:2] == [200, "GET session=ada"]
    assert world.fetch("/items", credentials="omit")[:2] == [200, "GET"]


def test_redirect_is_followed_as_fetch_says(world: World) -> None:
    assert world.fetch("/redirect")[:2] == [200, "GET"]
    # To another origin, which leaves the request with the origin `null`.
    assert world.fetch("/away") == [REFUSED]
    assert world.site.reached[-1] == ("GET", "/items")


def test_stream_is_read_while_it_arrives(world: World) -> None:
    assert world.run(STREAM) == ["one ", "two three"]


def test_sandboxed_frame_has_a_null_origin(world: World) -> None:
    assert world.run(SANDBOXED, "/items") == REFUSED
    assert world.run(SANDBOXED, "/public/items") == 200


def test_images_and_fonts_load_as_fetch_says(world: World) -> None:
    assert world.run(IMAGE, "/dot.gif") == 4
    assert world.run(FONT, "/empty.ttf") == "loaded"

    world.open(world.pages.stranger)
    assert world.run(IMAGE, "/other/dot.gif") == "refused"
    asks = world.browser.name not in FONTS_WITHOUT_CORS
    assert world.run(FONT, "/other/empty.ttf") == ("refused" if asks else "loaded")
    assert world.run(IMAGE, "/public/dot.gif") == 4
    assert world.run(FONT, "/public/empty.ttf") == "loaded"


def test_unlisted_page_reads_nothing_and_changes_nothing(world: World) -> None:
    world.open(world.pages.stranger)

    assert world.fetch("/items") == [REFUSED]
    assert world.fetch("/public/items")[:2] == [200, "GET"]
    assert world.fetch("/items", method="POST", body="text") == [REFUSED]
    assert world.fetch("/items", method="POST", body="text", mode="no-cors") == [0, "", None]
    assert world.fetch("/items", method="DELETE") == [REFUSED]
    assert world.site.reached == [("GET", "/items"), ("GET", "/public/items")]


@pytest.mark.parametrize("world", WITH_WEBSOCKETS, indirect=True)
def test_websocket_opens_for_listed_pages_only(world: World) -> None:
    assert world.run(SOCKET, "/socket") == "hello"

    world.open(world.pages.stranger)
    assert world.run(SOCKET, "/socket") == "refused"
