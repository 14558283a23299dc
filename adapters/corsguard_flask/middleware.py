"""The WSGI middleware of the extension, which decides a request by its view or its path."""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, abort, request, request_started

from corsguard import Decision, Guard, Kind, PolicyError, Problem, Reason
from corsguard.engine.decision import DECISION
from corsguard.engine.request import CORSRequest, Methods, read_path
from corsguard.errors import NO_POLICY, emit_warnings
from corsguard.fork_safety import restart_in_child
from corsguard.guard.view_policies import View, find_shared_methods
from corsguard_flask.debugger import call_under_debugger, has_debugger
from corsguard_flask.routing import match_endpoints
from corsguard_flask.unreachable_views import AUDIT
from corsguard_flask.view_functions import ViewFunctions
from corsguard_flask.view_policies import (
    BlueprintPolicies,
    Views,
    find_view_policies,
    get_view,
    list_view_layers,
)
from corsguard_wsgi.middleware import CORSMiddleware, respond, restart

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["FlaskMiddleware"]

_EXCHANGE = "corsguard.exchange"
_BY_PATH = Decision(Kind.NOT_CORS, Reason.NO_POLICY, "", None, ())
"""Placeholder where the WSGI middleware decides by the path."""
_NO_POLICY_AT_ALL = NO_POLICY._replace(message="no route, view or blueprint has a policy")
_FLASK_CORS = Problem(
    "flask-cors",
    "app",
    "flask_cors",
    "flask-cors is active on this application too",
    "remove CORS(app) and @cross_origin",
)


class _Exchange:
    """A request whose decision may depend on the view that it reaches."""

    __slots__ = ("decision", "method", "path", "path_info", "view")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.method: str = environ["REQUEST_METHOD"]
        self.path = read_path(environ)
        self.path_info = environ.get("PATH_INFO", "")  # a middleware between may change it
        self.view: View | None = None
        self.decision: Decision | None = None


class FlaskMiddleware(CORSMiddleware):
    """The middleware that replaces `app.wsgi_app`; also `app.extensions["corsguard"]`."""

    def __init__(
        self, flask: Flask, guard: Guard, blueprints: BlueprintPolicies, setting: object = None
    ) -> None:
        # Not super().__init__(): a guard without policies is valid here, as views may have some.
        self.guard = guard
        self._adapter = guard.adapter
        self._adapter.require_sync()
        self.setting = setting
        """The `app.config["CORSGUARD"]` that the guard was built from, or None."""
        self.app: WSGIApplication = self._call_flask
        self._flask = flask
        self._wsgi_app = flask.wsgi_app
        self._blueprints = blueprints
        self._views: Views = {}
        self._functions = ViewFunctions()
        self._seen: tuple[int, int, object] = (0, 0, None)
        self._watches_method = False
        self._needs_views = not (guard.policies or guard.enforce)
        self.is_quiet = False
        """True if unreachable views are not logged, because a command reports them itself."""
        self._create_lock()
        restart_in_child(self._create_lock)

    def rehearsing(self, guard: Guard, app: WSGIApplication) -> FlaskMiddleware:
        """Return a copy with another guard, which calls app instead of Flask."""
        other = FlaskMiddleware(self._flask, guard, self._blueprints)
        other.app = app
        other.is_quiet = True
        return other

    def read_views(self) -> Views:
        """Return the views with per-view policies, read again after views were added or replaced.

        Raises PolicyError at every call while a policy is dangerous, so no request is served.
        """
        functions, seen = self._flask.view_functions, self._seen
        if (
            functions is not self._functions
            or seen[0] != len(functions)
            or seen[1] != self._functions.changes
            or seen[2] is not self._blueprints.table
        ):
            with self._lock:  # one thread reads the views, and the others wait for it
                self._reread_views()
        return self._views

    def _create_lock(self) -> None:
        """Create the lock, anew in a forked child (see corsguard.fork_safety)."""
        self._lock = RLock()  # reentrant: a decorator applied to find its policy may send a request

    def _reread_views(self) -> None:
        functions, table = self._flask.view_functions, self._blueprints.table
        if functions is not self._functions:
            functions = self._replace_functions(functions)
        count, changes = len(functions), self._functions.changes
        seen = self._seen
        if seen[0] != count or seen[1] != changes or seen[2] is not table:
            views = find_view_policies(self._flask, table)
            self._check_views(views)
            if not self.is_quiet:
                AUDIT.log(self._flask)
            self._watches_method = bool(self.guard.enforce) and self._may_change_method()
            if views or self._watches_method:
                request_started.connect(self._matched, self._flask)
            self._views, self._seen = views, (count, changes, table)

    def _replace_functions(self, functions: dict[str, Any]) -> ViewFunctions:
        """Replace Flask's dict of view functions with one that counts changes, and return it."""
        if not isinstance(functions, ViewFunctions):
            functions = ViewFunctions(functions)
        self._seen = (0, 0, None)  # reset first: other threads compare it without the lock
        self._functions = self._flask.view_functions = functions
        return functions

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of an application that starts nevertheless."""
        return self._find_conflicts()

    def _find_conflicts(self) -> tuple[Problem, ...]:
        return (_FLASK_CORS,) if _has_flask_cors(self._flask) else ()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self.read_views():
            if self._watches_method:
                exchange = environ[_EXCHANGE] = _Exchange(environ)
                exchange.decision = _BY_PATH
            return super().__call__(environ, start_response)
        exchange = _Exchange(environ)
        if exchange.method == "OPTIONS" or self.guard.enforce:
            request = CORSRequest.from_environ(environ, exchange.path)
            if request.is_preflight:
                return self._respond_to_preflight(environ, request, start_response)
            if self._adapter.needs_view_first(request):
                decision = self._decide_before_dispatch(environ, exchange)
                if decision.status is not None:
                    return respond(decision, start_response)
        environ[_EXCHANGE] = exchange

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exchange.decision is None:
                exchange.view = self._unmatched(environ, exchange)
                exchange.decision = self._decide(environ, exchange, exchange.method)
            headers = self._adapter.merge(exchange.decision.headers, headers, exchange.path)
            return restart(start_response, status, headers, exc_info)

        return self.app(environ, start)

    def _respond_to_preflight(
        self, environ: WSGIEnvironment, preflight: CORSRequest, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Respond by the view that the requested method reaches; Flask reads it in any case."""
        view, methods = self._find_preflight_view(environ, preflight)
        cache = self._adapter.snapshot.find(preflight.path, view).cache
        decision = cache.lookup(environ, preflight.method, methods, preflight.path)
        if decision is None:
            decision = self._adapter.decide(preflight, view, methods)
        environ[DECISION] = decision
        if decision.status is None:  # no policy applies there
            return self.app(environ, start_response)
        return respond(decision, start_response)

    def _find_preflight_view(
        self, environ: WSGIEnvironment, preflight: CORSRequest
    ) -> tuple[View | None, Methods]:
        """Return the view that the requested method reaches, and the methods of its policy."""
        method = (preflight.requested_method or "").upper()
        views = {
            each: get_view(self._views, endpoint, each)
            for each, endpoint in match_endpoints(self._flask, environ, method, others=True).items()
        }
        of_path = self.guard.policies_for(preflight.path)
        policies = {each: view.policy if view else of_path for each, view in views.items()}
        return views[method], find_shared_methods(method, policies)

    def _decide_before_dispatch(self, environ: WSGIEnvironment, exchange: _Exchange) -> Decision:
        """Decide an unsafe cross-site request by the view that it is going to reach."""
        method = exchange.method
        endpoints = match_endpoints(self._flask, environ, method, others=False)
        exchange.view = get_view(self._views, endpoints[method], method)
        exchange.decision = self._decide(environ, exchange, method)
        return exchange.decision

    def _unmatched(self, environ: WSGIEnvironment, exchange: _Exchange) -> View | None:
        """Return the view of the URL if inner middleware, such as a cache, responds first."""
        method = exchange.method
        asked = {**environ, "PATH_INFO": exchange.path_info}
        try:
            endpoints = match_endpoints(self._flask, asked, method, others=False)
        except Exception:  # of a converter, and this is the answer to it
            return None
        return get_view(self._views, endpoints[method], method)

    def _matched(self, _flask: Flask, **_signal: object) -> None:
        """Decide by the view that Flask has matched, before any function of the application."""
        exchange: _Exchange | None = request.environ.get(_EXCHANGE)
        if exchange is None:
            return
        view = get_view(self._views, request.endpoint, request.method)
        # A middleware between may have changed the method or the path. What was decided ahead
        # applies to one view alone, and what is enforced is the method that the view is called by.
        method = request.method if self.guard.enforce else exchange.method
        if exchange.decision is None or exchange.view != view or exchange.method != method:
            exchange.view = view
            decision = exchange.decision = self._decide(request.environ, exchange, method)
            if decision.status is not None:
                abort(Response(decision.body, decision.status, mimetype="text/plain"))

    def _decide(self, environ: WSGIEnvironment, exchange: _Exchange, method: str) -> Decision:
        """Decide by the view, as if the request had this method, whatever the environ says."""
        applied = self._adapter.snapshot.find(exchange.path, exchange.view)
        decision = applied.cache.lookup(environ, method, path=exchange.path)
        if decision is None:
            request = CORSRequest.from_environ(environ, exchange.path, method)
            decision = self._adapter.decide(request, exchange.view)
        environ[DECISION] = decision
        return decision

    def _call_flask(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if has_debugger(environ):
            return call_under_debugger(self._flask, self._wsgi_app, environ, start_response)
        return self._wsgi_app(environ, start_response)

    def _may_change_method(self) -> bool:
        """Return True if inner middleware or the request class may change the method."""
        is_bare = getattr(self._wsgi_app, "__func__", None) is Flask.wsgi_app
        return not is_bare or self._flask.request_class is not Request

    def _check_views(self, views: Views) -> None:
        own = {  # keyed by identity: a policy with a callable may not be hashable
            (view.name, id(view.policy)): (f'views."{view.name}"', view.policy)
            for by_method in views.values()
            for view in by_method.values()
            if view.policy
        }
        if self._needs_views and not (own or self.guard.policies):
            raise PolicyError([_NO_POLICY_AT_ALL])
        AUDIT.check_exempt(self._flask)
        self._adapter.add_views(own.values())
        emit_warnings(self._find_conflicts())


def _has_flask_cors(app: Flask) -> bool:
    after = (function for listed in app.after_request_funcs.values() for function in listed)
    return any(
        getattr(function, "__globals__", {}).get("__name__", "").startswith("flask_cors.")
        for function in (*after, *list_view_layers(app))
    )
