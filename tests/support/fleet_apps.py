"""The applications of a fleet in tests: one view behind a guard that follows a source.

`gunicorn 'support.fleet_apps:wsgi()'`, `uvicorn --factory support.fleet_apps:asgi`. What they
follow is in the environment: see `FleetSettings`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from corsguard import Guard

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEALTH = "/health"
"""The path of the view that shows `guard.check_health()`."""


class FleetSettings(NamedTuple):
    """What the workers of a fleet follow."""

    source: str
    """The URL."""
    last_good: str = ""
    poll: float = 5.0
    key: str = ""
    is_started_early: bool = False
    """Start the threads when the application is built: before the forks of `gunicorn --preload`."""

    def build_environment(self) -> dict[str, str]:
        return {"TEST_FLEET": json.dumps(self)}

    def build_guard(self) -> Guard:
        guard = Guard({})
        guard.follow(
            self.source,
            last_good=self.last_good or None,
            poll=self.poll,
            key=self.key or None,
        )
        if self.is_started_early:
            guard.check_health()
        return guard


def wsgi() -> WSGIApplication:
    """Build the application of WSGI."""
    from corsguard_wsgi import CORSMiddleware

    guard = _follow()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = _respond(guard, environ["PATH_INFO"])
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return CORSMiddleware(application, guard)


def asgi() -> Any:
    """Build the application of ASGI."""
    from corsguard_asgi import CORSMiddleware

    guard = _follow()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = _respond(guard, scope["path"])
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return CORSMiddleware(application, guard)


def _follow() -> Guard:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(process)d %(levelname)s %(message)s"
    )
    return FleetSettings(*json.loads(os.environ["TEST_FLEET"])).build_guard()


def _respond(guard: Guard, path: str) -> bytes:
    """Return the health of the worker in JSON, or its process id."""
    if path == HEALTH:
        return json.dumps({"pid": os.getpid(), **guard.check_health()._asdict()}).encode()
    return str(os.getpid()).encode()
