"""The ASGI middleware (ASGI 3, "HTTP & WebSocket ASGI Message Format")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from corsguard import Decision, Guard, Policies
from corsguard_asgi.errors import DECISION, let_carry
from corsguard_asgi.fields import Message, put_on, remembered, value_of

__all__ = ["CORSMiddleware"]

# Every framework has types of its own for what is a plain dict; these fit all of them.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Scope = Any
Send = Callable[[Any], Awaitable[None]]

_Asked = tuple[str, str | None, str, Callable[[str], str | None], bool | None]

_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_REQUESTS = frozenset({"http", "websocket"})
_SERVER_ERROR = b"Internal Server Error"
_SERVER_ERROR_FIELDS = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"%d" % len(_SERVER_ERROR)),
)
_UPGRADE = (b"upgrade", b"websocket")


class CORSMiddleware:
    """An ASGI application that answers the CORS protocol in front of another one.

    `policy` is a Policy for every path, policies by route prefix, or a Guard. What the wrapped
    application sends is passed on message by message: nothing is buffered. The decision is left
    in `scope["corsguard.decision"]`.

    Raises PolicyError: `no-policy` without any.
    """

    def __init__(self, app: ASGIApp, policy: Guard | Policies = None) -> None:
        self.app = app
        self.guard = Guard.of(policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _REQUESTS:
            await self.app(scope, receive, send)
            return
        asked = _asked(scope)
        guard = self.guard
        if guard.has_callables:
            decision = await guard.decide_async(*asked)
        else:
            decision = guard.decide(*asked)
        if decision.status is not None:
            await _answer(decision, scope, receive, send)
            return
        framework = scope.get("app")
        if framework is None:
            # ASGI, "Middleware": a copy, so that nothing leaks to those outside. The parts of a
            # framework share one scope: those outside read there which route was taken.
            scope = dict(scope)
        scope[DECISION] = decision
        if scope["type"] == "http" and decision.headers:
            await self._pass(decision, framework, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _pass(
        self, decision: Decision, framework: object, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Call the application, with the headers of the decision on its answer."""
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = put_on(self.guard, decision, message)
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception as error:
            if started:
                raise
            if framework is None:
                await _respond("http.response", 500, _SERVER_ERROR_FIELDS, _SERVER_ERROR, send_on)
            else:
                let_carry(framework, self.guard, decision, error)
            raise


def _asked(scope: Scope) -> _Asked:
    """What the guard is asked about a request."""
    fields = scope["headers"]
    origin: bytes | None = None
    cookie = False
    for name, value in fields:
        if name == b"origin":
            origin = value if origin is None else b"%b,%b" % (origin, value)
        elif name == b"cookie" and value:
            cookie = True
    if scope["type"] == "websocket":
        # RFC 8441, 5: over HTTP/2 a handshake has no Upgrade, and it is one all the same.
        fields = [*fields, _UPGRADE]

    def read(name: str) -> str | None:
        return value_of(name, fields)

    text = None if origin is None else origin.decode("latin-1")
    return _path(scope), text, scope.get("method", "GET"), read, cookie


def _path(scope: Scope) -> str:
    """The path that the application's router sees: ASGI counts `root_path` in."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root.strip("/"):
        return path
    rest = path[len(root) :]
    if path.startswith(root) and (not rest or rest[0] == "/"):
        return rest
    # Quart takes the root off "/rootx" too, and Litestar off "/x/root": behind an empty segment,
    # it is a path that no route covers.
    return f"//{path}" if root in path else path


async def _answer(decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without the application."""
    kind = "http.response"
    if scope["type"] == "websocket":
        # ASGI, "Connect": it comes first, and is not answered before it is received.
        if (await receive())["type"] != "websocket.connect":
            return
        kind = "websocket.http.response"
        if kind not in (scope.get("extensions") or ()):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
    fields = remembered(tuple(decision.answer_headers))
    await _respond(kind, decision.status, fields, decision.body, send)


async def _respond(
    kind: str, status: int | None, fields: Iterable[tuple[bytes, bytes]], body: bytes, send: Send
) -> None:
    await send({"type": f"{kind}.start", "status": status, "headers": [*fields]})
    await send({"type": f"{kind}.body", "body": body})
