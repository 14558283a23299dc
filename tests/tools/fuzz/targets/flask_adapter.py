"""The Flask adapter, asked with any environ, in front of views with policies and without."""

from __future__ import annotations

from flask import Flask
from tools.fuzz.checks import VIEW, Case, cases, check_answer, watch_the_log
from tools.fuzz.inputs import Request
from tools.fuzz.wsgi_exchange import OURS, ask, environ_of

from corsguard import Decision
from corsguard_flask import CORSGuard, cors_exempt, cors_policy

METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
REFUSED = {308, 400, 404, 405}
"""What Flask itself answers to a request that it can't route, or whose path is empty."""


def application(case: Case, *, views: bool) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.merge_slashes = False  # its redirects hold the path
    app.add_url_rule("/", "root", lambda: "application", methods=METHODS)
    app.add_url_rule("/<path:path>", "any", lambda path: "application", methods=METHODS)
    if views:
        app.add_url_rule("/own", "own", cors_policy(VIEW)(lambda: "application"), methods=METHODS)
        app.add_url_rule("/exempt", "exempt", cors_exempt(lambda: "application"))
    CORSGuard(app, case.guard)
    return app


watch_the_log()
APPS = [(case, application(case, views=views)) for views in (False, True) for case in cases()]


def flask(data: bytes) -> None:
    """Sound answers, and no exception of ours where Flask has an answer."""
    request = Request.of(data)
    case, app = APPS[request.variant % len(APPS)]
    environ = environ_of(request)
    answer = ask(app, environ)
    decision: Decision = environ[OURS]
    ours = decision.status is not None
    if ours:
        assert (answer.status, answer.body) == (decision.status, decision.body)
    else:
        assert answer.status in {200, *REFUSED}
    fields = [field for field in answer.fields if field[0] != "Allow"]
    check_answer(case, request, fields, answer.body if ours else None)
