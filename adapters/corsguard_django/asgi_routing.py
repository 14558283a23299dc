"""The routing of protocols in an ASGI application, as Channels does it.

The code recognises the routers and middleware of Channels by attributes, without importing it. It
looks only into classes that never respond by themselves. Any other class with an `.app` may answer
some requests, and pass the rest on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import IntEnum
from types import FunctionType
from typing import Any

from django.core.handlers.asgi import ASGIHandler

__all__ = ["Coverage", "find_coverage", "has_router", "leads_to_django"]

_INNER = ("inner", "application", "app")
_TRANSPARENT = frozenset({"channels", "django", "sentry_sdk"})
_OURS = frozenset({"corsguard_asgi", "corsguard_django"})


class Coverage(IntEnum):
    """How far corsguard covers the application of a protocol; of several, the highest counts."""

    COVERED = 0
    """corsguard is around it, or it is Django, or there is none."""
    VALIDATED = 1
    """A validator of Channels decides on handshakes."""
    UNKNOWN = 2
    """The application is not known."""
    OUTSIDE = 3
    """An application other than Django answers, outside of corsguard."""


def leads_to_django(application: object, scope: Mapping[str, Any]) -> bool:
    """Return True if a request certainly reaches Django, whose middleware decides on it."""
    path = scope.get("path_remaining")  # set by a router around this middleware
    if path is None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
    seen: set[int] = set()
    while _is_transparent(application) and id(application) not in seen:
        if isinstance(application, ASGIHandler):
            return True
        seen.add(id(application))
        application, path = _route(application, scope["type"], path.lstrip("/"))
    return False


def has_router(application: object) -> bool:
    """Return True if an application is a router of Channels, or a middleware around one."""
    *_, innermost = _iter_wrapped(application)
    return _get_protocols(innermost) is not None or _get_routes(innermost) is not None


def find_coverage(application: object, kind: str) -> Coverage:
    """Return how far corsguard covers the application that answers a protocol.

    `kind` is a scope type, such as "http". Django answers http alone, with its own middleware.
    """
    validated = False
    layer = application
    for layer in _iter_wrapped(application):
        if _is_ours(layer) or (isinstance(layer, ASGIHandler) and _is_transparent(layer)):
            return Coverage.COVERED
        validated = validated or (kind != "http" and hasattr(layer, "valid_origin"))
    found = _find_innermost_coverage(layer, kind)
    return min(found, Coverage.VALIDATED) if validated else found


def _find_innermost_coverage(application: object, kind: str) -> Coverage:
    """Return the coverage of a router, or of the innermost application that is known."""
    mapping, routes = _get_protocols(application), _get_routes(application)
    if mapping is not None:
        return find_coverage(mapping[kind], kind) if kind in mapping else Coverage.COVERED
    if routes is not None:
        every = (find_coverage(route.callback, kind) for route in routes)
        return max(every, default=Coverage.COVERED)
    is_handler = kind != "http" and isinstance(application, FunctionType)
    if hasattr(application, "consumer_class"):  # as_asgi() of Channels returned it
        return Coverage.OUTSIDE
    # Most functions behind a router accept handshakes, but some wrap a middleware of corsguard.
    is_outside = is_handler and not any(map(_is_ours, _iter_names_used(application)))
    return Coverage.OUTSIDE if is_outside else Coverage.UNKNOWN


def _iter_wrapped(application: object) -> Iterator[object]:
    """Yield an application, the one that it is a middleware around, and so on while certain."""
    seen: set[int] = set()
    while id(application) not in seen:
        seen.add(id(application))
        yield application
        inner = _get_inner(application)
        if inner is None:
            return
        application = inner


def _get_inner(application: object) -> object | None:
    """Return the application inside a middleware; None for a router, or one that may respond."""
    if not (_is_transparent(application) or hasattr(application, "valid_origin")):
        return None
    if _get_protocols(application) is not None or isinstance(application, ASGIHandler):
        return None
    inner = (getattr(application, name, None) for name in _INNER)
    return next(filter(callable, inner), None)


def _route(application: object, kind: str, path: str) -> tuple[object, str]:
    """Return the application that a request reaches next, and the path that it gets."""
    mapping = _get_protocols(application)
    if mapping is not None:
        return mapping.get(kind), path
    for route in _get_routes(application) or ():
        if match := route.pattern.match(path):
            return route.callback, match[0]
    return _get_inner(application), path


def _get_protocols(application: object) -> Mapping[str, Any] | None:
    """Return the applications of a ProtocolTypeRouter by protocol, None for anything else."""
    mapping = getattr(application, "application_mapping", None)
    known = isinstance(mapping, Mapping) and _is_transparent(application)
    return mapping if known else None


def _get_routes(application: object) -> list[Any] | None:
    """Return the routes of a URLRouter, None for anything else."""
    routes = getattr(application, "routes", None)
    is_router = hasattr(application, "_path_routing") and _is_transparent(application)
    return list(routes) if is_router and isinstance(routes, (list, tuple)) else None


def _iter_names_used(function: Any) -> Iterator[object]:
    """Yield the objects that a function may call: those of its closure, and its globals."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # nothing has been assigned yet
            yield cell.cell_contents
    for name in function.__code__.co_names:
        yield function.__globals__.get(name)


def _is_transparent(application: object) -> bool:
    """Return True if the class of an application is known to answer nothing by itself."""
    return _get_package(application) in _TRANSPARENT


def _is_ours(application: object) -> bool:
    return _get_package(application) in _OURS


def _get_package(application: object) -> str:
    """Return the package of the class that defines the `__call__` of an application."""
    owner = next((each for each in type(application).__mro__ if "__call__" in vars(each)), object)
    return owner.__module__.partition(".")[0]
