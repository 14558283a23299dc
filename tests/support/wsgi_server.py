"""One request through the WSGI middleware on the standard library's own server code."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from wsgiref.handlers import SimpleHandler

from support.stacks.wsgi import environ_of
from support.table import APP, origin

from corsguard import Decision, Policy
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

POLICY = Policy(allow_origins=[APP])


class Server(SimpleHandler):
    """The standard library's server of one request, as CGI: what it sends is in `sent`."""

    environ: WSGIEnvironment
    os_environ: dict[str, str] = {}  # noqa: RUF012
    origin_server = False

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.sent = io.BytesIO()
        self.errors = io.StringIO()
        super().__init__(io.BytesIO(), self.sent, self.errors, environ)

    def setup_environ(self) -> None:
        super().setup_environ()
        self.seen = self.environ

    @property
    def decision(self) -> Decision:
        decision: Decision = self.seen["corsguard.decision"]
        return decision


def environ_from_app(path: str = "/") -> WSGIEnvironment:
    return environ_of("GET", path, origin(APP))


def run(app: WSGIApplication, environ: WSGIEnvironment) -> Server:
    server = Server(environ)
    server.run(app)
    return server


def send_and_read(app: WSGIApplication, environ: WSGIEnvironment | None = None) -> str:
    """Return everything that the server sends, and assert that it logs no error."""
    server = run(CORSMiddleware(app, POLICY), environ or environ_from_app())
    assert server.errors.getvalue() == ""
    return server.sent.getvalue().decode("latin-1")
