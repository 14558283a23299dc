"""The ASGI middleware of the extension, which decides a request by its view or its path."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware as StarletteCORS

from corsguard import CORSRequest, Decision, Guard, PolicyError, Problem
from corsguard.engine.decision import DECISION
from corsguard.engine.request import Methods, collect_fields
from corsguard.errors import NO_POLICY, emit_warnings
from corsguard.guard.view_policies import View, find_shared_methods
from corsguard_asgi.fields import Message, build_request, put_on
from corsguard_asgi.middleware import (
    ASGIApp,
    CORSMiddleware,
    Receive,
    Scope,
    Send,
    decide,
    refuse_handshake,
    respond,
    send_server_error,
)
from corsguard_asgi.router_paths import strip_root_path
from corsguard_starlette.unreachable_views import AUDIT
from corsguard_starlette.view_policies import TargetPolicies, Views

__all__ = ["StarletteMiddleware", "find_other_cors"]

_EXCHANGE = "corsguard.exchange"
_REQUESTED_METHOD = b"access-control-request-method"
_NO_POLICY_AT_ALL = NO_POLICY._replace(message="no route, router or view has a policy")
_STARLETTE_CORS = Problem(
    "starlette-cors",
    "app",
    "CORSMiddleware",
    "Starlette's CORSMiddleware is active on this application too",
    "remove it",
)

_logger = logging.getLogger("corsguard")


class _Target(NamedTuple):
    """What a router reads of a request, which middleware in between may change."""

    method: str
    path: str
    root_path: str


class _Exchange:
    """A request whose decision depends on the view that it reaches."""

    __slots__ = ("decision", "has_started", "owner", "target")

    def __init__(self, owner: object, target: _Target, decision: Decision) -> None:
        self.owner = owner  # an application around this one may have a guard too
        self.target = target
        self.decision = decision
        self.has_started = False


class StarletteMiddleware(CORSMiddleware):
    """The middleware around all others of an application; also `app.state.corsguard`."""

    _is_outermost = True

    def __init__(
        self, starlette: Starlette, guard: Guard, targets: TargetPolicies, setting: object = None
    ) -> None:
        # Not super().__init__(): a guard without policies is valid here, as views may have some;
        # and the path needs no search for the router, which is that of the application.
        self.guard = guard
        self._adapter = guard.adapter
        self.setting = setting
        """The keyword arguments that the guard was built from, or None."""
        self.app: ASGIApp = starlette.router
        self._next = self.app
        self._read_path = strip_root_path
        self._is_certain = True
        self._has_logged_root = False
        self._starlette = starlette
        self._targets = targets
        self._views: Views | None = None
        self._watches_target = False
        self._needs_views = not (guard.policies or guard.enforce)
        self._logged: list[Problem] = []
        self.is_quiet = False
        """True if unreachable views are not logged, because a command reports them itself."""

    def install(self) -> None:
        """Put the middleware around the stack that the application builds when it starts."""
        # On the instance, as observability libraries do: `app` stays the object that it is.
        build = self._starlette.build_middleware_stack
        self._starlette.build_middleware_stack = partial(self._build_stack, build)  # type: ignore[method-assign]

    def _build_stack(self, build: Any) -> ASGIApp:
        added = self._starlette.user_middleware
        self._watches_target = bool(added)
        if added:  # the innermost one of corsguard sees the request as the router does
            inner = Middleware(_InnerMiddleware, outer=self)
            self._starlette.user_middleware = [*added, inner]
        try:
            self.app = self._next = build()
        finally:
            self._starlette.user_middleware = added
        return self

    def rehearsing(self, guard: Guard, app: ASGIApp) -> StarletteMiddleware:
        """Return a copy with another guard, which calls app instead of the application."""
        other = StarletteMiddleware(self._starlette, guard, self._targets)
        other.app = other._next = app
        other.is_quiet = True
        return other

    def read_views(self) -> Views:
        """Return the views of the application, read again after routes or policies were added.

        Raises PolicyError at every call while a policy is dangerous, so no request is served.
        """
        views = self._views
        if views is None or not views.is_current():
            views = Views(self._starlette, self._targets)
            self._check(views)
            self._views = views
        return views

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of an application that starts nevertheless."""
        return (*self._find_conflicts(), *self.read_views().find_unused_targets())

    def _find_conflicts(self) -> list[Problem]:
        return find_other_cors(self._starlette)

    def _check(self, views: Views) -> None:
        if self._needs_views and not (views.policies or self.guard.policies):
            raise PolicyError([_NO_POLICY_AT_ALL])
        AUDIT.check_exempt(self._starlette)
        self._adapter.add_views({id(each[1]): each for each in views.policies}.values())
        emit_warnings(self._find_conflicts())
        if not self.is_quiet:
            AUDIT.log(self._starlette)
            for problem in views.find_unused_targets():
                if problem not in self._logged:
                    self._logged.append(problem)
                    _logger.error("%s", problem)

    # It returns a coroutine and is none: a request that no view decides costs no more than in the
    # class above. Type checkers disagree on the type of that, so it is Any.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        kind = scope["type"]
        if kind == "lifespan":
            return self._start(scope, receive, send)
        views = self._views
        if views is None or not views.is_current():
            views = self.read_views()
        if not (views.has_policies or (self._watches_target and self.guard.enforce)):
            return CORSMiddleware.__call__(self, scope, receive, send)
        if kind == "websocket":
            return self._call_socket(scope, receive, send)
        return self._call_http(scope, receive, send)

    async def _start(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Validate the policies of views when a server starts the application."""
        try:
            self.read_views()
        except PolicyError as error:
            # Without this message, uvicorn takes the exception for "no lifespan support".
            await receive()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await self.app(scope, receive, send)

    async def _call_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = scope[_EXCHANGE] = await self._decide_exchange(scope)
        if exchange.decision.status is not None:
            await respond(exchange.decision, "http.response", send)
            return
        adapter = self._adapter

        def send_on(message: Message) -> Awaitable[None]:
            if not exchange.has_started and message["type"] == "http.response.start":
                exchange.has_started = True
                fields = exchange.decision.headers
                message = put_on(adapter, fields, message, scope) if fields else message
            return send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception:
            if not exchange.has_started:
                await send_server_error(send_on)
            raise

    async def _call_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = scope[_EXCHANGE] = await self._decide_exchange(scope)
        if exchange.decision.status is not None:
            await refuse_handshake(exchange.decision, scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def decide_again(self, scope: Scope) -> Decision | None:
        """Return a new decision if other middleware has changed what the router reads; else None.

        What was decided before applies to another view, and what is enforced is the method that
        the view is called with.
        """
        exchange: _Exchange | None = scope.get(_EXCHANGE)
        if exchange is None or exchange.owner is not self:
            return None
        if exchange.target == _read_target(scope):
            return None
        exchange.decision = (await self._decide_exchange(scope)).decision
        return exchange.decision

    async def _decide_exchange(self, scope: Scope) -> _Exchange:
        path, (view, methods) = strip_root_path(scope), self._find_view(scope)
        decision = self._lookup(scope, path, view, methods)
        if decision is None:
            request: CORSRequest = build_request(scope, path)
            decision = await decide(self._adapter, request, view, methods)
        scope[DECISION] = decision
        return _Exchange(self, _read_target(scope), decision)

    def _lookup(
        self, scope: Scope, path: str, view: View | None, methods: Methods
    ) -> Decision | None:
        if scope["type"] != "http":
            return None
        cache = self._adapter.snapshot.find(path, view).cache
        return cache.lookup_headers(scope["headers"], scope["method"], methods, path)

    def _find_view(self, scope: Scope) -> tuple[View | None, Methods]:
        """Return the view that a request reaches, or the requested method of a preflight.

        And the methods of the URL whose views have the same policy; None for all of them.
        """
        views = self.read_views()
        if not views.has_policies:
            return None, None
        requested = _read_requested_method(scope)
        if requested is None:
            leaf = views.match(scope)
            return (views.find(leaf, scope.get("method", "GET")) if leaf else None), None
        of_path = self.guard.policies_for(strip_root_path(scope))
        leaves = {
            method: views.match({**scope, "method": method})
            for method in {requested, *views.methods}
        }
        found = {method: views.find(leaf, method) for method, leaf in leaves.items() if leaf}
        view = found.setdefault(requested, None)
        policies = {method: each.policy if each else of_path for method, each in found.items()}
        return view, find_shared_methods(requested, policies)


def find_other_cors(app: Starlette) -> list[Problem]:
    """Return a problem if Starlette's own CORSMiddleware was added to an application."""
    added: list[Any] = app.user_middleware
    return [_STARLETTE_CORS] if any(each.cls is StarletteCORS for each in added) else []


class _InnerMiddleware:
    """The layer behind all other middleware, where the request is what the router reads."""

    def __init__(self, app: ASGIApp, outer: StarletteMiddleware) -> None:
        self.app = app
        self._outer = outer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        decision = await self._outer.decide_again(scope) if scope["type"] != "lifespan" else None
        if decision is None or decision.status is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse_handshake(decision, scope, receive, send)
        else:
            await respond(decision, "http.response", send)


def _read_target(scope: Mapping[str, Any]) -> _Target:
    return _Target(scope.get("method", "GET"), scope["path"], scope.get("root_path") or "")


def _read_requested_method(scope: Mapping[str, Any]) -> str | None:
    """Return the method that a preflight asks for; None if the request is no preflight."""
    if scope.get("method") != "OPTIONS":
        return None
    fields = collect_fields(scope["headers"])
    requested = fields.get(_REQUESTED_METHOD)
    return requested.decode("latin-1") if requested is not None and b"origin" in fields else None
