"""The WSGI middleware (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from corsguard import Decision, Guard, Policies
from corsguard.engine.decision import DECISION
from corsguard.engine.request import CORSRequest, read_path
from corsguard.engine.response_headers import UNTOUCHED, is_merged
from corsguard.guard.arguments import build_guard, split_shadow

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from corsguard.guard import GuardFields

__all__ = ["CORSMiddleware", "respond", "restart"]

_STATUS_LINES = {204: "204 No Content", 403: "403 Forbidden"}


class CORSMiddleware:
    """A WSGI application that answers the CORS protocol in front of another one.

    `policy` is a Policy for every path, a mapping from route prefix to Policy, or a Guard. The
    fields of a policy and the options of a guard can be passed as keywords instead.

    Returns the iterable of the wrapped application unchanged: nothing is buffered, and the server
    calls its `close()`. The application can read the decision in `environ["corsguard.decision"]`.
    With `shadow=True` it changes nothing, and logs what would differ: see docs/shadow.md.

    Raises PolicyError: `no-policy` without any policy, `unknown-field` for an unknown keyword,
    `callable-async` if a callable must be awaited.
    """

    def __init__(
        self, app: WSGIApplication, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        self.app = app
        fields_left, is_shadow = split_shadow(policy, fields)
        self.guard: Guard = build_guard(policy, fields_left)
        self._adapter = self.guard.adapter
        self._adapter.require_sync()
        if is_shadow:
            from corsguard_wsgi.shadow import become_shadow

            become_shadow(self)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        adapter, method = self._adapter, environ["REQUEST_METHOD"]
        snapshot = adapter.snapshot
        applied = snapshot.everywhere or snapshot.find(read_path(environ))
        decision = applied.cache.lookup(environ, method)
        if decision is None:
            decision = adapter.decide(CORSRequest.from_environ(environ))
        environ[DECISION] = decision
        if decision.status is not None:
            return respond(decision, start_response)
        fields = decision.headers
        if not fields:  # no policy applies here
            return self.app(environ, start_response)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            for name, _ in headers:
                if name not in UNTOUCHED and is_merged(name):
                    headers = adapter.merge(fields, headers, read_path(environ))
                    break
            else:
                headers = [*headers, *fields]
            if exc_info is None:
                return start_response(status, headers)
            return restart(start_response, status, headers, exc_info)

        return self.app(environ, start)


def respond(decision: Decision, start_response: StartResponse) -> Iterable[bytes]:
    """Respond without the application."""
    start_response(_STATUS_LINES[decision.status or 0], decision.answer_headers)
    # No list: wsgiref gives a list of one item a Content-Length, which 204 must not have.
    return iter((decision.body,))


def restart(
    start_response: StartResponse, status: str, headers: list[tuple[str, str]], exc_info: Any
) -> Callable[[bytes], object]:
    """Start the response, or start it anew if the application has failed."""
    if exc_info is None:
        return start_response(status, headers)
    try:
        return start_response(status, headers, exc_info)
    finally:
        exc_info = None  # PEP 3333: no circular reference through the traceback
