"""The shadow mode of the ASGI middleware: around the old CORS layer, which still answers."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from typing import TYPE_CHECKING, Any

from corsguard.engine.request import collect_fields
from corsguard.guard.shadow import Exchange, Shadow, read_fields
from corsguard_asgi.fields import Message, build_request
from corsguard_asgi.middleware import CORSMiddleware, Receive, Scope, Send

if TYPE_CHECKING:
    from corsguard.engine.request import Methods
    from corsguard.guard.view_policies import View

__all__ = ["ShadowMiddleware", "become_shadow"]


class ShadowMiddleware(CORSMiddleware):
    """An ASGI application that passes each scope and each message on as it is.

    It compares what the application answered with what its guard would have; see Shadow. WebSocket
    handshakes are not compared.
    """

    _shadow: Shadow

    def start_shadow(self) -> None:
        """Start to compare; called once, at the end of the constructor."""
        self._shadow = Shadow(self.guard.adapter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                self._log_start()
            await self.app(scope, receive, send)
            return
        exchange = await self._begin(scope)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        end = self._shadow.end

        def send_on(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if not isinstance(headers, Collection):  # ASGI: any iterable, perhaps to read once
                    headers = [*headers]
                    message = {**message, "headers": headers}
                end(exchange, message["status"], headers)
            return send(message)

        await self.app(scope, receive, send_on)

    async def _begin(self, scope: Scope) -> Exchange | None:
        """Return the exchange of a request; None if there is nothing to compare."""
        shadow = self._shadow
        adapter = shadow.adapter
        try:
            fields = collect_fields(scope["headers"])
            if b"origin" not in fields and not adapter.snapshot.enforce:
                return None
            path = "" if adapter.snapshot.pathless else self._read_route_path(scope)
            view, methods = self._find_view(scope)
            key = shadow.find_key(read_fields(fields, scope["method"]), path, view, methods)
            exchange = shadow.find(key)
            if exchange is None:
                request = build_request(scope, path)
                decision = await adapter.decide_quietly_async(request, view, methods)
                exchange = shadow.store(key, request, decision)
        except Exception as error:
            shadow.report(error)
            return None
        return exchange

    def _find_view(self, scope: Scope) -> tuple[View | None, Methods]:  # noqa: ARG002
        """Return the view whose policy applies, and the methods of it; here, that of the path."""
        return None, None


def become_shadow(middleware: Any) -> None:
    """Make a middleware one that only compares: the normal one has no branch for this mode."""
    middleware.__class__ = ShadowMiddleware
    middleware.start_shadow()
