"""The three servers of the demo: one for each origin, each in a thread of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from socket import create_server, socket
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.serving import WSGIRequestHandler, make_server

from corsguard import CORSRequest, Decision
from corsguard.cli.demo.api import Api
from corsguard.cli.demo.site import Site
from corsguard.origin import DEFAULT_PORTS, Origin

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Origins", "PortError", "serving"]

_HOST = "127.0.0.1"
_SECONDS_TO_STOP = 0.1


class Origins(NamedTuple):
    """Where the demo answers."""

    api: str
    frontend: str
    stranger: str


class PortError(Exception):
    """A port that can't be listened on, and what to do."""

    def __init__(self, name: str, port: int, why: str) -> None:
        super().__init__(f"port {port} can't be used ({why}): choose another with --{name}-port")


@contextmanager
def serving(
    ports: Mapping[str, int], subscriber: Callable[[Decision, CORSRequest], object]
) -> Iterator[Origins]:
    """Serve the demo on the ports of "api", "frontend" and "stranger"; raises PortError."""
    with ExitStack() as stack:
        sockets = {
            name: stack.enter_context(_listening(name, ports[name])) for name in Origins._fields
        }
        origins = Origins(**{name: _origin(listener) for name, listener in sockets.items()})
        api = Api(origins.frontend)
        api.guard.subscribe(subscriber)
        site = Site(origins, api.policy)
        stack.enter_context(_answering(sockets["api"], api))
        stack.enter_context(_answering(sockets["frontend"], site))
        stack.enter_context(_answering(sockets["stranger"], site))
        stack.callback(api.stop)
        yield origins


def _listening(name: str, port: int) -> socket:
    # Bound here, not by werkzeug, which ends the process where a port is in use.
    try:
        return create_server((_HOST, port))
    except OSError as error:
        raise PortError(name, port, os.strerror(error.errno or 0)) from None


def _origin(listener: socket) -> str:
    port = listener.getsockname()[1]
    return str(Origin("http", "localhost", None if port == DEFAULT_PORTS["http"] else port))


@contextmanager
def _answering(listener: socket, app: WSGIApplication) -> Iterator[None]:
    """Answer what comes to listener with app, in a thread."""
    server = make_server(
        _HOST,
        listener.getsockname()[1],
        app,
        threaded=True,
        request_handler=_QuietHandler,
        fd=listener.fileno(),
    )
    thread = Thread(target=server.serve_forever, args=(_SECONDS_TO_STOP,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


class _QuietHandler(WSGIRequestHandler):
    """Logs no request: the API's decisions are told instead."""

    def log(self, *_args: object, **_kwargs: object) -> None:
        """Say nothing."""
