"""The ASGI middleware (ASGI 3, "HTTP & WebSocket ASGI Message Format")."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Unpack

from corsguard import CORSRequest, Decision, Guard, Policies, PolicyError
from corsguard.engine.decision import DECISION
from corsguard.escaping import escape_text
from corsguard.guard.arguments import build_guard, split_shadow
from corsguard_asgi.errors import let_carry
from corsguard_asgi.fields import (
    Message,
    build_request,
    list_answer_fields,
    put_on,
)
from corsguard_asgi.router_paths import (
    ReadPath,
    find_path_reader,
    get_app_root_path,
    strip_root_path,
)

if TYPE_CHECKING:
    from corsguard.engine.request import Methods
    from corsguard.guard import GuardFields
    from corsguard.guard.runtime import GuardRuntime
    from corsguard.guard.view_policies import View

__all__ = [
    "ASGIApp",
    "CORSMiddleware",
    "Receive",
    "Scope",
    "Send",
    "decide",
    "refuse_handshake",
    "respond",
    "send_server_error",
]

# Every framework has types of its own for what is a plain dict; these fit all of them.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Scope = Any
Send = Callable[[Any], Awaitable[None]]

_logger = logging.getLogger("corsguard")
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_SERVER_ERROR = b"Internal Server Error"
_SERVER_ERROR_FIELDS = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"%d" % len(_SERVER_ERROR)),
)


class CORSMiddleware:
    """An ASGI application that adds the CORS protocol to another one.

    `policy` is a Policy for every path, policies by route prefix, or a Guard; instead of it, the
    fields of a policy and the options of a guard are keyword arguments. The messages of the
    wrapped application pass one by one: nothing is buffered. The application finds the decision
    in `scope["corsguard.decision"]`. With `shadow=True` it changes nothing, and logs what would
    differ: see docs/shadow.md.

    Raises PolicyError: `no-policy` without any, `unknown-field` for a keyword that does not exist.
    """

    _is_outermost = False
    """True if the error layer of a framework is inside, and not around its middleware."""

    def __init__(
        self, app: ASGIApp, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        self.app = app
        try:
            fields_left, is_shadow = split_shadow(policy, fields)
            self.guard: Guard = build_guard(policy, fields_left)
        except PolicyError as error:
            # Starlette builds its middleware when the lifespan begins. uvicorn takes an exception
            # there for "no lifespan support", and would not show the message.
            _logger.error("CORSMiddleware does not start: %s", error)  # noqa: TRY400
            raise
        # The search for the router waits for the start of the server, or for the first request that
        # needs a path: only then has every layer got what it wraps.
        self._read_path: ReadPath = self._search_and_read
        self._is_certain = False
        self._next: ASGIApp = app
        self._has_logged_root = False
        if is_shadow:
            from corsguard_asgi.shadow import become_shadow

            become_shadow(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._call_other(scope, receive, send)
            return
        adapter = self.guard.adapter
        snapshot = adapter.snapshot
        app, path = self.app, None
        applied = snapshot.pathless
        if applied is None:
            app, path = self._next, self._read_route_path(scope)
            applied = snapshot.find(path)
        cached = applied.cache.lookup_headers(scope["headers"], scope["method"], None, path)
        decision = cached or await self._decide(scope)
        if decision.status is not None:
            await respond(decision, "http.response", send)
            return
        # The rest is in line, as each coroutine around the application is a part of the cost.
        framework = scope.get("app")
        if framework is None:
            # ASGI, "Middleware": a copy, so that nothing leaks to those outside. The parts of a
            # framework share one scope: those outside read there which route was taken.
            scope = scope.copy()
        scope[DECISION] = decision
        decided = decision.headers
        if not decided:
            await app(scope, receive, send)
            return
        started = False

        def send_on(message: Message) -> Awaitable[None]:
            nonlocal started
            if not started and message["type"] == "http.response.start":
                started = True
                message = put_on(adapter, decided, message, scope)
            return send(message)

        try:
            await app(scope, receive, send_on)
        except Exception as error:
            if not started:
                outside = None if self._is_outermost else framework
                await _answer_error(outside, adapter, decision, error, send_on)
            raise

    async def _call_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decide a WebSocket handshake, which needs no headers, and pass on anything else."""
        if scope["type"] != "websocket":
            self._log_start()
            await self.app(scope, receive, send)
            return
        decision = await self._decide(scope)
        if decision.status is not None:
            await refuse_handshake(decision, scope, receive, send)
            return
        if scope.get("app") is None:
            scope = scope.copy()
        scope[DECISION] = decision
        await self._next(scope, receive, send)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call an unknown application, and log a warning if it sets another root path.

        FastAPI puts its own root path into the scope. The decision was made without it.
        """
        before = get_app_root_path(scope)
        try:
            await self.app(scope, receive, send)
        finally:
            root = get_app_root_path(scope)
            if root not in ("", "/", before) and not self._has_logged_root:
                self._has_logged_root = True
                where = (escape_text(scope["path"]), escape_text(repr(root)), self._why())
                _logger.warning("the policy for %s was chosen without root_path %s: %s", *where)

    async def _decide(self, scope: Scope) -> Decision:
        """Return the decision on a request that is not cached."""
        # Where the path does not matter, only the log shows it.
        path = self._read_route_path(scope) if self._needs_path() else strip_root_path(scope)
        return await decide(self.guard.adapter, build_request(scope, path))

    def _read_route_path(self, scope: Scope) -> str:
        """Return the path that the application's router reads, or one that matches no route."""
        path = self._read_path(scope)
        if path is not None:
            return path
        if not self._has_logged_root:
            self._has_logged_root = True
            where = (escape_text(scope["path"]), escape_text(repr(scope.get("root_path", ""))))
            _logger.warning("no route applies to %s (root_path %s): %s", *where, self._why())
        path = scope["path"]
        return f"/{path}" if path.startswith("/") else f"//{path}"  # behind an empty segment

    def _search_and_read(self, scope: Scope) -> str | None:
        """Search for the router at the first request that needs a path, and read it."""
        self._search()
        return self._read_path(scope)

    def _search(self) -> None:
        self._read_path, self._is_certain = find_path_reader(self.app, self)
        self._next = self.app if self._is_certain else self._watched

    def _log_start(self) -> None:
        """Log, when a server starts the application, if routes can't apply under a root path."""
        if not self._needs_path():
            return
        self._search()
        if not self._is_certain:
            self._read_path = self._search_and_read  # a layer may get what it wraps later
            _logger.info("no route applies to a request with a root path: %s", self._why())

    def _needs_path(self) -> bool:
        return self.guard.adapter.snapshot.pathless is None

    def _why(self) -> str:
        return (
            f"the path that {escape_text(repr(self.app))} reads is not known. "
            "Wrap the framework's application itself, use one policy for every path, "
            "or serve the application without a root path."
        )


async def decide(
    adapter: GuardRuntime, request: CORSRequest, view: View | None = None, methods: Methods = None
) -> Decision:
    """Return the decision on a request; see GuardRuntime.decide."""
    if adapter.has_callables:  # one of them may have to be awaited
        return await adapter.decide_async(request, view, methods)
    return adapter.decide(request, view, methods)


async def respond(decision: Decision, kind: str, send: Send) -> None:
    """Respond without the application."""
    fields = list_answer_fields(decision)
    await send({"type": f"{kind}.start", "status": decision.status, "headers": fields})
    await send({"type": f"{kind}.body", "body": decision.body})


async def refuse_handshake(decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket handshake: by a response where the server can send one."""
    # ASGI, "Connect": it comes first, and is not answered before it is received.
    if (await receive())["type"] != "websocket.connect":
        return
    kind = "websocket.http.response"
    if kind in (scope.get("extensions") or ()):
        await respond(decision, kind, send)
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})


async def _answer_error(
    framework: object, adapter: GuardRuntime, decision: Decision, error: Exception, send: Send
) -> None:
    """Let the answer to an error carry the headers: the framework's outside, or one made here."""
    if framework is None:
        await send_server_error(send)
    else:
        let_carry(framework, adapter, decision, error)


async def send_server_error(send: Send) -> None:
    """Respond with a plain 500, where the application has raised before its response began."""
    fields = [*_SERVER_ERROR_FIELDS]
    await send({"type": "http.response.start", "status": 500, "headers": fields})
    await send({"type": "http.response.body", "body": _SERVER_ERROR})
