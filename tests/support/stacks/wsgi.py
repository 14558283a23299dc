"""The ways to serve the application behind the WSGI adapter."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import bottle
from support.application import Fields, reply_to
from support.table import Answer
from werkzeug.test import Client as WerkzeugClient

from corsguard import Guard
from corsguard_wsgi import CORSMiddleware

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # WebOb imports cgi
    import webtest

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Exchange = Callable[["WSGIApplication", "WSGIEnvironment"], tuple[int, Fields, bytes]]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Run the described application, written for a WSGI server."""
    reply = reply_to(environ["REQUEST_METHOD"], path_of(environ))
    start_response(status_line(reply.status), list(reply.headers))
    return list(reply.chunks)


def bottle_application() -> WSGIApplication:
    """Build the described application in Bottle, which answers 500 when a view raises."""
    app = bottle.Bottle()

    def view(path: str = "") -> Iterable[bytes]:
        reply = reply_to(bottle.request.method, f"/{path}")
        bottle.response.status = reply.status
        for name, value in reply.headers:
            bottle.response.add_header(name, value)
        return list(reply.chunks)

    for rule in ("/", "/<path:path>"):
        app.route(rule, ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], view)
    served: WSGIApplication = app
    return served


def environ_of(method: str, path: str, headers: Fields) -> WSGIEnvironment:
    """Build the environ of a request: PEP 3333 reads bytes as latin-1."""
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": "",
    }
    for name, value in headers:
        key = f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    setup_testing_defaults(environ)
    environ["wsgi.errors"] = io.StringIO()
    return environ


def path_of(environ: WSGIEnvironment) -> str:
    path: str = environ["PATH_INFO"]
    return path.encode("latin-1").decode()


def status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def through_validator(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, Fields, bytes]:
    """Return status, fields and body of a response that wsgiref's validator accepts."""
    started: list[tuple[str, Fields]] = []
    body = io.BytesIO()

    def start_response(status: str, headers: Fields, exc_info: Any = None) -> Any:
        started.append((status, headers))
        return body.write

    iterable = validator(app)(environ, start_response)
    try:
        for chunk in iterable:
            body.write(chunk)
    finally:
        iterable.close()  # type: ignore[attr-defined]
    [(status, headers)] = started
    return int(status[:3]), headers, body.getvalue()


def through_werkzeug(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, Fields, bytes]:
    response = WerkzeugClient(app, use_cookies=False).open(environ_overrides=environ)
    return response.status_code, list(response.headers), response.data


def through_webtest(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[int, Fields, bytes]:
    request = webtest.TestRequest(environ)
    response = webtest.TestApp(app).do_request(request, expect_errors=True)
    return response.status_int, response.headerlist, response.body


class WSGIStack(NamedTuple):
    name: str
    application: WSGIApplication
    exchange: Exchange
    catches: bool = False

    def build(self, guard: Guard) -> WSGIClient:
        return WSGIClient(self.application, guard, self.exchange)


class WSGIClient:
    def __init__(self, app: WSGIApplication, guard: Guard, exchange: Exchange) -> None:
        self._application = app
        self._served = CORSMiddleware(self._watched, guard)
        self._exchange = exchange
        self._called = False

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        seen: list[WSGIEnvironment] = []

        def outermost(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            seen.append(environ)
            return self._served(environ, start_response)

        self._called = False
        status, fields, body = self._exchange(outermost, environ_of(method, path, headers))
        decision = seen[0].get("corsguard.decision")
        return Answer(status, fields, body, self._called, decision)

    def _watched(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._called = True
        return self._application(environ, start_response)


STACKS = [
    WSGIStack("wsgiref-validate", validator(application), through_validator),
    WSGIStack("werkzeug", application, through_werkzeug),
    WSGIStack("webtest", application, through_webtest),
    WSGIStack("bottle", bottle_application(), through_validator, catches=True),
]
