"""Applications on real sockets, each on a port that no browser has seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from support.servers.threaded import Run, by_uvicorn, by_werkzeug, serving

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from support.asgi_exchange import App


def by_wsgi(app: WSGIApplication, port: int = 0) -> AbstractContextManager[str]:
    """Serve app, and yield its URL."""
    return on_localhost(by_werkzeug, app, port)


def by_asgi(app: App) -> AbstractContextManager[str]:
    """Serve app, and yield its URL."""
    return on_localhost(by_uvicorn, app)


@contextmanager
def on_localhost(by: Run, app: object, port: int = 0) -> Iterator[str]:
    with serving(by, app, port) as url:
        yield url.replace("127.0.0.1", "localhost")
