"""The WSGI middleware (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from corsguard import Decision, Guard, Policies
from corsguard.engine.decision import DECISION
from corsguard.engine.headers import UNTOUCHED, build_environ_reader, is_merged
from corsguard.guard.view_policies import View

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from corsguard.guard import GuardFields

__all__ = ["CORSMiddleware", "answered", "path_of", "started"]

_STATUS_LINES = {204: "204 No Content", 403: "403 Forbidden"}


class CORSMiddleware:
    """A WSGI application that answers the CORS protocol in front of another one.

    `policy` is a Policy for every path, a mapping from route prefix to Policy, or a Guard. The
    fields of a policy and the options of a guard can be passed as keywords instead.

    Returns the iterable of the wrapped application unchanged: nothing is buffered, and the server
    calls its `close()`. The application can read the decision in `environ["corsguard.decision"]`.

    Raises PolicyError: `no-policy` without any policy, `unknown-field` for an unknown keyword,
    `callable-async` if a callable must be awaited.
    """

    def __init__(
        self, app: WSGIApplication, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        self.app = app
        self.guard = Guard.of(policy, fields)
        self.guard.require_sync()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        guard, method = self.guard, environ["REQUEST_METHOD"]
        decision = guard.known(environ, method)
        if decision is None:
            decision = self._decide(environ, path_of(environ))
            if decision.status is not None:
                return answered(decision, start_response)
            if not decision.headers:  # no policy holds here
                return self.app(environ, start_response)
        else:
            environ[DECISION] = decision
            if method == "OPTIONS":
                return answered(decision, start_response)
        fields = decision.headers

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            for name, _ in headers:
                if name not in UNTOUCHED and is_merged(name):
                    headers = guard.merge(fields, headers, path_of(environ))
                    break
            else:
                headers = [*headers, *fields]
            if exc_info is None:
                return start_response(status, headers)
            return started(start_response, status, headers, exc_info)

        return self.app(environ, start)

    def _decide(
        self,
        environ: WSGIEnvironment,
        path: str,
        view: View | None = None,
        methods: Collection[str] | None = None,
    ) -> Decision:
        """The answer to a request, left where the application can read it."""
        decision = environ[DECISION] = self.guard.decide(
            path,
            environ.get("HTTP_ORIGIN"),
            environ["REQUEST_METHOD"],
            build_environ_reader(environ),
            bool(environ.get("HTTP_COOKIE")),
            view=view,
            methods=methods,
        )
        return decision


def answered(decision: Decision, start_response: StartResponse) -> Iterable[bytes]:
    """Answer without the application."""
    start_response(_STATUS_LINES[decision.status or 0], decision.answer_headers)
    # No list: wsgiref gives a list of one a Content-Length, which 204 has not.
    return iter((decision.body,))


def started(
    start_response: StartResponse, status: str, headers: list[tuple[str, str]], exc_info: Any
) -> Callable[[bytes], object]:
    """Start the response, or start it anew where the application has failed."""
    if exc_info is None:
        return start_response(status, headers)
    try:
        return start_response(status, headers, exc_info)
    finally:
        exc_info = None  # PEP 3333: no circular reference through the traceback


def path_of(environ: WSGIEnvironment) -> str:
    """The path that the application's router sees: PEP 3333 passes its bytes as latin-1.

    A character of no byte, which PEP 3333 rules out, becomes `?`, which stands in no route prefix.
    """
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")
