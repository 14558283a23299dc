"""The WSGI middleware (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from corsguard import Decision, Guard, Policies
from corsguard.headers import environ_reader
from corsguard.views import View

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["CORSMiddleware", "path_of"]

_STATUS_LINES = {204: "204 No Content", 403: "403 Forbidden"}


class CORSMiddleware:
    """A WSGI application that answers the CORS protocol in front of another one.

    `policy` is a Policy for every path, policies by route prefix, or a Guard. What the wrapped
    application returns is passed on as it is: nothing is buffered, and `close()` is the server's
    to call. The decision is left in `environ["corsguard.decision"]`.

    Raises PolicyError: `no-policy` without any, `callable-async` with one that must be awaited.
    """

    def __init__(self, app: WSGIApplication, policy: Guard | Policies = None) -> None:
        self.app = app
        self.guard = Guard.of(policy)
        self.guard.require_sync()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._respond(self._decide(environ, path_of(environ)), environ, start_response)

    def _decide(
        self,
        environ: WSGIEnvironment,
        path: str,
        view: View | None = None,
        methods: Collection[str] | None = None,
    ) -> Decision:
        """The answer to a request, left where the application can read it."""
        decision = environ["corsguard.decision"] = self.guard.decide(
            path,
            environ.get("HTTP_ORIGIN"),
            environ["REQUEST_METHOD"],
            environ_reader(environ),
            bool(environ.get("HTTP_COOKIE")),
            view=view,
            methods=methods,
        )
        return decision

    def _respond(
        self, decision: Decision, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if decision.status is not None:
            start_response(_STATUS_LINES[decision.status], decision.answer_headers)
            # No list: wsgiref gives a list of one a Content-Length, which 204 has not.
            return iter((decision.body,))
        return self.app(environ, self._start_response(decision, start_response))

    def _start_response(self, decision: Decision, start_response: StartResponse) -> StartResponse:
        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            fields = self.guard.put_on(decision, headers)
            if exc_info is None:
                return start_response(status, fields)
            try:
                return start_response(status, fields, exc_info)
            finally:
                exc_info = None  # PEP 3333: no circular reference through the traceback

        return start


def path_of(environ: WSGIEnvironment) -> str:
    """The path that the application's router sees: PEP 3333 passes its bytes as latin-1.

    A character of no byte, which PEP 3333 rules out, becomes `?`, which stands in no route prefix.
    """
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")
