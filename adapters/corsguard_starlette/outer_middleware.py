"""Middleware outside of corsguard: around the application, or added after CORSMiddleware."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from starlette.applications import Starlette

from corsguard import Problem
from corsguard.guard.callable_contents import find_path
from corsguard_asgi.middleware import CORSMiddleware

__all__ = ["OuterMiddleware", "find_added_later", "find_around"]

_HARMLESS = (
    "starlette.middleware.gzip.",
    "starlette.middleware.sessions.",
    "uvicorn.middleware.proxy_headers.",
)
_ADD_LAST = "add CORSMiddleware last, or use CORSGuard of corsguard_starlette"
_ADD_INSIDE = "add it with app.add_middleware, which puts it inside of corsguard"
_UNLESS = "unless it passes every request on"


class OuterMiddleware(NamedTuple):
    """The findings about the middleware outside of corsguard."""

    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]
    """One line for each middleware that may be there."""


def find_around(outermost: object, guarded: object) -> OuterMiddleware:
    """Return what is around what corsguard guards, up to the outermost application."""
    path = find_path(outermost, lambda each: each is guarded)
    return _sort(map(_name, path[:-1]), _ADD_INSIDE)


def find_added_later(app: Starlette) -> OuterMiddleware:
    """Return what was added to an application after CORSMiddleware, so that it is outside of it."""
    kinds: list[Any] = [each.cls for each in app.user_middleware]
    own = [index for index, kind in enumerate(kinds) if _is_own(kind)]
    return _sort(map(_name, kinds[: min(own, default=0)]), _ADD_LAST)


def _sort(names: Iterable[str], advice: str) -> OuterMiddleware:
    """Sort middleware by whether it may answer requests itself."""
    warnings: list[Problem] = []
    notes: list[str] = []
    for name in names:
        where = f"{name} is outside of corsguard"
        if name.startswith(_HARMLESS):
            notes.append(f"{where}: it passes every request on")
            continue
        message = f"{where} and may answer requests itself: no policy applies to them"
        fix = f"{advice}, {_UNLESS}"
        warnings.append(Problem("middleware-in-front", "app", None, message, fix))
    return OuterMiddleware(tuple(warnings), tuple(notes))


def _is_own(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, CORSMiddleware)


def _name(layer: object) -> str:
    """Return the dotted name of a class or a function, or of the class of any other object."""
    named: Any = layer if hasattr(layer, "__qualname__") else type(layer)
    return f"{named.__module__}.{named.__qualname__}"
