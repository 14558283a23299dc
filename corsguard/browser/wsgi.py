"""The WSGI side of the transport: it calls an application in this process (PEP 3333)."""

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

from corsguard.browser.messages import (
    MAX_BODY_BYTES,
    Answer,
    Headers,
    Outcome,
    Sent,
    build_timeout_error,
)
from corsguard.browser.url import URL

__all__ = ["call_wsgi"]


def call_wsgi(app: Any, sent: Sent, url: URL, timeout: float) -> Outcome:
    """Return what a WSGI application sends and raises; its body ends after timeout seconds.

    In a test that is a coroutine the application runs in a thread. A WSGI server has no event loop
    in the thread of a request, and async views under WSGI and Django's ORM fail where there is one.
    """
    call = partial(_Exchange(timeout).run, app, _build_environ(sent, url))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    context = copy_context()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: context.run(call)).result()


class _Exchange:
    """One request to an application, and the response that it sends.

    The application can't be interrupted, so the time is checked between two chunks of the body. An
    event stream may be silent for any time, so a separate thread reads it.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._context = copy_context()  # for the separate thread too
        self._started: list[tuple[str, list[tuple[str, str]]]] = []
        self._written = bytearray()
        self._until = inf
        self._error: BaseException | None = None
        self._is_disconnected = False

    def run(self, app: Any, environ: dict[str, Any]) -> Outcome:
        """Return what the application sends and raises.

        Raises TimeoutError where no response began in time, and TypeError where the application
        is one of ASGI.
        """
        result: object = None
        try:
            result = self._context.run(app, environ, self._start)
            self._until = monotonic() + self._timeout
            self._read(result)
        except Exception as error:
            self._error = error
        if isinstance(result, Coroutine):
            result.close()  # prevents the warning that it was never awaited
            raise TypeError(
                'the application, called as WSGI, returned a coroutine: write interface="asgi"'
            )
        if self._error is None and not self._started:
            if self._is_late:
                raise build_timeout_error(self._timeout)
            text = "the application sent no response: it did not call start_response"
            self._error = RuntimeError(text)
        return Outcome(self._build_answer(), self._error)

    def _start(
        self, status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Callable[[bytes], object]:
        self._started.append((status, headers))
        return self._written.extend

    def _build_answer(self) -> Answer | None:
        if not self._started:
            return None
        status, headers = self._started[-1]
        return Answer(int(status[:3]), tuple(headers), bytes(self._written))

    def _read(self, result: Any) -> None:
        """Read the body until it ends or the time is over, and close it."""
        chunks: Iterator[bytes] = iter(())
        ended = True
        try:
            chunks = self._context.run(lambda: iter(result))
            ended = self._context.run(self._read_chunks, chunks)
        finally:
            if ended:
                self._context.run(_close, result)
        if not ended:
            thread = Thread(
                target=self._context.run, args=(self._read_in_thread, chunks, result), daemon=True
            )
            thread.start()
            thread.join(min(self._timeout, TIMEOUT_MAX))
            self._is_disconnected = True

    def _read_chunks(self, chunks: Iterator[bytes]) -> bool:
        """Read chunks; return False where a separate thread has to read the others.

        An application that is a generator starts its response with the first chunk.
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

    def _read_in_thread(self, chunks: Iterator[bytes], result: Iterable[bytes]) -> None:
        try:
            try:
                for chunk in chunks:
                    self._written += chunk
                    if self._is_disconnected or self._is_enough:
                        break
            finally:
                _close(result)
        except BaseException as error:  # a thread would drop it
            self._error = error

    @property
    def _is_late(self) -> bool:
        return monotonic() > self._until

    @property
    def _is_enough(self) -> bool:
        return self._is_late or len(self._written) > MAX_BODY_BYTES

    @property
    def _is_event_stream(self) -> bool:
        fields = self._started[-1][1] if self._started else ()
        return Headers(fields).get("content-type", "").lower().startswith("text/event-stream")


def _close(result: object) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()


def _build_environ(sent: Sent, url: URL) -> dict[str, Any]:
    """Build the environ of a request (PEP 3333, "environ Variables")."""
    body = sent.body or b""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        # PEP 3333, "Unicode Issues": each character represents one byte.
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
