"""An ASGI application as the `corsguard` command sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from corsguard import Guard, Reason
from corsguard.browser.messages import Send as SendRequest
from corsguard.browser.transport import open_transport
from corsguard.cli.application.path_policies import PathPolicies
from corsguard.engine.decision import DECISION
from corsguard_asgi.middleware import ASGIApp, CORSMiddleware, Receive, Scope, Send
from corsguard_asgi.wrapped_apps import find_wrapped

if TYPE_CHECKING:
    from corsguard.explain.fixes import Transport
    from corsguard.origin import Origin

__all__ = ["ASGIApplication", "Answer", "build_answering_app", "describe_app"]


Answer = tuple[int, Sequence[tuple[bytes, bytes]]]
"""(status, header fields) of what responds behind the middleware."""


class ASGIApplication(PathPolicies):
    """An ASGI application behind CORSMiddleware."""

    def __init__(self, middleware: CORSMiddleware, *, is_listed: bool = False) -> None:
        super().__init__(middleware.guard)
        self.is_listed: bool = is_listed
        """True if the middleware is in the application's own list of middleware."""
        self.middleware: CORSMiddleware = middleware

    def build_trial(self, origin: Origin) -> Transport:
        """Return the transport to the middleware at origin, which does not call the application."""
        answering = build_answering_app(self._find_answer)

        def transport(guard: Guard) -> SendRequest:
            trial = _TrialMiddleware(self.middleware, guard, answering)
            return open_transport(trial, origin, "asgi")

        return transport

    def _find_answer(self, scope: Scope) -> Answer:
        """Return 200, but 405 for an OPTIONS request that no policy applies to."""
        is_unrouted = scope["method"] == "OPTIONS" and scope[DECISION].reason is Reason.NO_POLICY
        return (405 if is_unrouted else 200), ()


class _TrialMiddleware(CORSMiddleware):
    """A copy of a middleware with another guard, which calls another application."""

    def __init__(self, middleware: CORSMiddleware, guard: Guard, app: ASGIApp) -> None:
        super().__init__(middleware.app, guard)
        self._search()  # the path that the application reads depends on its own root path
        self.app = self._next = app

    def _log_start(self) -> None:
        """Log nothing, and search for no router: no server starts."""


def build_answering_app(find_answer: Callable[[Scope], Answer]) -> ASGIApp:
    """Return an application that answers each request by a function of its scope."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        status, fields = find_answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": [*fields]})
        await send({"type": "http.response.body", "body": b""})

    return respond


def describe_app(app: object) -> ASGIApplication | None:
    """Return the application with the CORSMiddleware that it is or leads to, if any.

    The middleware may be the application, be wrapped in others, be an attribute of the application,
    such as `app.asgi_app`, or be in its list of middleware.
    """
    found = next(iter(find_wrapped(app, _is_end)), None)
    if found is None:
        return None
    if isinstance(found, CORSMiddleware):
        return ASGIApplication(found)
    return ASGIApplication(next(_iter_listed(found))(found), is_listed=True)


def _is_end(each: object) -> bool:
    return issubclass(type(each), CORSMiddleware) or any(_iter_listed(each))


def _iter_listed(app: object) -> Iterator[Callable[[Any], CORSMiddleware]]:
    """Yield a function that builds each CORSMiddleware in an application's list of middleware.

    Starlette and FastAPI list the class and its arguments as `Middleware`, Litestar as
    `DefineMiddleware`.
    """
    for name, kind in (("user_middleware", "cls"), ("middleware", "middleware")):
        try:
            listed = object.__getattribute__(app, name)  # evaluates no proxy
        except AttributeError:
            continue
        for each in listed if isinstance(listed, (list, tuple)) else ():
            cls = getattr(each, kind, None)
            if isinstance(cls, type) and issubclass(cls, CORSMiddleware):
                yield partial(_build, cls, each)


def _build(cls: type[CORSMiddleware], listed: Any, app: Any) -> CORSMiddleware:
    return cls(app, *listed.args, **listed.kwargs)
