"""The ASGI side of the transport: it calls an application in this process (ASGI 3)."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import TIMEOUT_MAX, Thread
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from corsguard.browser.interface import as_asgi3
from corsguard.browser.messages import MAX_BODY_BYTES, Answer, Outcome, Sent, build_timeout_error
from corsguard.browser.url import URL

__all__ = ["ASGICaller"]

App = Callable[..., Awaitable[None]]
T = TypeVar("T")
_GRACE = 0.5  # seconds for an application to notice that the client has disconnected
_VERSIONS = {"version": "3.0", "spec_version": "2.3"}


class ASGICaller:
    """A caller of an ASGI application and its lifespan, on a separate event loop.

    A test may therefore be a coroutine, and the state that the application shares between requests
    belongs to one loop. The loop ends when the caller is collected.
    """

    def __init__(self, app: App) -> None:
        self._app = as_asgi3(app)
        self._state: dict[str, Any] = {}
        self._loop: _Loop | None = None

    def __call__(self, sent: Sent, url: URL, timeout: float) -> Outcome:
        """Return what the application sent within timeout seconds.

        Raises TimeoutError where no response began.
        """
        if self._loop is None:
            self._loop = self._start_loop(timeout)
        exchange = _Exchange(self._app, sent, _build_scope(sent, url, self._state))
        return self._loop.run(exchange.run(timeout), timeout)

    def _start_loop(self, timeout: float) -> _Loop:
        loop, lifespan = _Loop(), _Lifespan(self._app, self._state)
        close = weakref.finalize(self, loop.close, lifespan.stop)
        try:
            loop.run(lifespan.start(timeout), timeout, _build_start_timeout)
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
        error: Callable[[float, str], TimeoutError] = build_timeout_error,
    ) -> T:
        """Run a coroutine that ends by itself after about seconds.

        Raises the error that `error` builds where something blocks the loop.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        _, waiting = wait([future], min(seconds + 3 * _GRACE, TIMEOUT_MAX))
        if waiting:
            self._blocked = future
            raise error(seconds, ": it blocks the event loop")
        return future.result()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the last coroutine and end the loop; a blocked loop ends once it is free."""
        if not self._is_blocked():
            with suppress(TimeoutError):  # the application blocks the loop
                self.run(last(), 2 * _GRACE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        if not self._is_blocked():
            self._thread.join()

    def _is_blocked(self) -> bool:
        return self._blocked is not None and not self._blocked.done()


class _Lifespan:
    """The lifespan of an application (the ASGI specification, "Lifespan Protocol")."""

    def __init__(self, app: App, state: dict[str, Any]) -> None:
        self._app = app
        self._scope = {"type": "lifespan", "asgi": _VERSIONS, "state": state}
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    async def start(self, timeout: float) -> None:
        """Start the application up, where it supports the lifespan protocol.

        Raises TimeoutError after timeout seconds, and RuntimeError where the startup fails.
        """
        self._running = asyncio.create_task(self._run())
        reply = await self._request("lifespan.startup", timeout)
        if reply is None:
            await _cancel(self._running)
            raise _build_start_timeout(timeout)
        if reply["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application does not start: {reply.get('message', '')}")

    async def stop(self) -> None:
        """Shut the application down; cancel it if it does not end."""
        if self._running is not None and not self._running.done():
            if await self._request("lifespan.shutdown", _GRACE) is not None:
                await asyncio.wait({self._running}, timeout=_GRACE)
            await _cancel(self._running)

    async def _request(self, event: str, timeout: float) -> dict[str, Any] | None:
        """Send an event and return the reply, or None after timeout seconds."""
        await self._incoming.put({"type": event})
        try:
            return await asyncio.wait_for(self._outgoing.get(), timeout)
        except TimeoutError:
            return None

    async def _run(self) -> None:
        # An application without a lifespan raises or returns, and both complete the startup.
        # SystemExit is suppressed because it would end the loop.
        with suppress(BaseException):
            await self._app(self._scope, self._incoming.get, self._send)
        await self._outgoing.put({"type": "lifespan.startup.complete"})

    async def _send(self, message: dict[str, Any]) -> None:
        if not message["type"].startswith("lifespan."):
            # The application ignores the scope's type, and would otherwise run on for ever.
            raise RuntimeError(f"{message['type']} is not a reply to {self._scope['type']}")
        await self._outgoing.put(message)


class _Exchange:
    """One request to an application, and the response that it sends."""

    def __init__(self, app: App, sent: Sent, scope: dict[str, Any]) -> None:
        self._app = app
        self._scope = scope
        self._messages = [{"type": "http.request", "body": sent.body or b"", "more_body": False}]
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._error: BaseException | None = None
        self._over = asyncio.Event()
        """Set when the response is complete, or the client has disconnected."""
        self._is_disconnected = False
        self._is_full = asyncio.Event()

    async def run(self, timeout: float) -> Outcome:
        """Return what the application sends and raises within timeout seconds.

        After that the client disconnects, as a browser does, and what has arrived is the response.
        Raises TimeoutError where none has begun.
        """
        running = asyncio.create_task(self._run())
        full = asyncio.create_task(self._is_full.wait())
        await asyncio.wait({running, full}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        full.cancel()
        answer = self._build_answer()
        if running.done():
            if answer is None and self._error is None:
                self._error = RuntimeError("the application sent no response")
            return Outcome(answer, self._error)
        await self._disconnect(running)
        if answer is None:
            raise build_timeout_error(timeout)
        return Outcome(answer)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except BaseException as error:  # SystemExit too would end the loop
            self._error = error

    def _build_answer(self) -> Answer | None:
        if not self._status:
            return None
        return Answer(self._status, tuple(self._headers), bytes(self._body))

    async def _disconnect(self, running: asyncio.Task[None]) -> None:
        """Send `http.disconnect` to the application; cancel it if it does not end."""
        self._is_disconnected = True
        self._over.set()
        await asyncio.wait({running}, timeout=_GRACE)
        await _cancel(running)

    async def _receive(self) -> dict[str, Any]:
        if self._messages:
            return self._messages.pop()
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)  # a stream that never waits would block the loop
        if self._is_disconnected:
            return
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for name, value in message.get("headers", ()):
                self._headers.append((name.decode("latin-1"), value.decode("latin-1")))
        elif message["type"] == "http.response.body":
            if not self._status:
                raise RuntimeError("the application sent a body before http.response.start")
            self._body += message.get("body", b"")
            if len(self._body) > MAX_BODY_BYTES:
                self._is_full.set()
            if not message.get("more_body", False):
                self._over.set()


async def _cancel(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait({running}, timeout=_GRACE)


def _build_start_timeout(seconds: float, why: str = "") -> TimeoutError:
    return TimeoutError(f"the application's lifespan did not start within {seconds:g} s{why}")


def _build_scope(sent: Sent, url: URL, state: dict[str, Any]) -> dict[str, Any]:
    """Build the scope of a request (the ASGI specification, "HTTP Connection Scope")."""
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
