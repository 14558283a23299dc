"""Real servers on real sockets, each in a thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from hypercorn.asyncio import serve
from hypercorn.config import Config
from support.asgi_exchange import App
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Server = tuple[Callable[[], object], Callable[[], object]]
"""The functions that run it and stop it."""
Run = Callable[[Any, socket.socket], Server]


class QuietHandler(WSGIRequestHandler):
    def log(self, *_args: object, **_kwargs: object) -> None:
        """Say nothing."""


def by_werkzeug(app: WSGIApplication, listening: socket.socket) -> Server:
    with listening:  # of which it makes itself a second handle
        host, port = listening.getsockname()
        server = make_server(
            host, port, app, threaded=True, request_handler=QuietHandler, fd=listening.fileno()
        )
    # Clients keep connections that they do not use.
    server.daemon_threads = True  # type: ignore[attr-defined]
    return lambda: server.serve_forever(0.01), server.shutdown


def by_uvicorn(
    app: App, listening: socket.socket, files: tuple[Path, Path] | None = None
) -> Server:
    """Serve app, over TLS where the files of a certificate and its key are given."""
    certificate, key = map(str, files) if files else (None, None)
    config = uvicorn.Config(
        app,
        log_config=None,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    return lambda: server.run(sockets=[listening]), stop


def by_hypercorn(app: App, listening: socket.socket) -> Server:
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.tests")
    config.graceful_timeout = 1
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def main() -> None:
        served: Any = app
        await serve(served, config, shutdown_trigger=stopping.wait)

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    return run, lambda: loop.call_soon_threadsafe(stopping.set)


@contextmanager
def serving(by: Run, app: object, port: int = 0) -> Iterator[str]:
    """Yield the URL at which app answers; its socket accepts before the server is up."""
    listening = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    run, stop = by(app, listening)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield url
    finally:
        stop()
        thread.join()
