"""WSGI middleware in front of corsguard: whatever wrapped `app.wsgi_app` after CORSGuard did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask

from corsguard import Problem
from corsguard.engine.csrf import Enforce
from corsguard.guard.callable_contents import find_path

if TYPE_CHECKING:
    from corsguard_flask.middleware import FlaskMiddleware

__all__ = ["CONNEXION", "OuterMiddleware", "find_outer_middleware", "is_inside_connexion"]

CONNEXION = Problem(
    "connexion",
    "app",
    "connexion",
    "connexion answers preflights and errors in front of Flask and calls Flask without CORSGuard, "
    "so corsguard sees no request",
    "use the ASGI middleware: connexion_app.add_middleware(corsguard_asgi.CORSMiddleware, "
    "MiddlewarePosition.BEFORE_EXCEPTION, policy=...)",
)

_CODE = "middleware-in-front"
_INSTALL_LAST = "install CORSGuard last: call cors.init_app(app) after it"
_MOVE_INSIDE = "set it as app.wsgi_app, and call cors.init_app(app) after that"
_SOCKET_SERVERS = ("socketio.", "engineio.")
_DISPATCHERS = ("werkzeug.middleware.dispatcher.",)
_HARMLESS = (
    "werkzeug.middleware.proxy_fix.",
    "werkzeug.middleware.profiler.",
    "werkzeug.middleware.lint.",
)


class OuterMiddleware(NamedTuple):
    """The findings about the middleware in front of corsguard, for `flask cors check`."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    """One line for each middleware that belongs in front."""


def is_inside_connexion(app: Flask) -> bool:
    """Return True if an application is the one that connexion creates and wraps."""
    return type(app.json).__module__.startswith("connexion.")


def find_outer_middleware(
    app: Flask, middleware: FlaskMiddleware, around: Iterable[object] = ()
) -> OuterMiddleware:
    """Return what is in front of corsguard, sorted by how much harm it does there.

    `around` are the wrappers around the application itself, the outermost first.
    """
    if is_inside_connexion(app):
        return OuterMiddleware(problems=(CONNEXION,))
    # Not through the application itself, whose attribute is the outermost callable again.
    found = find_path(app.wsgi_app, lambda each: each is middleware, _is_flask)
    if not found:
        return OuterMiddleware(problems=(_describe_replacement(app.wsgi_app),))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    notes: list[str] = []
    around = tuple(around)
    for wrapper in (*around, *found[:-1]):
        if _is_from(wrapper, _HARMLESS):
            notes.append(
                f"{_get_name(wrapper)} is in front of corsguard: it passes every request on"
            )
            continue
        problem, is_fault = _describe_wrapper(
            wrapper, middleware.guard.enforce, _MOVE_INSIDE if wrapper in around else _INSTALL_LAST
        )
        (problems if is_fault else warnings).append(problem)
    return OuterMiddleware(tuple(problems), tuple(warnings), tuple(notes))


def _describe_wrapper(wrapper: object, enforce: Enforce, advice: str) -> tuple[Problem, bool]:
    """Return the problem of a middleware in front, and False if it is a mere warning."""
    where = f"{_get_name(wrapper)} is in front of corsguard"
    effect = "`enforce` does not refuse them" if enforce else "no policy applies to them"
    if _is_from(wrapper, _SOCKET_SERVERS):
        message = (
            f"{where} and answers Socket.IO's WebSocket handshakes and polling requests itself: "
            f"{effect}"
        )
        fix = f"{advice}, and list the same origins in cors_allowed_origins"
        return Problem(_CODE, "app.wsgi_app", None, message, fix), True
    if _is_from(wrapper, _DISPATCHERS):
        message = (
            f"{where} and passes requests below {_list_mounts(wrapper)} to other applications: "
            f"{effect}"
        )
        return Problem(_CODE, "app.wsgi_app", None, message, advice), bool(enforce)
    message = f"{where} and may answer requests itself: {effect}"
    fix = f"{advice}, unless it passes every request on"
    return Problem(_CODE, "app.wsgi_app", None, message, fix), False


def _describe_replacement(outermost: object) -> Problem:
    message = f"app.wsgi_app is {_get_name(outermost)}, and corsguard was not found behind it"
    return Problem(_CODE, "app.wsgi_app", None, message, _INSTALL_LAST)


def _is_flask(each: object) -> bool:
    return isinstance(each, Flask)


def _is_from(wrapper: object, modules: tuple[str, ...]) -> bool:
    """Return True if the class of a wrapper, or one of its bases, is from one of these modules."""
    return any(f"{each.__module__}.".startswith(modules) for each in type(wrapper).__mro__)


def _list_mounts(dispatcher: object) -> str:
    return " and ".join(getattr(dispatcher, "mounts", None) or ["some paths"])


def _get_name(wrapper: object) -> str:
    """Return the dotted name of a function, or of the class of any other object."""
    named = wrapper if hasattr(wrapper, "__qualname__") else type(wrapper)
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', '')}"
