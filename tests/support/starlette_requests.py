"""Requests to a Starlette or FastAPI application behind CORSGuard."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from support.asgi_exchange import APP, App, Exchange, ask, scope_of, websocket_scope

from corsguard import Policy

PARTNER = "https://partner.example"
POLICY = Policy(allow_origins=[APP], allow_methods=["PUT", "DELETE"])
PARTNERS = Policy(allow_origins=[PARTNER], allow_methods=["PUT"])
PUBLIC = Policy(allow_origins=["*"])


def view(request: Request) -> Response:
    return PlainTextResponse("seen")


def fetch(
    app: App, path: str = "/", method: str = "GET", origin: str | None = APP, **scope: Any
) -> Exchange:
    headers = [] if origin is None else [("Origin", origin)]
    return ask(app, scope_of(method, path, headers, **scope))


def get_allow_origin(app: App, path: str = "/", origin: str = APP, **others: Any) -> str | None:
    """Return the `Access-Control-Allow-Origin` of a GET, None without one."""
    return fetch(app, path, origin=origin, **others).cors.get("access-control-allow-origin")


def preflight(app: App, path: str, method: str, origin: str = APP, **scope: Any) -> Exchange:
    headers = [("Origin", origin), ("Access-Control-Request-Method", method)]
    return ask(app, scope_of("OPTIONS", path, headers, **scope))


def connect(app: App, path: str, origin: str = APP) -> str:
    """Return the type of the first message to a WebSocket handshake."""
    kind: str = ask(app, websocket_scope([("Origin", origin)], path=path)).sent[0]["type"]
    return kind
