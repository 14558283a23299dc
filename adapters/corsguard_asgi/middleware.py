"""The ASGI middleware (ASGI 3, "HTTP & WebSocket ASGI Message Format")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from corsguard import Decision, Guard, Policies
from corsguard.decision import DECISION
from corsguard_asgi.errors import let_carry
from corsguard_asgi.fields import Fields, Message, answer_fields, joined, put_on, value_of

__all__ = ["CORSMiddleware"]

# Every framework has types of its own for what is a plain dict; these fit all of them.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Scope = Any
Send = Callable[[Any], Awaitable[None]]

_Asked = tuple[str, str | None, str, Callable[[str], str | None], bool | None]

_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_PREFLIGHT = (b"origin", b"access-control-request-method", b"access-control-request-headers")
_REQUESTS = frozenset({"http", "websocket"})
_SERVER_ERROR = b"Internal Server Error"
_SERVER_ERROR_FIELDS = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"%d" % len(_SERVER_ERROR)),
)


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
        kind = scope["type"]
        if kind not in _REQUESTS:
            await self.app(scope, receive, send)
            return
        guard = self.guard
        decision = _known(guard, scope) or _decided(guard, scope)
        if decision is None:
            decision = await guard.decide_async(*_asked(scope))
        if decision.status is not None:
            await _answer(decision, scope, receive, send)
            return
        # The rest stands here, as each coroutine around the application is a part of the cost.
        framework = scope.get("app")
        if framework is None:
            # ASGI, "Middleware": a copy, so that nothing leaks to those outside. The parts of a
            # framework share one scope: those outside read there which route was taken.
            scope = scope.copy()
        scope[DECISION] = decision
        fields = decision.headers
        if not fields or kind != "http":
            await self.app(scope, receive, send)
            return
        started = False

        def send_on(message: Message) -> Awaitable[None]:
            nonlocal started
            if not started and message["type"] == "http.response.start":
                started = True
                message = put_on(guard, fields, message, scope)
            return send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception as error:
            if not started:
                await _fail(framework, guard, decision, error, send_on)
            raise


def _known(guard: Guard, scope: Scope) -> Decision | None:
    """The answer to a request where it is known: to most, where one policy holds everywhere."""
    if not guard.answers or scope["type"] == "websocket":
        return None
    if scope["method"] == "OPTIONS":
        return _known_preflight(guard, scope["headers"])
    origin: str | None = None
    for name, value in scope["headers"]:
        if name == b"origin":
            if origin is not None:
                return None
            origin = value.decode("latin-1")
    answers = guard.answers
    if answers is not guard.answers_to_cookies and value_of("cookie", scope["headers"]):
        answers = guard.answers_to_cookies
    decision = answers.get(origin)
    if decision is None:
        return guard.known_refusal(origin, value_of("sec-fetch-site", scope["headers"]))
    return decision


def _known_preflight(guard: Guard, fields: Fields) -> Decision | None:
    field = joined(fields).get
    origin, method, asked = map(field, _PREFLIGHT)
    if origin is None or method is None:
        return None
    names = None if asked is None else asked.decode("latin-1")
    return guard.known_preflight((origin.decode("latin-1"), method.decode("latin-1"), names))


def _decided(guard: Guard, scope: Scope) -> Decision | None:
    """The answer to any request, but where a callable may have to be awaited for it."""
    return None if guard.has_callables else guard.decide(*_asked(scope))


def _asked(scope: Scope) -> _Asked:
    """What the guard is asked about a request."""
    fields = joined(scope["headers"])
    if scope["type"] == "websocket":
        # RFC 8441, 5: over HTTP/2 a handshake has no Upgrade, and it is one all the same.
        fields[b"upgrade"] = b"websocket"

    def read(name: str) -> str | None:
        value = fields.get(name.encode())
        return None if value is None else value.decode("latin-1")

    cookie = bool(fields.get(b"cookie"))
    return _path(scope), read("origin"), scope.get("method", "GET"), read, cookie


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
    fields = answer_fields(decision)
    await send({"type": f"{kind}.start", "status": decision.status, "headers": fields})
    await send({"type": f"{kind}.body", "body": decision.body})


async def _fail(
    framework: object, guard: Guard, decision: Decision, error: Exception, send: Send
) -> None:
    """Let the answer to an error carry the headers: the framework's, or one made here."""
    if framework is not None:
        let_carry(framework, guard, decision, error)
        return
    fields = [*_SERVER_ERROR_FIELDS]
    await send({"type": "http.response.start", "status": 500, "headers": fields})
    await send({"type": "http.response.body", "body": _SERVER_ERROR})
