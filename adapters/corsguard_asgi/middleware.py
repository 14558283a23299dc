"""The ASGI middleware (ASGI 3, "HTTP & WebSocket ASGI Message Format")."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from corsguard import Decision, Guard, Policies, PolicyError
from corsguard.engine.decision import DECISION
from corsguard.escaping import escape_text
from corsguard_asgi.errors import let_carry
from corsguard_asgi.fields import Fields, Message, answer_fields, put_on, read, value_of
from corsguard_asgi.router_paths import (
    ReadPath,
    find_path_reader,
    get_app_root_path,
    strip_root_path,
)

if TYPE_CHECKING:
    from corsguard.guard import GuardFields

__all__ = ["CORSMiddleware"]

# Every framework has types of its own for what is a plain dict; these fit all of them.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Scope = Any
Send = Callable[[Any], Awaitable[None]]

_Asked = tuple[str, str | None, str, Callable[[str], str | None], bool | None]

_logger = logging.getLogger("corsguard")
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_PREFLIGHT = (b"origin", b"access-control-request-method", b"access-control-request-headers")
_REQUESTS = frozenset({"http", "websocket"})
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
    in `scope["corsguard.decision"]`.

    Raises PolicyError: `no-policy` without any, `unknown-field` for a keyword that does not exist.
    """

    def __init__(
        self, app: ASGIApp, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        self.app = app
        try:
            self.guard = Guard.of(policy, fields)
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in _REQUESTS:
            self._log_start()
            await self.app(scope, receive, send)
            return
        guard, app = self.guard, self.app
        decision = _known(guard, scope)
        if decision is None:
            asked = self._asked(scope)
            # A callable may have to be awaited.
            has_callables = guard.has_callables
            decision = await guard.decide_async(*asked) if has_callables else guard.decide(*asked)
            app = self._next
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
            await app(scope, receive, send)
            return
        started = False

        def send_on(message: Message) -> Awaitable[None]:
            nonlocal started
            if not started and message["type"] == "http.response.start":
                started = True
                message = put_on(guard, fields, message, scope)
            return send(message)

        try:
            await app(scope, receive, send_on)
        except Exception as error:
            if not started:
                await _fail(framework, guard, decision, error, send_on)
            raise

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

    def _asked(self, scope: Scope) -> _Asked:
        """Return what the guard decides a request by."""
        fields = read(scope["headers"])
        if scope["type"] == "websocket":
            # RFC 8441, 5: over HTTP/2 a handshake has no Upgrade, and it is one all the same.
            fields[b"upgrade"] = b"websocket"

        def field(name: str) -> str | None:
            value = fields.get(name.encode())
            return None if value is None else value.decode("latin-1")

        cookie = bool(fields.get(b"cookie"))
        return self._path(scope), field("origin"), scope.get("method", "GET"), field, cookie

    def _path(self, scope: Scope) -> str:
        """Return the path that the application's router reads, or one that matches no route."""
        if not self._has_routes():
            return strip_root_path(scope)  # only the log shows it
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
        if not self._has_routes():
            return
        self._search()
        if not self._is_certain:
            self._read_path = self._search_and_read  # a layer may get what it wraps later
            _logger.info("no route applies to a request with a root path: %s", self._why())

    def _has_routes(self) -> bool:
        return isinstance(self.guard.policies, Mapping) or bool(self.guard.enforce_exempt)

    def _why(self) -> str:
        return (
            f"the path that {escape_text(repr(self.app))} reads is not known. "
            "Wrap the framework's application itself, use one policy for every path, "
            "or serve the application without a root path."
        )


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
    if answers is not guard.answers_to_cookies and value_of(b"cookie", scope["headers"]):
        answers = guard.answers_to_cookies
    decision = answers.get(origin)
    if decision is None:
        site = value_of(b"sec-fetch-site", scope["headers"])
        return guard.known_refusal(origin, None if site is None else site.decode("latin-1"))
    return decision


def _known_preflight(guard: Guard, fields: Fields) -> Decision | None:
    field = read(fields).get
    origin, method, asked = map(field, _PREFLIGHT)
    if origin is None or method is None:
        return None
    names = None if asked is None else asked.decode("latin-1")
    return guard.known_preflight((origin.decode("latin-1"), method.decode("latin-1"), names))


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
