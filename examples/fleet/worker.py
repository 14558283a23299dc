"""A worker of the example: a small application whose policy comes from a source. run.py starts it.

    python examples/fleet/worker.py wsgi corsguard.toml

It serves on a free port, which is the one line that it prints, and answers with the version of its
policy.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from corsguard import Guard, PolicyError
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

HEADERS = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]


class QuietHandler(WSGIRequestHandler):
    """A handler that does not log each request, of which run.py sends many."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def describe(guard: Guard) -> bytes:
    """Return what the application answers: the version of its policy, and what is wrong."""
    health = guard.check_health()
    return json.dumps({"version": health.version, "error": health.error}).encode()


def serve_wsgi(guard: Guard) -> None:
    """Serve a WSGI application on a free port."""

    def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", HEADERS)
        return [describe(guard)]

    app = WSGIMiddleware(application, guard)
    with make_server("127.0.0.1", 0, app, handler_class=QuietHandler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


def serve_asgi(guard: Guard) -> None:
    """Serve an ASGI application on a free port, with uvicorn."""
    import uvicorn

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(name.encode(), value.encode()) for name, value in HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": describe(guard)})

    config = uvicorn.Config(ASGIMiddleware(application, guard), log_level="error", lifespan="off")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listener])


def main() -> None:
    """Follow a source, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["wsgi", "asgi"])
    parser.add_argument("source", help="the path of a file, or a URL such as redis://localhost")
    parser.add_argument("--last-good", help="a file from which it starts while the source is down")
    args = parser.parse_args()
    source = {"url": args.source}
    if args.last_good:
        source["last_good"] = args.last_good
    try:
        guard = Guard.from_mapping({"source": source})
    except PolicyError as error:
        sys.exit(f"worker.py: {error.problems[0]}")
    (serve_wsgi if args.kind == "wsgi" else serve_asgi)(guard)


if __name__ == "__main__":
    main()
