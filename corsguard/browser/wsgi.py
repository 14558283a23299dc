"""Calling a WSGI application in this process (PEP 3333)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from corsguard.browser.messages import Answer, Sent
from corsguard.browser.url import URL

__all__ = ["call_wsgi"]


def call_wsgi(app: Any, sent: Sent, url: URL) -> Answer:
    """The answer of a WSGI application; raises what it raises.

    In a test that is a coroutine it runs in a thread: no WSGI server has an event loop in the
    thread of a request, and async views under WSGI, and Django's ORM, refuse to work in one.
    """
    call = partial(_call, app, sent, url)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(copy_context().run, call).result()


def _call(app: Any, sent: Sent, url: URL) -> Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return written.append

    result: Iterable[bytes] = app(_environ(sent, url), start_response)
    try:
        written.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    if not started:
        raise RuntimeError("the application sent no response: it did not call start_response")
    status, headers = started[-1]
    return Answer(int(status[:3]), tuple(headers), b"".join(written))


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
