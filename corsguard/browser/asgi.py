"""Calling an ASGI application in this process (the ASGI specification)."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from corsguard.browser.messages import Answer, Sent
from corsguard.browser.url import URL

__all__ = ["AsgiCaller"]

App = Callable[..., Awaitable[None]]
T = TypeVar("T")
_VERSIONS = {"version": "3.0", "spec_version": "2.3"}


class AsgiCaller:
    """Calls an ASGI application, its lifespan included, on an event loop of its own.

    So a test may itself be a coroutine, and what the application keeps from one request to the
    next belongs to one loop. The loop ends with the caller.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._state: dict[str, Any] = {}
        self._loop: _Loop | None = None

    def __call__(self, sent: Sent, url: URL) -> Answer:
        if self._loop is None:
            self._loop = self._started()
        return self._loop.run(_request(self._app, sent, _scope(sent, url, self._state)))

    def _started(self) -> _Loop:
        loop, lifespan = _Loop(), _Lifespan(self._app, self._state)
        weakref.finalize(self, loop.close, lifespan.stop)
        loop.run(lifespan.start())
        return loop


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.run(last())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Lifespan:
    """The ASGI specification, "Lifespan Protocol"."""

    def __init__(self, app: App, state: dict[str, Any]) -> None:
        self._app = app
        self._scope = {"type": "lifespan", "asgi": _VERSIONS, "state": state}
        self._asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the application up; one that knows no lifespan is left alone."""
        self._running = asyncio.create_task(self._run())
        told = await self._ask("lifespan.startup")
        if told["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the application does not start: {told.get('message', '')}")

    async def stop(self) -> None:
        if self._running is not None and not self._running.done():
            await self._ask("lifespan.shutdown")
            await self._running

    async def _ask(self, what: str) -> dict[str, Any]:
        await self._asked.put({"type": what})
        return await self._told.get()

    async def _run(self) -> None:
        # An application that has no lifespan raises, or returns: either is an answer.
        with suppress(Exception):
            await self._app(self._scope, self._asked.get, self._told.put)
        await self._told.put({"type": "lifespan.startup.complete"})


async def _request(app: App, sent: Sent, scope: dict[str, Any]) -> Answer:
    status = 0
    headers: list[tuple[str, str]] = []
    chunks: list[bytes] = []
    done = asyncio.Event()
    messages = [{"type": "http.request", "body": sent.body or b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            for name, value in message.get("headers", ()):
                headers.append((name.decode("latin-1"), value.decode("latin-1")))
        elif message["type"] == "http.response.body":
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                done.set()

    await app(scope, receive, send)
    if not status:
        raise RuntimeError("the application sent no response")
    return Answer(status, tuple(headers), b"".join(chunks))


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
