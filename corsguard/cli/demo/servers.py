"""The three servers of the demo: one for each origin, each in separate threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from socket import socket
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.serving import WSGIRequestHandler, make_server

from corsguard import CORSRequest, Decision
from corsguard.cli.demo.api import Api
from corsguard.cli.demo.playground import Playground
from corsguard.cli.demo.ports import PortError, listen
from corsguard.cli.demo.site import Site
from corsguard.origin import DEFAULT_PORTS, Origin

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Origins", "PortError", "serve_demo"]

_SECONDS_TO_STOP = 0.05


class Origins(NamedTuple):
    """The origins of the three servers."""

    api: str
    frontend: str
    untrusted: str


@contextmanager
def serve_demo(
    ports: Mapping[str, int],
    subscriber: Callable[[Decision, CORSRequest], object],
    report_version: Callable[[int], object] = lambda _version: None,
) -> Generator[Origins]:
    """Serve the demo within a block of code. Raises PortError.

    `ports` are those that the user named: "api", "frontend" or "untrusted" -> port, where 0 selects
    any free one. `subscriber` is called with each decision of the API, and `report_version` with
    the number of each policy that replaces another one.
    """
    with ExitStack() as stack:
        sockets = stack.enter_context(listen(ports))
        origins = Origins(**{name: _build_origin(sockets[name][0]) for name in Origins._fields})
        playground = Playground(origins.frontend, report_version)
        playground.guard.subscribe(subscriber)
        api = Api(playground.guard, origins.frontend)
        apps: dict[str, WSGIApplication] = {
            "api": api,
            "frontend": Site(origins, origins.frontend, playground),
            "untrusted": Site(origins, origins.untrusted, playground),
        }
        for name, app in apps.items():
            for listener in sockets[name]:
                stack.enter_context(_serve(listener, app))
        stack.callback(api.stop)
        yield origins


def _build_origin(listener: socket) -> str:
    port = listener.getsockname()[1]
    return str(Origin("http", "localhost", None if port == DEFAULT_PORTS["http"] else port))


@contextmanager
def _serve(listener: socket, app: WSGIApplication) -> Generator[None]:
    """Serve app on a socket, in a thread, within a block of code."""
    host, port = listener.getsockname()[:2]
    server = make_server(
        host, port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno()
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
