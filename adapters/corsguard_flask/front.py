"""What stands in front of corsguard, since it was installed on the application afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask

from corsguard import Problem
from corsguard.guard.decorated_views import iter_callables
from corsguard.guard.snapshot import Enforce

if TYPE_CHECKING:
    from corsguard_flask.middleware import FlaskMiddleware

__all__ = ["CONNEXION", "Front", "front_of", "is_of_connexion"]

CONNEXION = Problem(
    "connexion",
    "app",
    "connexion",
    "connexion answers preflights and errors in front of Flask, and keeps the application from "
    "before CORSGuard was installed: corsguard sees no request",
    "use the ASGI middleware: connexion_app.add_middleware(corsguard_asgi.CORSMiddleware, "
    "MiddlewarePosition.BEFORE_EXCEPTION, policy=...)",
)

_CODE = "middleware-in-front"
_DEEPEST = 12
_LAST = "install CORSGuard last: call cors.init_app(app) after it"
_SOCKETS = ("socketio.", "engineio.")
_MOUNTS = ("werkzeug.middleware.dispatcher.",)
_PASSES_ON = (
    "werkzeug.middleware.proxy_fix.",
    "werkzeug.middleware.profiler.",
    "werkzeug.middleware.lint.",
)


class Front(NamedTuple):
    """What is known of the middleware in front of corsguard."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    """What is in front, and does no harm there."""


def is_of_connexion(app: Flask) -> bool:
    """Return True if an application is the one inside connexion's."""
    return type(app.json).__module__.startswith("connexion.")


def front_of(app: Flask, middleware: FlaskMiddleware) -> Front:
    """Return what stands between a server and corsguard, and what that means."""
    if is_of_connexion(app):
        return Front(problems=(CONNEXION,))
    found = list(_between(app.wsgi_app, middleware))
    if not found:
        return Front()
    if found[-1] is not middleware:
        return Front(problems=(_replaced(app.wsgi_app),))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    notes: list[str] = []
    for layer in found[:-1]:
        if _is_of(layer, _PASSES_ON):
            notes.append(f"{_name(layer)} is in front of corsguard, and passes every request on")
            continue
        problem, is_fault = _judge(layer, middleware.guard.enforce)
        (problems if is_fault else warnings).append(problem)
    return Front(tuple(problems), tuple(warnings), tuple(notes))


def _judge(layer: object, enforce: Enforce) -> tuple[Problem, bool]:
    """Return what a layer in front means, and whether it is a fault or only may be one."""
    where = f"{_name(layer)} is in front of corsguard"
    unseen = "they are not refused under `enforce`" if enforce else "no policy applies to them"
    if _is_of(layer, _SOCKETS):
        message = (
            f"{where}, and answers Socket.IO's requests, WebSocket handshakes and polling, itself: "
            f"corsguard never sees them, so {unseen}"
        )
        fix = f"{_LAST}, and list the origins in cors_allowed_origins too"
        return Problem(_CODE, "app.wsgi_app", None, message, fix), True
    if _is_of(layer, _MOUNTS):
        message = (
            f"{where}, and passes requests below {_mounts(layer)} to other applications: "
            f"corsguard never sees them, so {unseen}"
        )
        return Problem(_CODE, "app.wsgi_app", None, message, _LAST), bool(enforce)
    message = f"{where}: requests that it answers itself never reach corsguard, so {unseen}"
    fix = f"{_LAST}, unless it passes every request on"
    return Problem(_CODE, "app.wsgi_app", None, message, fix), False


def _replaced(layer: object) -> Problem:
    message = f"app.wsgi_app is {_name(layer)}, and corsguard can't be found behind it"
    return Problem(_CODE, "app.wsgi_app", None, message, _LAST)


def _between(outermost: object, middleware: object) -> Iterator[object]:
    """Yield the layers from what a server calls to the middleware, as far as they can be seen.

    The last one is the middleware, unless nothing leads to it. The shortest way is taken.
    """
    if outermost is middleware:
        return
    ways: list[tuple[object, ...]] = [(outermost,)]
    seen = {id(outermost)}
    for way in ways:
        if way[-1] is middleware:
            yield from filter(callable, way)
            return
        for inner in _inside(way[-1]) if len(way) < _DEEPEST else ():
            # Not by way of the application itself, which has the outermost layer.
            if id(inner) not in seen and not isinstance(inner, Flask):
                seen.add(id(inner))
                ways.append((*way, inner))
    yield outermost


def _inside(layer: object) -> Iterator[object]:
    yield from iter_callables(layer)
    if isinstance(layer, FunctionType):
        named = (layer.__globals__.get(name) for name in layer.__code__.co_names)
        yield from filter(callable, named)


def _is_of(layer: object, names: tuple[str, ...]) -> bool:
    """Return True if the class of a layer, or one that it inherits from, is of these modules."""
    return any(f"{each.__module__}.".startswith(names) for each in type(layer).__mro__)


def _mounts(layer: object) -> str:
    return " and ".join(getattr(layer, "mounts", None) or ["some paths"])


def _name(layer: object) -> str:
    """Return the name of a function, or of the class of an object, with its module."""
    named = layer if hasattr(layer, "__qualname__") else type(layer)
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', '')}"
