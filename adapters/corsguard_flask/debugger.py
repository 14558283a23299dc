"""Flask under Werkzeug's interactive debugger, whose error page is made outside the application."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.exceptions import InternalServerError

from corsguard import Decision, Kind
from corsguard.engine.decision import DECISION
from corsguard.engine.request import read_path
from corsguard.engine.same_origin import SAME_ORIGIN_SITES
from corsguard.escaping import escape_text

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["call_under_debugger", "has_debugger"]


def has_debugger(environ: WSGIEnvironment) -> bool:
    """Return True if an interactive debugger catches what the application raises."""
    return "werkzeug.debug.preserve_context" in environ


def call_under_debugger(
    flask: Flask, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Call app, and answer a page of another origin with a 500 where the application raises.

    The debugger's own page has no CORS headers, so no script could read that the request failed.
    It must not have them: it contains the secret of a console that runs any code. Raises what the
    application raised where the request is not cross-origin; the debugger shows its page then.
    """
    started: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append(status)
        return start_response(status, headers, exc_info)

    try:
        return app(environ, start)
    except Exception:
        decision: Decision | None = environ.get(DECISION)
        own = environ.get("HTTP_SEC_FETCH_SITE") in SAME_ORIGIN_SITES
        if decision is None or decision.kind is not Kind.ACTUAL or own:
            raise
        flask.logger.exception("Exception on %s", escape_text(read_path(environ)))
        error = sys.exc_info() if started else None
        response = InternalServerError().get_response(environ)
        return response(
            environ, lambda status, headers, _=None: start_response(status, headers, error)
        )
