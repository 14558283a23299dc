"""The WSGI middleware, and what Flask knows of the views behind it."""

from __future__ import annotations

from collections.abc import Iterable
from threading import RLock
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, abort, request, request_started

from corsguard import Decision, Guard, Kind, PolicyError, Problem, Reason
from corsguard.engine.decision import DECISION
from corsguard.engine.request import CORSRequest, read_path
from corsguard.errors import NO_POLICY, emit_warnings
from corsguard.fork_safety import restart_in_child
from corsguard.guard.view_policies import View, find_shared_methods
from corsguard_flask.debugger import answer_debugged, is_debugged
from corsguard_flask.noting import ViewFunctions
from corsguard_flask.reach import check_reach, log_unreachable
from corsguard_flask.routing import endpoints_at
from corsguard_flask.views import BlueprintPolicies, Views, reached_in, view_of, views_of
from corsguard_wsgi.middleware import CORSMiddleware, respond, restart

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["FlaskMiddleware"]

_EXCHANGE = "corsguard.exchange"
_BY_PATH = Decision(Kind.NOT_CORS, Reason.NO_POLICY, "", None, ())
"""In the place of a decision that the WSGI middleware makes by the path."""
_NO_POLICY_AT_ALL = NO_POLICY._replace(
    message="no route has a policy, and no view and no blueprint has one either"
)
_FLASK_CORS = Problem(
    "flask-cors",
    "app",
    "flask_cors",
    "flask-cors is on this application as well, and two answers are one too many",
    "remove CORS(app) and @cross_origin",
)


class _Exchange:
    """A request on its way to the view whose policy decides it."""

    __slots__ = ("decision", "method", "path", "path_info", "view")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.method: str = environ["REQUEST_METHOD"]
        self.path = read_path(environ)
        self.path_info = environ.get("PATH_INFO", "")  # a middleware between may change it
        self.view: View | None = None
        self.decision: Decision | None = None


class FlaskMiddleware(CORSMiddleware):
    """What `app.wsgi_app` becomes; `app.extensions["corsguard"]`, too."""

    def __init__(
        self, flask: Flask, guard: Guard, blueprints: BlueprintPolicies, setting: object = None
    ) -> None:
        # Not by the WSGI one's: a guard without policies is one for views that have some.
        self.guard = guard
        self._adapter = guard.adapter
        self._adapter.require_sync()
        self.setting = setting
        """What of the application's configuration the guard was made of; None for nothing."""
        self.app = self._call
        self._flask = flask
        self._wsgi_app = flask.wsgi_app
        self._blueprints = blueprints
        self._views: Views = {}
        self._functions = ViewFunctions()
        self._seen: tuple[int, int, object] = (0, 0, None)
        self._watches_method = False
        self._needs_views = not (guard.policies or guard.enforce)
        self.is_quiet = False
        """Whether views that no URL leads to are not logged: a command reports them itself."""
        self._restart()
        restart_in_child(self._restart)

    def rehearsing(self, guard: Guard, app: WSGIApplication) -> FlaskMiddleware:
        """The same with another guard, and with app to answer in the place of Flask."""
        other = FlaskMiddleware(self._flask, guard, self._blueprints)
        other.app = app
        other.is_quiet = True
        return other

    def read_views(self) -> Views:
        """The views with policies of their own; read again only when there are new ones.

        Raises PolicyError, each time, so that an application with a dangerous one answers nothing.
        """
        functions, seen = self._flask.view_functions, self._seen
        if (
            functions is not self._functions
            or seen[0] != len(functions)
            or seen[1] != self._functions.changes
            or seen[2] is not self._blueprints.table
        ):
            with self._lock:  # one thread reads them, and the others wait for what it finds
                self._read_changed()
        return self._views

    def _restart(self) -> None:
        """Make a new lock; see corsguard.fork_safety. What was being read is read again."""
        self._lock = RLock()  # a decorator that is applied to find its policy may send a request

    def _read_changed(self) -> None:
        functions, table = self._flask.view_functions, self._blueprints.table
        if functions is not self._functions:
            functions = self._note_changes(functions)
        count, changes = len(functions), self._functions.changes
        seen = self._seen
        if seen[0] != count or seen[1] != changes or seen[2] is not table:
            views = views_of(self._flask, table)
            self._check(views)
            if not self.is_quiet:
                log_unreachable(self._flask)
            self._watches_method = bool(self.guard.enforce) and self._may_change_method()
            if views or self._watches_method:
                request_started.connect(self._matched, self._flask)
            self._views, self._seen = views, (count, changes, table)

    def _note_changes(self, functions: dict[str, Any]) -> ViewFunctions:
        """Have Flask keep its view functions in a dict that counts changes; none is seen yet."""
        if not isinstance(functions, ViewFunctions):
            functions = ViewFunctions(functions)
        self._seen = (0, 0, None)  # first, as other threads compare it without the lock
        self._functions = self._flask.view_functions = functions
        return functions

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the application, although it starts."""
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
        method = (preflight.requested_method or "").upper()
        views = {
            each: view_of(self._views, endpoint, each)
            for each, endpoint in endpoints_at(self._flask, environ, method, others=True).items()
        }
        of_path = self.guard.policy_for(preflight.path)
        policies = {each: view.policy if view else of_path for each, view in views.items()}
        methods = find_shared_methods(method, policies)
        view = views[method]
        cache = self._adapter.snapshot.find(preflight.path, view).cache
        decision = cache.lookup(environ, preflight.method, methods)
        if decision is None:
            decision = self._adapter.decide(preflight, view, methods)
        environ[DECISION] = decision
        if decision.status is None:  # no policy applies there
            return self.app(environ, start_response)
        return respond(decision, start_response)

    def _decide_before_dispatch(self, environ: WSGIEnvironment, exchange: _Exchange) -> Decision:
        """Decide an unsafe cross-site request by the view that it is going to reach."""
        method = exchange.method
        endpoints = endpoints_at(self._flask, environ, method, others=False)
        exchange.view = view_of(self._views, endpoints[method], method)
        exchange.decision = self._decide(environ, exchange, method)
        return exchange.decision

    def _unmatched(self, environ: WSGIEnvironment, exchange: _Exchange) -> View | None:
        """The view in whose place something answers, such as a cache, before Flask has matched."""
        method = exchange.method
        asked = {**environ, "PATH_INFO": exchange.path_info}
        try:
            endpoints = endpoints_at(self._flask, asked, method, others=False)
        except Exception:  # of a converter, and this is the answer to it
            return None
        return view_of(self._views, endpoints[method], method)

    def _matched(self, _flask: Flask, **_signal: object) -> None:
        """Flask has matched the URL, and has called nothing of the application yet."""
        exchange: _Exchange | None = request.environ.get(_EXCHANGE)
        if exchange is None:
            return
        view = view_of(self._views, request.endpoint, request.method)
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
        decision = applied.cache.lookup(environ, method)
        if decision is None:
            request = CORSRequest.from_environ(environ, exchange.path, method)
            decision = self._adapter.decide(request, exchange.view)
        environ[DECISION] = decision
        return decision

    def _call(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_debugged(environ):
            return answer_debugged(self._flask, self._wsgi_app, environ, start_response)
        return self._wsgi_app(environ, start_response)

    def _may_change_method(self) -> bool:
        """Return True if something between may have the view called by another method."""
        is_bare = getattr(self._wsgi_app, "__func__", None) is Flask.wsgi_app
        return not is_bare or self._flask.request_class is not Request

    def _check(self, views: Views) -> None:
        own = {  # by identity: a callable of a policy need not be hashable
            (view.name, id(view.policy)): (f'views."{view.name}"', view.policy)
            for by_method in views.values()
            for view in by_method.values()
            if view.policy
        }
        if self._needs_views and not (own or self.guard.policies):
            raise PolicyError([_NO_POLICY_AT_ALL])
        check_reach(self._flask)
        self._adapter.add_views(own.values())
        if _has_flask_cors(self._flask):
            emit_warnings([_FLASK_CORS])


def _has_flask_cors(app: Flask) -> bool:
    after = (function for listed in app.after_request_funcs.values() for function in listed)
    return any(
        getattr(function, "__globals__", {}).get("__name__", "").startswith("flask_cors.")
        for function in (*after, *reached_in(app))
    )
