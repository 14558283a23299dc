"""The transport's timeouts: endless streams, late responses, blocked loops."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, assert_cors
from corsguard_asgi import CORSMiddleware
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

PAGE = "https://app.example.com"
EVIL = "https://evil.example"
POLICY = Policy(allow_origins=[PAGE], allow_methods=["PUT"])
SHORT = 0.2
PATIENCE = 30
KINDS = ["text/event-stream", "Text/Event-Stream; charset=utf-8", "text/plain"]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Endless:
    """An ASGI application whose stream never ends; records how it was disconnected."""

    def __init__(self, kind: str, wait: Callable[[Receive], Awaitable[object]]) -> None:
        self.kind = kind.encode()
        self.wait = wait
        self.left: list[str] = []

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", self.kind)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await receive()
            while True:
                await send(
                    {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}
                )
                if await self.wait(receive):
                    self.left.append("disconnected")
                    return
        except asyncio.CancelledError:
            self.left.append("cancelled")
            raise


async def wait_for_ever(receive: Receive) -> object:
    return await asyncio.Event().wait()


async def return_at_once(receive: Receive) -> object:
    return False


async def wait_for_disconnect(receive: Receive) -> object:
    return await receive()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("wait", "left"),
    [
        (wait_for_ever, "cancelled"),
        (return_at_once, "cancelled"),
        (wait_for_disconnect, "disconnected"),
    ],
)
def test_endless_stream_returns_what_has_arrived(
    kind: str, wait: Callable[[Receive], Awaitable[object]], left: str
) -> None:
    app = Endless(kind, wait)
    browser = Browser.on(CORSMiddleware(app, POLICY), page=PAGE)
    response = browser.fetch("/", timeout=SHORT)
    assert (response.status, response.headers["content-type"]) == (200, kind)
    assert response.body.startswith(b"data: 1\n\n")
    assert app.left == [left]
    assert browser.fetch("/", method="PUT", timeout=SHORT).ok
    assert browser.preflights == 1


def test_endless_stream_is_blocked_for_another_page() -> None:
    app = Endless("text/event-stream", wait_for_ever)
    browser = Browser.on(CORSMiddleware(app, POLICY), page=EVIL)
    with pytest.raises(Blocked) as blocked:
        browser.fetch("/", timeout=SHORT)
    assert blocked.value.reason is BlockReason.ALLOW_ORIGIN_MISSING
    assert assert_cors(app, page=EVIL, blocked=True, timeout=SHORT)


def test_app_that_ignores_cancellation_is_abandoned() -> None:
    over = threading.Event()
    ended = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not over.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        ended.set()

    browser = Browser.on(app, page="https://testserver")
    response = browser.fetch("/", timeout=SHORT)
    over.set()
    assert (response.status, response.body) == (200, b"")
    assert ended.wait(PATIENCE)


def test_late_response_raises_timeout_error() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await asyncio.Event().wait()

    for raises in (True, False):
        browser = Browser.on(app, page=PAGE, raise_app_exceptions=raises)
        with pytest.raises(TimeoutError, match=r"sent no response within 0\.2 s$"):
            browser.fetch("/", timeout=SHORT)
    with pytest.raises(TimeoutError):
        assert_cors(app, page=PAGE, blocked=True, timeout=SHORT)


def test_blocked_loop_raises_timeout_error() -> None:
    over = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        over.wait(PATIENCE)

    before = set(threading.enumerate())
    browser = Browser.on(app, page=PAGE)
    with pytest.raises(TimeoutError, match="it blocks the event loop"):
        browser.fetch("/", timeout=SHORT)
    del browser
    gc.collect()  # does not wait for the loop, whose thread ends when it can
    left = set(threading.enumerate()) - before
    assert len(left) == 1
    over.set()
    for thread in left:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_blocked_loop_ends_once_it_is_free() -> None:
    over = threading.Event()
    before = set(threading.enumerate())

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        if scope["path"] == "/slow":
            over.wait(PATIENCE)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    browser = Browser.on(app, page="https://testserver")
    with pytest.raises(TimeoutError):
        browser.fetch("/slow", timeout=SHORT)
    over.set()
    assert browser.fetch("/").status == 200
    del browser
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_body_over_the_limit_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("asgi", "wsgi"):
        monkeypatch.setattr(f"corsguard.browser.{module}.MAX_BODY_BYTES", 100)
    wsgi, _ = build_stream(["text/plain"], iter(lambda: b"a" * 60, b""))
    for app in (Endless("text/plain", return_at_once), wsgi):
        response = Browser.on(app, page="https://testserver").fetch("/", timeout=None)
        assert 100 <= len(response.body) <= 1_000


def test_body_before_start_raises_runtime_error() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"early"})

    with pytest.raises(RuntimeError, match=r"a body before http\.response\.start"):
        Browser.on(app, page=PAGE).fetch("/")


class Body:
    """A body that records whether it is closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed.set()


def build_stream(kinds: list[str], chunks: Iterable[bytes]) -> tuple[Any, Body]:
    body = Body(chunks)

    def app(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [("Content-Type", kind) for kind in kinds])
        return body

    return app, body


@pytest.mark.parametrize("kind", KINDS)
def test_endless_wsgi_stream_is_abandoned_and_closed(kind: str) -> None:
    app, body = build_stream([kind], iter(lambda: b"data: 1\n\n", b""))
    response = Browser.on(WSGIMiddleware(app, POLICY), page=PAGE).fetch("/", timeout=SHORT)
    assert response.headers["content-type"] == kind
    assert response.body.startswith(b"data: 1\n\n")
    assert body.closed.wait(PATIENCE)


def test_silent_wsgi_event_stream_returns_in_time() -> None:
    over = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"data: 1\n\n"
        over.wait(PATIENCE)
        yield b"data: 2\n\n"
        yield b"data: 3\n\n"

    app, body = build_stream(["text/event-stream"], chunks())
    response = Browser.on(app, page="https://testserver").fetch("/", timeout=SHORT)
    assert response.text == "data: 1\n\n"
    over.set()
    assert body.closed.wait(PATIENCE)


def test_finite_wsgi_event_stream_is_read_completely() -> None:
    said: ContextVar[str] = ContextVar("said")

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        token = said.set("data: 1\n\n")
        yield b""
        yield said.get().encode()
        said.reset(token)  # in the context in which it was set

    assert Browser.on(app, page="https://testserver").fetch("/").text == "data: 1\n\n"


def test_wsgi_event_stream_exception_is_raised() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"data: 1\n\n"
        raise LookupError("in the stream")

    app, body = build_stream(["text/event-stream"], chunks())
    with pytest.raises(LookupError, match="in the stream"):
        Browser.on(app, page=PAGE).fetch("/")
    assert body.closed.is_set()
    app, _ = build_stream(["text/event-stream"], chunks())
    browser = Browser.on(app, page="https://testserver", raise_app_exceptions=False)
    assert browser.fetch("/").text == "data: 1\n\n"


def test_late_wsgi_response_raises_timeout_error() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return iter(lambda: b"", b"never")

    with pytest.raises(TimeoutError, match=r"sent no response within 0\.2 s"):
        Browser.on(app, page=PAGE).fetch("/", timeout=SHORT)


@pytest.mark.parametrize("timeout", [0, -1, math.nan])
def test_invalid_timeout_raises_value_error(timeout: float) -> None:
    app, _ = build_stream([], [b"here"])
    with pytest.raises(
        ValueError, match=r"timeout=.* is not a positive number of seconds, nor None"
    ):
        Browser.on(app, page="https://testserver").fetch("/", timeout=timeout)


@pytest.mark.parametrize("timeout", [None, math.inf, 0.5, 60])
def test_finite_body_is_read_with_any_timeout(timeout: float | None) -> None:
    async def asgi(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    wsgi, _ = build_stream(["text/event-stream"], [b"he", b"re"])
    for app in (asgi, wsgi):
        assert Browser.on(app, page="https://testserver").fetch("/", timeout=timeout).text == "here"
