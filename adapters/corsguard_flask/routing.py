"""Matching the URL of a request to an endpoint before the application is called."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from flask.ctx import AppContext
from flask.globals import _cv_app  # pyright: ignore[reportPrivateUsage]  # has no public name
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from corsguard.engine.request import read_path
from corsguard.escaping import escape_text

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

__all__ = ["match_endpoints"]


def match_endpoints(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    """Return method -> endpoint for a method of the request's URL; with others, for all of them.

    The endpoint is None for a 404, a 405 or a redirect. URL converters can use `current_app` and
    `g`, but neither `request` nor `session`.
    """
    # In a copy of the context, which is dropped. Popping an application context would call the
    # teardown functions, which may rely on what `before_request` has prepared.
    return copy_context().run(_match_in_context, app, environ, method, others=others)


class _LazyContext:
    """An application context that is created when `current_app` or `g` is first used."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.app_context: AppContext | None = None

    def __getattr__(self, name: str) -> Any:
        if self.app_context is None:
            self.app_context = self._app.app_context()
        return getattr(self.app_context, name)


def _match_in_context(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    context = _LazyContext(app)
    _cv_app.set(cast(Any, context))
    try:
        return _match_methods(app, environ, method, others=others)
    finally:
        if context.app_context is not None:
            _tear_down(app, environ)


def _tear_down(app: Flask, environ: WSGIEnvironment) -> None:
    """Call the teardown functions, which alone can close what a converter has opened.

    An exception of theirs is only logged: they may rely on what `before_request` prepares, and it
    has not run.
    """
    try:
        app.do_teardown_appcontext(None)
    except Exception as error:
        app.logger.warning(
            "a teardown function failed after corsguard matched the URL of %s: %r",
            escape_text(read_path(environ)),
            error,
        )


def _match_methods(
    app: Flask, environ: WSGIEnvironment, method: str, *, others: bool
) -> dict[str, str | None]:
    try:
        request = app.request_class(environ, populate_request=False)
        adapter = cast(MapAdapter, app.create_url_adapter(request))
    except HTTPException:  # the host is not trusted
        return {method: None}
    methods = {method, *(adapter.allowed_methods() if others else ())}
    return {each: _match_method(adapter, each) for each in methods}


def _match_method(adapter: MapAdapter, method: str) -> str | None:
    try:
        endpoint: str = adapter.match(method=method)[0]
    except HTTPException:
        return None
    return endpoint
