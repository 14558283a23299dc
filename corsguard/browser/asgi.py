"""Calling an ASGI application in this process (the ASGI specification)."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import TIMEOUT_MAX, Thread
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from corsguard.browser.interface import asgi_app
from corsguard.browser.messages import LARGEST_BODY, Answer, Outcome, Sent, late
from corsguard.browser.url import URL

__all__ = ["AsgiCaller"]

App = Callable[..., Awaitable[None]]
T = TypeVar("T")
_GRACE = 0.5  # seconds for an application to see that the client is gone
_VERSIONS = {"version": "3.0", "spec_version": "2.3"}


class AsgiCaller:
    """Calls an ASGI application, its lifespan included, on an event loop of its own.

    So a test may itself be a coroutine, and what the application keeps from one request to the
    next belongs to one loop. The loop ends with the caller.
    """

    def __init__(self, app: App) -> None:
        self._app = asgi_app(app)
        self._state: dict[str, Any] = {}
        self._loop: _Loop | None = None

    def __call__(self, sent: Sent, url: URL, timeout: float) -> Outcome:
        """Return what came within timeout seconds; raises TimeoutError where nothing did."""
        if self._loop is None:
            self._loop = self._started(timeout)
        exchange = _Exchange(self._app, sent, _scope(sent, url, self._state))
        return self._loop.run(exchange.play(timeout), timeout)

    def _started(self, timeout: float) -> _Loop:
        loop, lifespan = _Loop(), _Lifespan(self._app, self._state)
        close = weakref.finalize(self, loop.close, lifespan.stop)
        try:
            loop.run(lifespan.start(timeout), timeout, _late_start)
        except BaseException:
            close()
            raise
        return loop


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self._blocked: Future[Any] | None = None

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def run(
        self,
        coroutine: Coroutine[Any, Any, T],
        seconds: float,
        error: Callable[[float, str], TimeoutError] = late,
    ) -> T:
        """Run a coroutine that ends by itself about seconds from now.

        Raises the error where the loop does not get that far: something blocks it.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        _, waiting = wait([future], min(seconds + 3 * _GRACE, TIMEOUT_MAX))
        if waiting:
            self._blocked = future
            raise error(seconds, ": it blocks the event loop")
        return future.result()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run what comes last, and end; a loop that is blocked ends when it can."""
        if not self._is_blocked():
            with suppress(TimeoutError):  # it blocks the loop
                self.run(last(), 2 * _GRACE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if not self._is_blocked():
            self._thread.join()

    def _is_blocked(self) -> bool:
        return self._blocked is not None and not self._blocked.done()


class _Lifespan:
    """The ASGI specification, "Lifespan Protocol"."""

    def __init__(self, app: App, state: dict[str, Any]) -> None:
        self._app = app
        self._scope = {"type": "lifespan", "asgi": _VERSIONS, "state": state}
        self._asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    async def start(self, timeout: float) -> None:
        """Start the application up; one that knows no lifespan is left alone.

        Raises TimeoutError where that takes more than timeout seconds.
        """
        self._running = asyncio.create_task(self._run())
        told = await self._ask("lifespan.startup", timeout)
        if told is None:
            await _cancel(self._running)
            raise _late_start(timeout)
        if told["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application does not start: {told.get('message', '')}")

    async def stop(self) -> None:
        """Shut the application down; cancel it if it takes no notice."""
        if self._running is not None and not self._running.done():
            if await self._ask("lifespan.shutdown", _GRACE) is not None:
                await asyncio.wait({self._running}, timeout=_GRACE)
            await _cancel(self._running)

    async def _ask(self, what: str, timeout: float) -> dict[str, Any] | None:
        """Return the answer; None where none comes within timeout seconds."""
        await self._asked.put({"type": what})
        try:
            return await asyncio.wait_for(self._told.get(), timeout)
        except TimeoutError:
            return None

    async def _run(self) -> None:
        # An application that has no lifespan raises, or returns: either is an answer. So is
        # SystemExit, which would end the loop.
        with suppress(BaseException):
            await self._app(self._scope, self._asked.get, self._send)
        await self._told.put({"type": "lifespan.startup.complete"})

    async def _send(self, message: dict[str, Any]) -> None:
        if not message["type"].startswith("lifespan."):
            # It does not look at what is asked, and must not go on for ever.
            raise RuntimeError(f"{message['type']} is no answer to {self._scope['type']}")
        await self._told.put(message)


class _Exchange:
    """One request to an application, and what it sends."""

    def __init__(self, app: App, sent: Sent, scope: dict[str, Any]) -> None:
        self._app = app
        self._scope = scope
        self._messages = [{"type": "http.request", "body": sent.body or b"", "more_body": False}]
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._error: BaseException | None = None
        self._over = asyncio.Event()
        """Set when the response is complete, or the client is gone."""
        self._is_left = False
        self._is_full = asyncio.Event()

    async def play(self, timeout: float) -> Outcome:
        """Return what the application sends and raises within timeout seconds.

        After that the client leaves, as a browser does, and what has come is the answer. Raises
        TimeoutError where nothing has.
        """
        running = asyncio.create_task(self._run())
        full = asyncio.create_task(self._is_full.wait())
        await asyncio.wait({running, full}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        full.cancel()
        answer = self._answer()
        if running.done():
            if answer is None and self._error is None:
                self._error = RuntimeError("the application sent no response")
            return Outcome(answer, self._error)
        await self._leave(running)
        if answer is None:
            raise late(timeout)
        return Outcome(answer)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except BaseException as error:  # SystemExit, too, which would end the loop
            self._error = error

    def _answer(self) -> Answer | None:
        if not self._status:
            return None
        return Answer(self._status, tuple(self._headers), bytes(self._body))

    async def _leave(self, running: asyncio.Task[None]) -> None:
        """Disconnect, as the application can see; cancel it if it takes no notice."""
        self._is_left = True
        self._over.set()
        await asyncio.wait({running}, timeout=_GRACE)
        await _cancel(running)

    async def _receive(self) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop()
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)  # so that a stream which never waits does not stop the loop
        if self._is_left:
            return
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for name, value in message.get("headers", ()):
                self._headers.append((name.decode("latin-1"), value.decode("latin-1")))
        elif message["type"] == "http.response.body":
            if not self._status:
                raise RuntimeError("the application sent a body before http.response.start")
            self._body += message.get("body", b"")
            if len(self._body) > LARGEST_BODY:
                self._is_full.set()
            if not message.get("more_body", False):
                self._over.set()


async def _cancel(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait({running}, timeout=_GRACE)


def _late_start(seconds: float, why: str = "") -> TimeoutError:
    return TimeoutError(f"the application's lifespan did not start within {seconds:g} s{why}")


def _scope(sent: Sent, url: URL, state: dict[str, Any]) -> dict[str, Any]:
    """The ASGI specification, "HTTP Connection Scope"."""
    raw, _, query = url.target.partition("?")
    return {
        "type": "http",
        "asgi": _VERSIONS,
        "http_version": "1.1",
        "method": sent.method,
        "scheme": url.scheme,
        "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
        "raw_path": raw.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in sent.headers
        ],
        "client": ("127.0.0.1", 50_000),
        "server": (url.origin.host, url.port),
        "state": dict(state),
        "extensions": {},
    }
