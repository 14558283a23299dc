"""The three servers of the demo: one for each origin, each in a separate thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
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

__all__ = ["Origins", "PortError", "serve_demo"]

_HOST = "127.0.0.1"
_SECONDS_TO_STOP = 0.1


class Origins(NamedTuple):
    """The origins of the three servers."""

    api: str
    frontend: str
    stranger: str


class PortError(Exception):
    """A port that can't be used, and the option for another one."""

    def __init__(self, name: str, port: int, why: str) -> None:
        super().__init__(f"port {port} can't be used ({why}): choose another with --{name}-port")


@contextmanager
def serve_demo(
    ports: Mapping[str, int], subscriber: Callable[[Decision, CORSRequest], object]
) -> Generator[Origins]:
    """Serve the demo within a block of code. Raises PortError.

    `ports` are the keys "api", "frontend" and "stranger" -> port. `subscriber` is called with each
    decision of the API.
    """
    with ExitStack() as stack:
        sockets = {
            name: stack.enter_context(_listen(name, ports[name])) for name in Origins._fields
        }
        origins = Origins(**{name: _build_origin(listener) for name, listener in sockets.items()})
        api = Api(origins.frontend)
        api.guard.subscribe(subscriber)
        site = Site(origins, api.policy)
        stack.enter_context(_serve(sockets["api"], api))
        stack.enter_context(_serve(sockets["frontend"], site))
        stack.enter_context(_serve(sockets["stranger"], site))
        stack.callback(api.stop)
        yield origins


def _listen(name: str, port: int) -> socket:
    # Not bound by werkzeug, which ends the process where a port is in use.
    try:
        return create_server((_HOST, port))
    except OSError as error:
        raise PortError(name, port, os.strerror(error.errno or 0)) from None


def _build_origin(listener: socket) -> str:
    port = listener.getsockname()[1]
    return str(Origin("http", "localhost", None if port == DEFAULT_PORTS["http"] else port))


@contextmanager
def _serve(listener: socket, app: WSGIApplication) -> Generator[None]:
    """Serve app on a socket, in a thread, within a block of code."""
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
    """A handler that logs no request: the API's decisions are printed instead."""

    def log(self, *_args: object, **_kwargs: object) -> None:
        """Log nothing."""
