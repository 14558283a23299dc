"""Servers on real sockets: of WSGI, of ASGI, and of bytes that need not be HTTP."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from support.servers.threaded import by_uvicorn, by_werkzeug, serving

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from support.asgi_exchange import App

PATIENCE = 30  # seconds, where something is broken


@contextmanager
def wsgi(app: WSGIApplication) -> Iterator[str]:
    """The URL of app's resource, served until the end of the block."""
    with serving(by_werkzeug, app) as url:
        yield f"{url}/v1/items"


@contextmanager
def asgi(app: App) -> Iterator[str]:
    with serving(by_uvicorn, app) as url:
        yield f"{url}/v1/items"


@contextmanager
def unserved() -> Iterator[int]:
    """A port that nobody listens on: it is held, so that no other process does meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        yield port


Say = Callable[[socket.socket, bytes, Event], object]
"""Answers a request on its connection; the event is set when the test is over."""


@contextmanager
def saying(say: Say, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a server that reads a request and then does what say does."""
    over = Event()

    def secured(connection: socket.socket) -> socket.socket:
        return tls.wrap_socket(connection, server_side=True) if tls else connection

    def answer(listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed, or the client has gone
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), secured(connection) as secure:
                    say(secure, secure.recv(65_536), over)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=answer, args=(listener,))
        thread.start()
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
