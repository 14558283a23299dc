"""Flask behind Werkzeug's interactive debugger, which answers from outside the application."""

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

__all__ = ["answer_debugged", "is_debugged"]


def is_debugged(environ: WSGIEnvironment) -> bool:
    """Whether an interactive debugger waits for what the application raises."""
    return "werkzeug.debug.preserve_context" in environ


def answer_debugged(
    flask: Flask, app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Call app, and answer what it raises to a page of another origin as without the debugger.

    The debugger's page has no headers of ours, so that no script could read why it failed; and it
    must have none, since it holds the secret of a console that runs any code.
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
