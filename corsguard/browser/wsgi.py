"""Calling a WSGI application in this process (PEP 3333)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from io import BytesIO
from math import inf
from threading import TIMEOUT_MAX, Thread
from time import monotonic
from typing import Any
from urllib.parse import unquote_to_bytes

from corsguard.browser.messages import LARGEST_BODY, Answer, Headers, Outcome, Sent, late
from corsguard.browser.url import URL

__all__ = ["call_wsgi"]


def call_wsgi(app: Any, sent: Sent, url: URL, timeout: float) -> Outcome:
    """Return what a WSGI application sends and raises, its body as far as timeout lets it come.

    In a test that is a coroutine it runs in a thread: no WSGI server has an event loop in the
    thread of a request, and async views under WSGI, and Django's ORM, refuse to work in one.
    """
    call = partial(_Exchange(timeout).play, app, _environ(sent, url))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(copy_context().run, call).result()


class _Exchange:
    """One request to an application, and what it sends.

    The application can't be interrupted: the time is looked at between two chunks of the body. An
    event stream, which may be silent for as long as it likes, is read in a thread of its own.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._context = copy_context()  # the same in that thread
        self._started: list[tuple[str, list[tuple[str, str]]]] = []
        self._written = bytearray()
        self._until = inf
        self._error: BaseException | None = None
        self._is_left = False

    def play(self, app: Any, environ: dict[str, Any]) -> Outcome:
        """Return what the application sends and raises; raises TimeoutError where it is late."""
        result: object = None
        try:
            result = self._context.run(app, environ, self._start)
            self._until = monotonic() + self._timeout
            self._read(result)
        except Exception as error:
            self._error = error
        if isinstance(result, Coroutine):
            result.close()  # it is never awaited, and Python need not say so
            raise TypeError('a call as WSGI returns a coroutine: write interface="asgi"')
        if self._error is None and not self._started:
            if self._is_late:
                raise late(self._timeout)
            text = "the application sent no response: it did not call start_response"
            self._error = RuntimeError(text)
        return Outcome(self._answer(), self._error)

    def _start(
        self, status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Callable[[bytes], object]:
        self._started.append((status, headers))
        return self._written.extend

    def _answer(self) -> Answer | None:
        if not self._started:
            return None
        status, headers = self._started[-1]
        return Answer(int(status[:3]), tuple(headers), bytes(self._written))

    def _read(self, result: Any) -> None:
        """Read the body as far as there is time for it, and close it."""
        chunks: Iterator[bytes] = iter(())
        ended = True
        try:
            chunks = self._context.run(iter, result)
            ended = self._context.run(self._take, chunks)
        finally:
            if ended:
                self._context.run(_close, result)
        if not ended:
            apart = Thread(
                target=self._context.run, args=(self._read_apart, chunks, result), daemon=True
            )
            apart.start()
            apart.join(min(self._timeout, TIMEOUT_MAX))
            self._is_left = True

    def _take(self, chunks: Iterator[bytes]) -> bool:
        """Read chunks; return False where the rest of them is to be read apart.

        An application that is a generator starts its response with the first one.
        """
        while not self._is_event_stream:
            chunk = next(chunks, None)
            if chunk is None:
                break
            self._written += chunk
            if self._is_enough:
                break
        else:
            return False
        return True

    def _read_apart(self, chunks: Iterator[bytes], result: Iterable[bytes]) -> None:
        try:
            try:
                for chunk in chunks:
                    self._written += chunk
                    if self._is_left or self._is_enough:
                        break
            finally:
                _close(result)
        except BaseException as error:  # nobody else would see it
            self._error = error

    @property
    def _is_late(self) -> bool:
        return monotonic() > self._until

    @property
    def _is_enough(self) -> bool:
        return self._is_late or len(self._written) > LARGEST_BODY

    @property
    def _is_event_stream(self) -> bool:
        fields = self._started[-1][1] if self._started else ()
        return Headers(fields).get("content-type", "").lower().startswith("text/event-stream")


def _close(result: object) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()


def _environ(sent: Sent, url: URL) -> dict[str, Any]:
    """PEP 3333, "environ Variables"."""
    body = sent.body or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        # PEP 3333, "Unicode Issues": a str whose characters stand for bytes.
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.target.partition("?")[2],
        "SERVER_NAME": url.origin.host,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,  # for a body without Content-Length
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
