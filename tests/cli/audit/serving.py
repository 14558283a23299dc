"""Servers on real sockets: of WSGI, of ASGI, and of bytes that need not be HTTP."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

PATIENCE = 30  # seconds, where something is broken


class QuietHandler(WSGIRequestHandler):
    def log(self, *_args: object, **_kwargs: object) -> None:
        pass


@contextmanager
def wsgi(app: WSGIApplication) -> Iterator[str]:
    """The URL of app's resource, served until the end of the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/v1/items"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def asgi(app: ASGIApp) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready = Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                ready.set()

        server = Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/items"
        finally:
            server.should_exit = True
            thread.join()


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
