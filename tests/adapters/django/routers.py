"""ASGI applications as Channels and projects without it put them together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import path, re_path

REACHED: list[Any] = []
"""The scopes of what has reached the applications behind corsguard."""

# Channels routes to ASGI applications by them, which their types know nothing of.
route: Any = path
re_route: Any = re_path


class Router:
    """As ProtocolTypeRouter."""

    def __init__(self, **mapping: Any) -> None:
        self.application_mapping = mapping

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application_mapping[scope["type"]](scope, receive, send)


class URLRouter:
    """As that of Channels: it takes the first route that matches what is left of the path."""

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

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.inner({**scope, "session": {}}, receive, send)


class Validator(Inner):
    """As OriginValidator."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)


async def socket(scope: Any, receive: Any, send: Any) -> None:
    REACHED.append(scope)
    await receive()
    await send({"type": f"{scope['type']}.accept"})


async def events(scope: Any, receive: Any, send: Any) -> None:
    REACHED.append(scope)
    fields = [(b"content-type", b"text/event-stream"), (b"vary", b"Cookie")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"events"})


def by_function(**mapping: Any) -> Callable[..., Any]:
    """Route as Django's documentation does it without Channels: nothing can look into it."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await mapping[scope["type"]](scope, receive, send)

    return application
