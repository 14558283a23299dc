"""The ways to serve the application behind the Flask adapter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask, Response, request
from support.application import Fields, reply_to
from support.stacks.wsgi import Exchange, environ_of, path_of, through_validator, through_werkzeug
from support.table import Answer

from corsguard import Guard, Policy
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def flask_application(called: list[str]) -> Flask:
    """Build the described application: one view for every URL, which notes calls in called."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False

    @app.route("/", methods=METHODS, strict_slashes=False)
    @app.route("/<path:path>", methods=METHODS)
    @app.route("/", endpoint="root_socket", websocket=True)
    @app.route("/<path:path>", endpoint="socket", websocket=True)
    def view(path: str = "") -> Response:
        called.append(path)
        reply = reply_to(request.method, path_of(request.environ))
        response = Response(iter(reply.chunks), reply.status)
        response.headers.clear()
        for name, value in reply.headers:
            response.headers.add(name, value)
        return response

    return app


class FlaskStack(NamedTuple):
    name: str
    exchange: Exchange
    with_views: bool = False
    """True if another view has a policy, so that every view is resolved."""
    catches: bool = True

    def build(self, guard: Guard) -> FlaskClient:
        called: list[str] = []
        app = flask_application(called)
        CORSGuard(app, guard)
        if self.with_views:
            app.add_url_rule("/of/its/own", "own", cors_policy(OWN)(lambda: "own"))
            app.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "exempt"))
        return FlaskClient(app, called, self.exchange)


class FlaskClient:
    """Sends requests to an application whose views append to called."""

    def __init__(self, app: Flask, called: list[str], exchange: Exchange) -> None:
        self._app = app
        self._called = called
        self._exchange = exchange

    def send(self, method: str, path: str, headers: Fields) -> Answer:
        seen: list[WSGIEnvironment] = []

        def outermost(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            seen.append(environ)
            return self._app(environ, start_response)

        self._called.clear()
        status, fields, body = self._exchange(outermost, environ_of(method, path, headers))
        decision = seen[0].get("corsguard.decision")
        return Answer(status, fields, body, bool(self._called), decision)


OWN = Policy(allow_origins=["https://own.example"])
STACKS = [
    FlaskStack("flask", through_validator),
    FlaskStack("flask-test-client", through_werkzeug),
    FlaskStack("flask-with-views", through_validator, with_views=True),
]
