"""corsguard around all that an ASGI application serves besides Django, such as Channels.

    # asgi.py
    from corsguard_django.channels import CORSMiddleware

    application = CORSMiddleware(ProtocolTypeRouter({"http": ..., "websocket": ...}))

Channels itself is not imported: the middleware goes around any ASGI application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from corsguard import Decision, Guard
from corsguard.engine.decision import DECISION
from corsguard_django.live import Configured
from corsguard_django.middleware import AROUND, Around, decide_async
from corsguard_django.protocols import leads_to_django
from corsguard_django.views import OF_PATH

__all__ = ["CORSMiddleware"]

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Message = MutableMapping[str, Any]

_HANDSHAKES = frozenset({"websocket", "webtransport"})
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class CORSMiddleware(Configured):
    """An ASGI application that takes the guard of the settings in front of another one.

    Under `enforce`, a handshake that no policy allows is refused before it is accepted. A request
    that Django answers is left to `corsguard_django.CORSMiddleware`; every other one is decided
    here. The decision is left in `scope["corsguard.decision"]`.

    Raises ImproperlyConfigured with every problem of the configuration.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application
        super().__init__()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        is_http = kind == "http"
        if not is_http and kind not in _HANDSHAKES:
            await self.application(scope, receive, send)
            return
        if is_http and leads_to_django(self.application, scope):
            await self.application(scope, receive, send)
            return
        if not self._is_configured:
            self._configure()
        request = _read(scope)
        # Where nothing tells what answers, it may be a view.
        holding = self._views.ahead(request) if is_http else OF_PATH
        decision = await decide_async(self._views.guard, request, holding)
        if decision.status is not None:
            await (_answer if is_http else _refuse)(decision, scope, receive, send)
            return
        scope = {**scope, DECISION: decision}
        if not is_http:
            await self.application(scope, receive, send)
            return
        around = Around(decision, holding)
        token = AROUND.set(around)
        try:
            await self._serve(around, scope, receive, send)
        finally:
            AROUND.reset(token)

    async def _serve(self, around: Around, scope: Any, receive: Receive, send: Send) -> None:
        """Put the headers on what the application answers, unless Django does so itself."""
        guard = self._views.guard
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if not around.is_taken:
                    message = _put_on(guard, around.decision, message)
            await send(message)

        try:
            await self.application(scope, receive, send_on)
        except Exception:
            if not started:
                await _send_response(send_on, "http.response", 500, [], b"Internal Server Error")
            raise


def _read(scope: Any) -> HttpRequest:
    """Return what a decision reads of a request or handshake, as Django has it."""
    lines: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if b"_" not in name:  # or it would pass for the field with a hyphen there
            lines.setdefault(name.lower(), []).append(value)
    request = HttpRequest()
    request.method = scope.get("method", "GET").upper()
    request.path_info = _path(scope)
    request.META = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": b",".join(values).decode(
            "latin-1"
        )
        for name, values in lines.items()
    }
    if scope["type"] != "http":
        # RFC 8441, 5: over HTTP/2 a handshake has no Upgrade, and it is one all the same.
        request.META["HTTP_UPGRADE"] = "websocket"
    return request


def _path(scope: Any) -> str:
    """Return the path that a router sees; where routers differ, one that matches no route."""
    path: str = scope["path"]
    root: str = settings.FORCE_SCRIPT_NAME or scope.get("root_path", "")
    if not root.strip("/"):
        return path
    rest = path.removeprefix(root)
    if rest != path and (not rest or rest.startswith("/")):
        return rest
    return f"//{path}" if root in path else path


def _put_on(guard: Guard, decision: Decision, start: Message) -> Message:
    given = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in start.get("headers", ())
    ]
    return {**start, "headers": _encoded(guard.adapter.merge(decision.headers, given))}


def _encoded(fields: Any) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


async def _answer(decision: Decision, _scope: Any, _receive: Receive, send: Send) -> None:
    await _send_response(
        send, "http.response", decision.status, decision.answer_headers, decision.body
    )


async def _refuse(decision: Decision, scope: Any, receive: Receive, send: Send) -> None:
    """Refuse a handshake: by a response where the server can send one."""
    kind = scope["type"]
    # ASGI, "Connect": it comes first, and is not answered before it is received.
    if (await receive())["type"] != f"{kind}.connect":
        return
    if "websocket.http.response" in (scope.get("extensions") or ()):
        await _send_response(
            send, f"{kind}.http.response", decision.status, decision.answer_headers, decision.body
        )
    else:
        await send({"type": f"{kind}.close", "code": _POLICY_VIOLATION})


async def _send_response(send: Send, kind: str, status: Any, fields: Any, body: bytes) -> None:
    await send({"type": f"{kind}.start", "status": status, "headers": _encoded(fields)})
    await send({"type": f"{kind}.body", "body": body})
