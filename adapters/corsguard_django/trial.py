"""A trial of other policies on a project, without calling any of its views."""

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
from corsguard.browser.messages import Send
from corsguard.browser.transport import open_transport
from corsguard.origin import Origin
from corsguard_django.middleware import CORSMiddleware
from corsguard_django.view_layers import get_methods
from corsguard_django.views import Views

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from corsguard.explain.fixes import Transport

__all__ = ["build_trial"]


_Respond = Callable[[HttpRequest], HttpResponse]
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (Http404, 404),
    (PermissionDenied, 403),
    (BadRequest, 400),
    (SuspiciousOperation, 400),
    (Exception, 500),
)
"""(exception, the status that Django answers it with); the first that matches applies."""


class _Request(WSGIRequest):
    """A request whose host is allowed.

    The settings of a trial need not have the `ALLOWED_HOSTS` of the deployment.
    """

    def get_host(self) -> str:
        return str(self.META["HTTP_HOST"])


class _TrialMiddleware(CORSMiddleware):
    """The middleware with another guard than that of the settings, around the routing alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(_add_redirects(_catch_errors(_route)))

    def _configure(self) -> None:
        self._views = Views(self._guard)
        self._is_configured = True

    def _log_start(self) -> None:
        """Log nothing: no server starts."""

    def application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Respond as behind a server (PEP 3333), which removes FORCE_SCRIPT_NAME from the path."""
        script_name, path = (settings.FORCE_SCRIPT_NAME or "").rstrip("/"), environ["PATH_INFO"]
        if f"{path}/".startswith(f"{script_name}/"):
            environ["PATH_INFO"] = path.removeprefix(script_name)
        with override(settings.LANGUAGE_CODE):  # until LocaleMiddleware activates another
            response = _catch_errors(cast(_Respond, self))(_Request(environ))
        del response["Content-Length"]  # that of the view is unknown
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _add_redirects(respond: _Respond) -> _Respond:
    """Add those of Django's own middleware in MIDDLEWARE that redirect to the path of a view.

    Of a derived class, only its redirect class is used: the rest may need what other middleware
    adds to a request, such as the user.
    """
    for name in reversed(settings.MIDDLEWARE):
        with suppress(ImportError):  # Django reports it
            found = import_string(name)
            for kind in (CommonMiddleware, LocaleMiddleware):
                if isinstance(found, type) and issubclass(found, kind):
                    middleware: Any = kind(respond)
                    middleware.response_redirect_class = found.response_redirect_class
                    respond = _catch_errors(middleware)
    return respond


def _catch_errors(respond: _Respond) -> _Respond:
    """Return respond with a response to exceptions, as Django has around each middleware."""

    def respond_safely(request: HttpRequest) -> HttpResponse:
        try:
            return respond(request)
        except Exception as error:
            return _build_empty_response(
                next(code for kind, code in _STATUSES if isinstance(error, kind))
            )

    return respond_safely


def _route(request: HttpRequest) -> HttpResponse:
    """Respond with 200 for a view, or 405 where it takes other methods. Raises Resolver404."""
    view = get_resolver().resolve(request.path_info).func
    return _build_empty_response(200 if _takes(view, request.method or "") else 405)


def _build_empty_response(status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    del response["Content-Type"]
    return response


def _takes(view: object, method: str) -> bool:
    """Return True unless a view is known not to take a method.

    A class that dispatches by itself may have no handlers, and most functions take any method.
    """
    methods = set(get_methods(view))
    return method in methods or not methods - {"OPTIONS"}


def build_trial(origin: Origin) -> Transport:
    """Return the transport to the project at origin.

    Its CORS middleware and its routing answer as they do when it is served; every view answers 200.
    """

    def transport(guard: Guard) -> Send:
        return open_transport(_TrialMiddleware(guard).application, origin)

    return transport
