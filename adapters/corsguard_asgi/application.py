"""An ASGI application as the `corsguard` command sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from corsguard import Guard, Reason
from corsguard.browser.messages import Send
from corsguard.browser.transport import open_transport
from corsguard.cli.application.path_policies import PathPolicies
from corsguard.engine.decision import DECISION
from corsguard_asgi.middleware import CORSMiddleware
from corsguard_asgi.wrapped_apps import find_wrapped

if TYPE_CHECKING:
    from corsguard.explain.fixes import Transport
    from corsguard.origin import Origin

__all__ = ["ASGIApplication", "describe_app"]


class ASGIApplication(PathPolicies):
    """An ASGI application behind CORSMiddleware."""

    def __init__(self, middleware: CORSMiddleware) -> None:
        super().__init__(middleware.guard)
        self._middleware = middleware

    def build_trial(self, origin: Origin) -> Transport:
        """Return the transport to the middleware at origin, with an answer to all behind it."""

        def transport(guard: Guard) -> Send:
            trial = _TrialMiddleware(self._middleware, guard)
            return open_transport(trial, origin, "asgi")

        return transport


class _TrialMiddleware(CORSMiddleware):
    """A copy of a middleware with another guard, which does not call the application."""

    def __init__(self, middleware: CORSMiddleware, guard: Guard) -> None:
        super().__init__(middleware.app, guard)
        self._search()  # the path that the application reads depends on its own root path
        self.app = self._next = _answer

    def _log_start(self) -> None:
        """Log nothing, and search for no router: no server starts."""


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer 200, but 405 to an OPTIONS request that no policy applies to."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    is_unrouted = scope["method"] == "OPTIONS" and scope[DECISION].reason is Reason.NO_POLICY
    status = 405 if is_unrouted else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def describe_app(app: object) -> ASGIApplication | None:
    """Return the application with the CORSMiddleware that it is or leads to, if any.

    The middleware may be the application, be wrapped in others, be an attribute of the application,
    such as `app.asgi_app`, or be in its list of middleware.
    """
    found = next(iter(find_wrapped(app, _is_end)), None)
    if found is None or isinstance(found, CORSMiddleware):
        return found and ASGIApplication(found)
    return ASGIApplication(next(_iter_listed(found))(found))


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
