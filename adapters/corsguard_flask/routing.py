"""Which view the URL of a request would reach, before the application is called."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from flask.ctx import AppContext
from flask.globals import _cv_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from corsguard.engine.request import read_path
from corsguard.escaping import escape_text

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["endpoints_at"]


def endpoints_at(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    """Return the endpoint that method would reach; with others, those of the URL's other methods.

    None is for a 404, a 405 or a redirect. Converters find `current_app` and `g`, but no request.
    """
    # In a copy of the context, which is dropped: a context that is pushed and popped calls the
    # application's teardown functions, which may rely on what `before_request` has prepared.
    return copy_context().run(_match, app, environ, method, others=others)


class _LazyContext:
    """Stand for an application context, which is made where `current_app` or `g` is used."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.made: AppContext | None = None

    def __getattr__(self, name: str) -> Any:
        if self.made is None:
            self.made = self._app.app_context()
        return getattr(self.made, name)


def _match(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    context = _LazyContext(app)
    _cv_app.set(cast(Any, context))
    try:
        return _endpoints(app, environ, method, others=others)
    finally:
        if context.made is not None:
            _tear_down(app, environ)


def _tear_down(app: Flask, environ: WSGIEnvironment) -> None:
    """Let the application close what a converter may have opened: only its functions know how.

    They may fail for want of what `before_request` prepares, which is no failure of this request.
    """
    try:
        app.do_teardown_appcontext(None)
    except Exception as error:
        app.logger.warning(
            "a teardown function failed after corsguard had matched %s: %r",
            escape_text(read_path(environ)),
            error,
        )


def _endpoints(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    try:
        request = app.request_class(environ, populate_request=False)
        adapter = cast(MapAdapter, app.create_url_adapter(request))
    except HTTPException:  # a host that is not trusted
        return {method: None}
    methods = {method, *(adapter.allowed_methods() if others else ())}
    return {each: _endpoint(adapter, each) for each in methods}


def _endpoint(adapter: MapAdapter, method: str) -> str | None:
    try:
        endpoint: str = adapter.match(method=method)[0]
    except HTTPException:
        return None
    return endpoint
