"""The ASGI middleware around Django and what is served beside it, such as Channels.

    # asgi.py
    from corsguard_django.channels import CORSMiddleware

    application = CORSMiddleware(ProtocolTypeRouter({"http": ..., "websocket": ...}))

It works around any ASGI application, and does not import Channels.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from corsguard import Decision, Guard
from corsguard.engine.decision import DECISION
from corsguard_django.asgi_routing import leads_to_django
from corsguard_django.middleware import OUTER_DECISION, OuterDecision, decide_async
from corsguard_django.settings_mixin import SettingsMixin
from corsguard_django.views import OF_PATH

__all__ = ["CORSMiddleware"]

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Message = MutableMapping[str, Any]

_HANDSHAKES = frozenset({"websocket", "webtransport"})
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class CORSMiddleware(SettingsMixin):
    """An ASGI application that adds the CORS protocol of the settings to another one.

    Under `enforce` it refuses a handshake that no policy allows, before the application accepts it.
    It leaves requests that Django answers to `corsguard_django.CORSMiddleware`, and decides on all
    others. The application finds the decision in `scope["corsguard.decision"]`.

    Raises ImproperlyConfigured with every problem of the configuration.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application
        super().__init__()
        if self._views.guard.shadow:
            middleware: Any = self  # so that the other path has nothing to look at
            middleware.__class__ = _ShadowMiddleware

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
        request = _build_request(scope)
        # A view may answer where the application is not known.
        holding = self._views.resolve(request) if is_http else OF_PATH
        decision = await decide_async(self._views.guard, request, holding)
        if decision.status is not None:
            await (_respond if is_http else _refuse)(decision, scope, receive, send)
            return
        scope = {**scope, DECISION: decision}
        if not is_http:
            await self.application(scope, receive, send)
            return
        around = OuterDecision(decision, holding)
        token = OUTER_DECISION.set(around)
        try:
            await self._serve(around, scope, receive, send)
        finally:
            OUTER_DECISION.reset(token)

    async def _serve(self, around: OuterDecision, scope: Any, receive: Receive, send: Send) -> None:
        """Call the application, and add the headers to its response unless Django has done so."""
        guard = self._views.guard
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if not around.is_taken:
                    message = _add_headers(guard, around.decision, message)
            await send(message)

        try:
            await self.application(scope, receive, send_on)
        except Exception:
            if not started:
                await _send_response(send_on, "http.response", 500, [], b"Internal Server Error")
            raise


class _ShadowMiddleware(CORSMiddleware):
    """In shadow mode: passes everything on. What Django answers is compared inside of it."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)


def _build_request(scope: Any) -> HttpRequest:
    """Return a Django request with what a decision reads from a request or handshake."""
    lines: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if b"_" not in name:  # as META it would equal the field with a hyphen
            lines.setdefault(name.lower(), []).append(value)
    request = HttpRequest()
    request.method = scope.get("method", "GET").upper()
    request.path_info = _read_path(scope)
    request.META = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": b",".join(values).decode(
            "latin-1"
        )
        for name, values in lines.items()
    }
    if scope["type"] != "http":
        # RFC 8441, 5: over HTTP/2 a handshake has no Upgrade field.
        request.META["HTTP_UPGRADE"] = "websocket"
    return request


def _read_path(scope: Any) -> str:
    """Return the path that routers read, or one that matches no route if they differ."""
    path: str = scope["path"]
    root: str = settings.FORCE_SCRIPT_NAME or scope.get("root_path", "")
    if not root.strip("/"):
        return path
    rest = path.removeprefix(root)
    if rest != path and (not rest or rest.startswith("/")):
        return rest
    return f"//{path}" if root in path else path


def _add_headers(guard: Guard, decision: Decision, start: Message) -> Message:
    given = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in start.get("headers", ())
    ]
    return {**start, "headers": _encode_headers(guard.adapter.merge(decision.headers, given))}


def _encode_headers(fields: Any) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


async def _respond(decision: Decision, _scope: Any, _receive: Receive, send: Send) -> None:
    await _send_response(
        send, "http.response", decision.status, decision.answer_headers, decision.body
    )


async def _refuse(decision: Decision, scope: Any, receive: Receive, send: Send) -> None:
    """Refuse a handshake, with a response if the server can send one."""
    kind = scope["type"]
    # ASGI, "Connect": the first event, which must be received before anything is sent.
    if (await receive())["type"] != f"{kind}.connect":
        return
    if "websocket.http.response" in (scope.get("extensions") or ()):
        await _send_response(
            send, f"{kind}.http.response", decision.status, decision.answer_headers, decision.body
        )
    else:
        await send({"type": f"{kind}.close", "code": _POLICY_VIOLATION})


async def _send_response(send: Send, kind: str, status: Any, fields: Any, body: bytes) -> None:
    await send({"type": f"{kind}.start", "status": status, "headers": _encode_headers(fields)})
    await send({"type": f"{kind}.body", "body": body})
