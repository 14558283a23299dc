"""The Django adapter, asked with any environ, in front of views with policies and without.

This module is its project too, and the root URLconf.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import django as framework
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from tools.fuzz.checks import VIEW, Case, cases, check_answer, watch_the_log
from tools.fuzz.inputs import Request
from tools.fuzz.wsgi_exchange import OURS, ask, environ_of

from corsguard_django import cors_exempt, cors_policy

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from corsguard import Decision

settings.configure(
    DEBUG_PROPAGATE_EXCEPTIONS=True,
    LOGGING_CONFIG=None,
    MIDDLEWARE=["corsguard_django.CORSMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(),
)
framework.setup()


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"application", headers={"Vary": "Accept-Encoding"})


def handler(case: Case) -> WSGIHandler:
    """The application with another guard, which it reads from the settings once."""
    settings.CORSGUARD = case.guard
    return WSGIHandler()


urlpatterns = [
    path("own", cors_policy(VIEW)(lambda request: view(request))),
    path("exempt", cors_exempt(lambda request: view(request))),
    re_path(r"(?s:.*)", view),
]
watch_the_log()
APPS = [(case, handler(case)) for case in cases()]


def django(data: bytes) -> None:
    """Sound answers, and no exception of ours where Django has an answer."""
    request = Request.of(data)
    case, app = APPS[request.variant % len(APPS)]
    environ: WSGIEnvironment = environ_of(request)
    answer = ask(app, environ)
    decision: Decision | None = environ.get(OURS)
    if decision is None:
        assert answer.status == 400  # Django can't make a request of it
        return
    ours = decision.status is not None
    if ours:
        assert (answer.status, answer.body) == (decision.status, decision.body)
    else:
        assert answer.status in {200, 404}  # a path without its first slash is no URL of Django's
    fields = [field for field in answer.fields if field[0] != "Content-Type" or ours]
    check_answer(case, request, fields, answer.body if ours else None)
