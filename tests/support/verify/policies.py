"""The policies of the tests of `verify`, and applications with the paths that they name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from support.asgi_exchange import App

from corsguard import Guard
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_flask import CORSGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PAGE = "https://app.example.com"
ONE = """\
[routes."/api"]
allow_origins = [
    "https://app.example.com", "https://admin.example.com", "https://*.preview.example.com",
]
allow_credentials = true
allow_methods = ["PUT", "DELETE"]
allow_headers = ["Content-Type", "X-Trace"]
expose_headers = ["X-Total"]
max_age = 600
"""
THREE = f"""\
{ONE}
[routes]
"/internal" = false

[routes."/public"]
allow_origins = ["*"]
"""
PATHS = frozenset({"/api", "/api/items", "/public", "/internal"})
FIELDS = [
    ("Content-Type", "text/plain"),
    ("X-Total", "3"),
    ("Cache-Control", "public, max-age=60"),
]


def build_bare(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Respond without CORS, as an application that leaves it to the proxy."""
    known = environ["PATH_INFO"] in PATHS
    if environ["REQUEST_METHOD"] == "OPTIONS":
        start_response("405 Method Not Allowed", [("Allow", "GET, PUT")])
    else:
        start_response("200 OK" if known else "404 Not Found", FIELDS)
    return [b"an item\n"]


def build_wsgi() -> WSGIApplication:
    return WSGIMiddleware(build_bare, Guard.from_mapping(tomllib.loads(THREE)))


def build_asgi() -> App:
    async def respond(scope: Any, receive: Any, send: Any) -> None:
        fields = [(name.lower().encode(), value.encode()) for name, value in FIELDS]
        status = 200 if scope["path"] in PATHS else 404
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": b"an item\n"})

    return ASGIMiddleware(respond, Guard.from_mapping(tomllib.loads(THREE)))


def build_flask() -> Flask:
    app = Flask(__name__)
    app.config["CORSGUARD"] = tomllib.loads(THREE)
    CORSGuard(app)
    for path in sorted(PATHS):
        app.add_url_rule(path, path[1:].replace("/", "_"), lambda: Response("item", headers=FIELDS))
    return app
