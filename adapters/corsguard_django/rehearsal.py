"""What a project would answer under other policies, without calling any of its views."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.middleware.locale import LocaleMiddleware
from django.urls import get_resolver
from django.utils.module_loading import import_string
from django.utils.translation import override

from corsguard import Guard
from corsguard.browser.applications import open_transport
from corsguard.browser.messages import Send
from corsguard.explain.fixes import Transport
from corsguard.origin import Origin
from corsguard_django.middleware import CORSMiddleware
from corsguard_django.view_layers import get_methods
from corsguard_django.views import Views

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["stage_at"]


_Respond = Callable[[HttpRequest], HttpResponse]
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (Http404, 404),
    (PermissionDenied, 403),
    (BadRequest, 400),
    (SuspiciousOperation, 400),
    (Exception, 500),
)
"""What Django answers to an exception; the first that fits."""


class _Request(WSGIRequest):
    """A request to a host that the project is asked about, and hence one of its own.

    The settings that it is asked with need not have the `ALLOWED_HOSTS` of where it is served.
    """

    def get_host(self) -> str:
        return str(self.META["HTTP_HOST"])


class _Rehearsing(CORSMiddleware):
    """The middleware with another guard than that of the settings, around the routing alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(_redirecting(_answering(_route)))

    def _configure(self) -> None:
        self._views = Views(self._guard)
        self._is_configured = True

    def _log_start(self) -> None:
        """Log nothing: no server starts."""

    def application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """As a server calls it (PEP 3333), which has taken FORCE_SCRIPT_NAME off the path."""
        script_name, path = (settings.FORCE_SCRIPT_NAME or "").rstrip("/"), environ["PATH_INFO"]
        if f"{path}/".startswith(f"{script_name}/"):
            environ["PATH_INFO"] = path.removeprefix(script_name)
        with override(settings.LANGUAGE_CODE):  # until LocaleMiddleware activates another
            response = _answering(cast(_Respond, self))(_Request(environ))
        del response["Content-Length"]  # of the view's answer, it is not known
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _redirecting(respond: _Respond) -> _Respond:
    """With what MIDDLEWARE has of Django's own that redirect to a path where a view is.

    Of a class that is derived from them, only its kind of redirect is used: the rest may need what
    other middleware leaves in a request, such as its user.
    """
    for name in reversed(settings.MIDDLEWARE):
        with suppress(ImportError):  # which is for Django to tell
            found = import_string(name)
            for kind in (CommonMiddleware, LocaleMiddleware):
                if isinstance(found, type) and issubclass(found, kind):
                    middleware: Any = kind(respond)
                    middleware.response_redirect_class = found.response_redirect_class
                    respond = _answering(middleware)
    return respond


def _answering(respond: _Respond) -> _Respond:
    """The same with an answer to what it raises, as Django has it around each middleware."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return respond(request)
        except Exception as error:
            return _empty(next(code for kind, code in _STATUSES if isinstance(error, kind)))

    return answer


def _route(request: HttpRequest) -> HttpResponse:
    """200 for every view there is; 405 where it takes another method. Raises Resolver404."""
    view = get_resolver().resolve(request.path_info).func
    return _empty(200 if _takes(view, request.method or "") else 405)


def _empty(status: int) -> HttpResponse:
    answer = HttpResponse(status=status)
    del answer["Content-Type"]
    return answer


def _takes(view: object, method: str) -> bool:
    """Return True if a view takes a method, as far as anything tells.

    A class that dispatches by itself may have no handlers, and most functions take any method.
    """
    methods = set(get_methods(view))
    return method in methods or not methods - {"OPTIONS"}


def stage_at(origin: Origin) -> Transport:
    """The project at origin: its middleware for CORS, its routing, and 200 for every view."""

    def stage(guard: Guard) -> Send:
        return open_transport(_Rehearsing(guard).application, origin)

    return stage
