"""Browser.on an ASGI application: its lifespan, its streams, its failures."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser, assert_cors
from corsguard_asgi import CORSMiddleware

PATIENCE = 10  # seconds
PAGE = "https://app.example.com"
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ALLOWED = [(b"Access-Control-Allow-Origin", b"*")]


async def answer(send: Send, *chunks: bytes, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": ALLOWED})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})


class Service:
    """An application that records its lifespan and scopes, and echoes the body."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.loops: set[int] = set()
        self.scope: Scope = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.loops.add(id(asyncio.get_running_loop()))
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{what}"
                self.events.append(what)
                scope["state"]["made"] = "at the start"
                await send({"type": f"lifespan.{what}.complete"})
            return
        self.scope = scope
        message = await receive()
        await answer(send, message["body"], scope["state"]["made"].encode())


def test_scope_matches_that_of_a_server() -> None:
    service = Service()
    browser = Browser.on(service, page=PAGE, url="http://api.example.com")
    response = browser.fetch("/items/%C3%A4?q=1", method="POST", body=b"body, ")
    assert (response.status, response.text) == (200, "body, at the start")
    scope = service.scope
    assert (scope["method"], scope["scheme"], scope["path"]) == ("POST", "http", "/items/ä")
    assert (scope["raw_path"], scope["query_string"]) == (b"/items/%C3%A4", b"q=1")
    assert scope["server"] == ("api.example.com", 80)
    assert (b"origin", PAGE.encode()) in scope["headers"]


def test_lifespan_ends_with_the_browser() -> None:
    service = Service()
    browser = Browser.on(service, page=PAGE)
    assert service.events == []
    for _ in range(2):
        browser.fetch("/")
    assert service.events == ["startup"]
    del browser
    gc.collect()
    assert service.events == ["startup", "shutdown"]
    assert len(service.loops) == 1


def test_fetch_in_a_coroutine_works() -> None:
    async def test() -> str:
        return Browser.on(Service(), page=PAGE).fetch("/").text

    assert asyncio.run(test()) == "at the start"


def test_streamed_body_is_joined() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "no lifespan here"
        await answer(send, b"a", b"", b"b", status=206)

    response = Browser.on(app, page=PAGE).fetch("/")
    assert (response.status, response.body) == (206, b"ab")


def test_unknown_messages_are_ignored() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.debug", "info": {}})
        await answer(send, b"here")

    assert Browser.on(app, page=PAGE).fetch("/").text == "here"


def test_lifespan_that_returns_at_once_is_accepted() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(send, b"here")

    before = set(threading.enumerate())  # of which those of earlier tests may still end
    browser = Browser.on(app, page=PAGE)
    assert browser.fetch("/").text == "here"
    assert len(set(threading.enumerate()) - before) == 1
    del browser
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_client_disconnects_after_the_response() -> None:
    events: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        events.append((await receive())["type"])
        gone = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        events.append("gone" if gone.done() else "still there")
        await answer(send)
        events.append((await gone)["type"])

    Browser.on(app, page=PAGE).fetch("/")
    assert events == ["http.request", "still there", "http.disconnect"]


def test_failed_startup_fails_every_fetch() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    browser = Browser.on(app, page=PAGE)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="does not start: no database"):
            browser.fetch("/")


async def never_starts(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await asyncio.Event().wait()


async def ignores_its_scope(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("app", [never_starts, ignores_its_scope])
def test_late_startup_raises_timeout_error(app: Any) -> None:
    before = set(threading.enumerate())
    browser = Browser.on(app, page=PAGE)
    for _ in range(2):
        with pytest.raises(
            TimeoutError, match=r"the application's lifespan did not start within 0\.2 s$"
        ):
            browser.fetch("/", timeout=0.2)
        assert set(threading.enumerate()) <= before
    with pytest.raises(TimeoutError, match="did not start"):
        assert_cors(app, page=PAGE, blocked=True, timeout=0.2)


def test_startup_that_blocks_the_loop_raises_timeout_error() -> None:
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        over.wait(PATIENCE)

    before = set(threading.enumerate())
    with pytest.raises(TimeoutError, match=r"lifespan did not start .* blocks the event loop"):
        Browser.on(app, page=PAGE).fetch("/", timeout=0.2)
    over.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_startup_after_a_failure_serves_requests() -> None:
    starts: list[str] = []
    service = Service()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            starts.append("start")
            if len(starts) == 1:
                await asyncio.Event().wait()
        await service(scope, receive, send)

    browser = Browser.on(app, page=PAGE)
    with pytest.raises(TimeoutError):
        browser.fetch("/", timeout=0.2)
    assert browser.fetch("/").text == "at the start"


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("catches", [False, True])
def test_lifespan_that_does_not_end_is_cancelled(after: int, *, catches: bool) -> None:
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await answer(send, b"here")
            return
        for what in ("startup", "shutdown")[: after + 1]:
            await receive()
            await send({"type": f"lifespan.{what}.complete"})
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                if not catches:
                    raise
                return

    before = set(threading.enumerate())
    browser = Browser.on(app, page=PAGE)
    assert browser.fetch("/").text == "here"
    del browser
    gc.collect()
    assert ended == ["cancelled"]
    assert set(threading.enumerate()) <= before


def test_shutdown_that_blocks_the_loop_is_abandoned() -> None:
    over = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await answer(send, b"here")
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        over.wait(PATIENCE)

    before = set(threading.enumerate())
    browser = Browser.on(app, page=PAGE)
    assert browser.fetch("/").text == "here"
    del browser
    gc.collect()
    [thread] = set(threading.enumerate()) - before
    over.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_system_exit_in_lifespan_is_ignored() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise SystemExit(3)
        await answer(send, b"here")

    assert Browser.on(app, page=PAGE).fetch("/").text == "here"


def test_app_exception_is_raised_by_fetch() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("in the application")

    with pytest.raises(LookupError, match="in the application"):
        Browser.on(app, page=PAGE).fetch("/")


def test_app_without_response_raises_runtime_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    with pytest.raises(RuntimeError, match="sent no response"):
        Browser.on(app, page=PAGE).fetch("/")


def test_unused_app_is_not_shut_down() -> None:
    service = Service()
    browser = Browser.on(service, page=PAGE)
    del browser
    gc.collect()
    assert service.events == []


def test_preflight_is_answered_by_the_middleware() -> None:
    service = Service()
    policy = Policy(allow_origins=[PAGE], allow_headers=["X-A"])
    browser = Browser.on(CORSMiddleware(service, policy), page=PAGE)
    assert browser.fetch("/", headers={"X-A": "1"}).ok
    assert browser.preflights == 1
    with pytest.raises(Blocked) as blocked:
        browser.fetch("/", headers={"X-B": "1"})
    assert blocked.value.reason is BlockReason.HEADER_NOT_ALLOWED
    assert blocked.value.refusal.detail == "x-b"
