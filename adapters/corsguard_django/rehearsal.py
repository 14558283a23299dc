"""The responses of a project under other policies, without calling any of its views."""

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
"""The status of Django's response to an exception; the first match counts."""


class _Request(WSGIRequest):
    """A request whose host is allowed.

    The settings in use need not have the `ALLOWED_HOSTS` of the place where the project is served.
    """

    def get_host(self) -> str:
        return str(self.META["HTTP_HOST"])


class _TrialMiddleware(CORSMiddleware):
    """The middleware with a guard other than that of the settings, around the routing alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(_add_redirects(_handle_exceptions(_route)))

    def _configure(self) -> None:
        self._views = Views(self._guard)
        self._is_configured = True

    def _log_start(self) -> None:
        """Log nothing: no server starts."""

    def application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Serve a request (PEP 3333) like a server that removes FORCE_SCRIPT_NAME from the path."""
        script_name, path = (settings.FORCE_SCRIPT_NAME or "").rstrip("/"), environ["PATH_INFO"]
        if f"{path}/".startswith(f"{script_name}/"):
            environ["PATH_INFO"] = path.removeprefix(script_name)
        with override(settings.LANGUAGE_CODE):  # until LocaleMiddleware activates another
            response = _handle_exceptions(cast(_Respond, self))(_Request(environ))
        del response["Content-Length"]  # that of the view's response is not known
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _add_redirects(respond: _Respond) -> _Respond:
    """Wrap a handler in those of Django's own middleware in MIDDLEWARE that redirect to a view.

    Of a class derived from them only its `response_redirect_class` is used: the rest may need what
    other middleware adds to a request, such as its user.
    """
    for name in reversed(settings.MIDDLEWARE):
        with suppress(ImportError):  # Django reports it
            found = import_string(name)
            for kind in (CommonMiddleware, LocaleMiddleware):
                if isinstance(found, type) and issubclass(found, kind):
                    middleware: Any = kind(respond)
                    middleware.response_redirect_class = found.response_redirect_class
                    respond = _handle_exceptions(middleware)
    return respond


def _handle_exceptions(respond: _Respond) -> _Respond:
    """Turn the exceptions of a handler into responses, as Django does around each middleware."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return respond(request)
        except Exception as error:
            return _build_response(
                next(code for kind, code in _STATUSES if isinstance(error, kind))
            )

    return answer


def _route(request: HttpRequest) -> HttpResponse:
    """Return 200 for a view, 405 if it does not accept the method. Raises Resolver404."""
    view = get_resolver().resolve(request.path_info).func
    return _build_response(200 if _is_accepted(view, request.method or "") else 405)


def _build_response(status: int) -> HttpResponse:
    answer = HttpResponse(status=status)
    del answer["Content-Type"]
    return answer


def _is_accepted(view: object, method: str) -> bool:
    """Return True if a view accepts a method, or if its methods are not known.

    A class with its own dispatch() may have no handlers, and most functions accept any method.
    """
    methods = set(get_methods(view))
    return method in methods or not methods - {"OPTIONS"}


def stage_at(origin: Origin) -> Transport:
    """Return a transport to the project at origin: CORS, routing, and 200 for every view."""

    def stage(guard: Guard) -> Send:
        return open_transport(_TrialMiddleware(guard).application, origin)

    return stage
