"""Middleware of an application outside of CORSMiddleware: what was added after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.applications import Starlette

from corsguard import Problem
from corsguard_asgi.middleware import CORSMiddleware

__all__ = ["OuterMiddleware", "find_outer_middleware"]

_HARMLESS = ("starlette.middleware.gzip.", "starlette.middleware.sessions.")


class OuterMiddleware(NamedTuple):
    """The findings about the middleware outside of corsguard."""

    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    """One line for each middleware that may be there."""


def find_outer_middleware(app: Starlette) -> OuterMiddleware:
    """Return what was added to an application after CORSMiddleware, so that it is outside of it."""
    kinds: list[Any] = [each.cls for each in app.user_middleware]
    own = [index for index, kind in enumerate(kinds) if _is_own(kind)]
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in kinds[: min(own, default=0)]]
    warnings = [_describe(name) for name in names if not name.startswith(_HARMLESS)]
    notes = [
        f"{name} is outside of corsguard: it passes every request on"
        for name in names
        if name.startswith(_HARMLESS)
    ]
    return OuterMiddleware(tuple(warnings), tuple(notes))


def _is_own(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, CORSMiddleware)


def _describe(name: str) -> Problem:
    return Problem(
        "middleware-in-front",
        "app",
        None,
        f"{name} is outside of corsguard and may answer requests itself: no policy applies to them",
        "add CORSMiddleware last, or use CORSGuard of corsguard_starlette, unless it passes every "
        "request on",
    )
