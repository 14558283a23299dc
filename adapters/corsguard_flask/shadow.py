"""The shadow mode of the extension: around flask-cors, which still answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from corsguard import Problem
from corsguard.engine.request import CORSRequest, read_path
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.routing import match_endpoints
from corsguard_flask.view_policies import get_view
from corsguard_wsgi.shadow import ShadowMiddleware

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from corsguard.engine.request import Methods
    from corsguard.guard.shadow import Exchange
    from corsguard.guard.view_policies import View

__all__ = ["FlaskShadow"]


class FlaskShadow(ShadowMiddleware, FlaskMiddleware):
    """The middleware that replaces `app.wsgi_app` and passes everything on as it is.

    Policies of views are compared too.
    """

    def __init__(self, *arguments: Any) -> None:
        FlaskMiddleware.__init__(self, *arguments)
        self.app: WSGIApplication = self._wsgi_app
        self.start_shadow()

    def _find_conflicts(self) -> tuple[Problem, ...]:
        """Return nothing: in this mode, another CORS layer is to be active."""
        return ()

    def _begin(self, environ: WSGIEnvironment) -> Exchange | None:
        try:
            path = read_path(environ)
            view, methods = self._find_view(environ, path) if self.read_views() else (None, None)
        except Exception as error:
            self._shadow.report(error)
            return None
        return self._shadow.begin(environ, environ["REQUEST_METHOD"], path, view, methods)

    def _find_view(self, environ: WSGIEnvironment, path: str) -> tuple[View | None, Methods]:
        request = CORSRequest.from_environ(environ, path)
        if request.origin is None and not self.guard.enforce:
            return None, None
        if request.is_preflight:
            return self._find_preflight_view(environ, request)
        method = request.method
        endpoints = match_endpoints(self._flask, environ, method, others=False)
        return get_view(self._views, endpoints[method], method), None
