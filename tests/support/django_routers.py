"""ASGI applications as Channels and projects without it put them together.

The classes that stand for those of Channels name its modules, by which they are known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.urls import path, re_path

REACHED: list[Any] = []
"""The scopes of what has reached the applications behind corsguard."""

# Channels routes to ASGI applications by them, which their types know nothing of.
route: Any = path
re_route: Any = re_path


class Router:
    """As ProtocolTypeRouter."""

    __module__ = "channels.routing"

    def __init__(self, **mapping: Any) -> None:
        self.application_mapping = mapping

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application_mapping[scope["type"]](scope, receive, send)


class URLRouter:
    """As that of Channels: it takes the first route that matches what is left of the path."""

    __module__ = "channels.routing"
    _path_routing = True

    def __init__(self, *routes: Any) -> None:
        self.routes = list(routes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        rest = scope.get("path_remaining", scope["path"].removeprefix(scope.get("root_path", "")))
        for route in self.routes:
            if match := route.pattern.match(rest.lstrip("/")):
                scope = {**scope, "path_remaining": match[0]}
                await route.callback(scope, receive, send)
                return
        raise ValueError("no route")


class Inner:
    """As BaseMiddleware of Channels."""

    __module__ = "channels.middleware"

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner({**scope, "session": {}}, receive, send)


class Validator(Inner):
    """As OriginValidator."""

    __module__ = "channels.security.websocket"

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)

    def valid_origin(self, parsed_origin: Any) -> bool:
        return bool(parsed_origin)


class Mux:
    """A class of a project that answers some requests itself, and passes on the rest."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await socket(scope, receive, send)
        elif scope["path"] == "/events":
            await events(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class OwnRouter(Router):
    """A class of a project that is derived from one of Channels, and answers by itself."""

    __module__ = __name__

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await Mux(super().__call__)(scope, receive, send)


class OwnHandler(ASGIHandler):
    """The same of Django's handler."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await Mux(super().__call__)(scope, receive, send)


async def socket(scope: Any, receive: Any, send: Any) -> None:
    REACHED.append(scope)
    await receive()
    await send({"type": f"{scope['type']}.accept"})


async def events(scope: Any, receive: Any, send: Any) -> None:
    REACHED.append(scope)
    fields = [(b"content-type", b"text/event-stream"), (b"vary", b"Cookie")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"events"})


def consumer() -> Any:
    """Return what as_asgi() of a consumer of Channels returns."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await events(scope, receive, send)

    app.consumer_class = type  # type: ignore[attr-defined]  # so does Channels
    return app


def by_function(**mapping: Any) -> Callable[..., Any]:
    """Route as Django's documentation does it without Channels: nothing can look into it."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await mapping[scope["type"]](scope, receive, send)

    return application
