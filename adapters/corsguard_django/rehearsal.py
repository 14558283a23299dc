"""What a project would answer under other policies, without calling any of its views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, get_resolver

from corsguard import Guard
from corsguard.browser.apps import serving
from corsguard.browser.messages import Send
from corsguard.browser.remedy import Stage
from corsguard.origin import Origin
from corsguard_django.middleware import CORSMiddleware
from corsguard_django.views import Views

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["stage_at"]


class _Rehearsing(CORSMiddleware):
    """The middleware with another guard than that of the settings."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(_route)

    def _configure(self) -> None:
        self._views = Views(self._guard)
        self._is_configured = True

    def application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """As a server calls it (PEP 3333)."""
        response = cast(HttpResponse, self(WSGIRequest(environ)))
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _route(request: HttpRequest) -> HttpResponse:
    """200 for every view there is; 404 where there is none, 405 where it takes another method."""
    answer = HttpResponse()
    del answer["Content-Type"]
    try:
        view = get_resolver().resolve(request.path_info).func
        answer.status_code = 200 if _takes(view, request.method or "") else 405
    except Resolver404:
        answer.status_code = 404
    return answer


def _takes(view: object, method: str) -> bool:
    """Whether a view takes a method, as far as its class tells: one that dispatches by itself may
    have no handlers, and a function does not tell at all."""
    view_class = getattr(view, "view_class", None)
    given = getattr(view, "view_initkwargs", {})  # what as_view() was called with
    names = given.get("http_method_names", getattr(view_class, "http_method_names", ()))
    handled = {name.upper() for name in names if hasattr(view_class, name)}
    if "GET" in handled:  # as View.setup() does it
        handled.add("HEAD")
    return method in handled or not handled - {"OPTIONS"}


def stage_at(origin: Origin) -> Stage:
    """The project at origin: its middleware for CORS and its URLconf, and 200 for every view."""

    def stage(guard: Guard) -> Send:
        return serving(_Rehearsing(guard).application, origin)

    return stage
