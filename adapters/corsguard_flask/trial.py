"""A trial of other policies on an application, without calling any of its views."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import copy_context
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import HTTPException, InternalServerError

from corsguard import Guard
from corsguard.browser.messages import Send
from corsguard.browser.transport import open_transport
from corsguard.origin import Origin
from corsguard_flask.middleware import FlaskMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from corsguard.explain.fixes import Transport

__all__ = ["build_trial"]


def build_trial(app: Flask, middleware: FlaskMiddleware, origin: Origin) -> Transport:
    """Return the transport to an application at origin.

    Its middleware and its routing answer as they do when it is served; every view answers 200.
    """

    def route(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The context is dropped, not popped: that would call the application's functions.
        error = copy_context().run(_find_routing_error, app, environ)
        if error is not None:
            return error.get_response(environ)(environ, start_response)
        start_response("200 OK", [])
        return []

    def transport(guard: Guard) -> Send:
        trial = middleware.rehearsing(guard, _catch_errors(route))
        return open_transport(_catch_errors(trial), origin)

    return transport


def _find_routing_error(app: Flask, environ: WSGIEnvironment) -> HTTPException | None:
    """Return what Flask answers instead of a view: 404, 405, or a redirect.

    URL converters can use `request` and `session`, as when the application is served.
    """
    context = app.request_context(environ)
    context.push()
    return context.request.routing_exception


def _catch_errors(app: WSGIApplication) -> WSGIApplication:
    """Return an application that answers 500 where app raises, such as in a URL converter."""

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except Exception:
            return InternalServerError().get_response(environ)(environ, start_response)

    return respond
