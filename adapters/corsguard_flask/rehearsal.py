"""What an application would answer under other policies, without calling any of its views."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import copy_context
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.exceptions import HTTPException, InternalServerError

from corsguard import Guard
from corsguard.browser.messages import Send
from corsguard.browser.transport import open_transport
from corsguard.explain.fixes import Transport
from corsguard.origin import Origin
from corsguard_flask.middleware import FlaskMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["stage_of"]


def stage_of(app: Flask, middleware: FlaskMiddleware, origin: Origin) -> Transport:
    """The application at origin: its middleware and its routing, and 200 for every view."""

    def route(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # In a context that is dropped, not popped: that would call the application's functions.
        error = copy_context().run(_unmatched, app, environ)
        if error is not None:
            return error.get_response(environ)(environ, start_response)
        start_response("200 OK", [])
        return []

    def stage(guard: Guard) -> Send:
        return open_transport(_answering(middleware.rehearsing(guard, _answering(route))), origin)

    return stage


def _unmatched(app: Flask, environ: WSGIEnvironment) -> HTTPException | None:
    """What Flask answers in the place of a view: 404, 405, or a redirect.

    URL converters find what they find when it is served: `request` and `session`, too.
    """
    context = app.request_context(environ)
    context.push()
    return context.request.routing_exception


def _answering(app: WSGIApplication) -> WSGIApplication:
    """The same with a 500 for what it raises, such as a URL converter's exception."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except Exception:
            return InternalServerError().get_response(environ)(environ, start_response)

    return answer
