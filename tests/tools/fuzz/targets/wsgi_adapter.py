"""The WSGI adapter, asked with any environ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tools.fuzz.checks import cases, check_answer, watch_the_log
from tools.fuzz.inputs import Request, decode_text
from tools.fuzz.wsgi_exchange import OURS, ask, environ_of

from corsguard import Decision
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

FIELDS = [("Vary", "Accept-Encoding"), ("Access-Control-Expose-Headers", "X-App")]


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", list(FIELDS))
    return [b"application"]


watch_the_log()
APPS = [(case, CORSMiddleware(application, case.guard)) for case in cases()]


def wsgi(data: bytes) -> None:
    """Check the responses to any environ, with a path of any characters too."""
    request = Request.of(data)
    case, app = APPS[request.variant % len(APPS)]
    environ = environ_of(request)
    if request.variant & 0x80:
        environ["PATH_INFO"] = decode_text(request.path)  # not what PEP 3333 has servers do
    answer = ask(app, environ)
    decision: Decision = environ[OURS]
    assert answer.status == decision.status or (answer.status == 200 and decision.status is None)
    own = answer.status == 200
    assert answer.body == (b"application" if own else decision.body)
    check_answer(case, request, answer.fields, None if own else answer.body)
