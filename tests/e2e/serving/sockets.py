"""Applications on real sockets, each on a port that no browser has seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from adapters.asgi.serving import by_uvicorn, serving
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from adapters.asgi.exchange import App


class QuietHandler(WSGIRequestHandler):
    def log(self, *_args: object, **_kwargs: object) -> None:
        """Say nothing."""


@contextmanager
def by_wsgi(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """The URL at which app answers."""
    server = make_server("localhost", port, app, threaded=True, request_handler=QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def by_asgi(app: App) -> Iterator[str]:
    """The URL at which app answers."""
    with serving(by_uvicorn, app) as url:
        yield url.replace("127.0.0.1", "localhost")
