"""What an application would answer under other policies, without calling any of its views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from corsguard import Guard
from corsguard.browser.apps import serving
from corsguard.browser.messages import Send
from corsguard.browser.remedy import Stage
from corsguard.origin import Origin
from corsguard_flask.middleware import FlaskMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["stage_of"]


def stage_of(app: Flask, middleware: FlaskMiddleware, origin: Origin) -> Stage:
    """The application at origin: its middleware and its routing, and 200 for every view."""

    def route(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with app.app_context():
            request = app.request_class(environ, populate_request=False)
            try:
                cast(MapAdapter, app.create_url_adapter(request)).match()
            except HTTPException as error:  # 404, 405, or a redirect
                return error.get_response(environ)(environ, start_response)
        start_response("200 OK", [])
        return []

    def stage(guard: Guard) -> Send:
        return serving(middleware.rehearsing(guard, route), origin)

    return stage
