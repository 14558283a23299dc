"""What an ASGI application routes each protocol to, in the ways of Channels.

Channels is not imported: what is looked for is what its routers and middleware have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.handlers.asgi import ASGIHandler

__all__ = ["is_covered", "is_django", "leads_to_django", "outside", "routed"]

_INNER = ("inner", "application", "app")
_OURS = frozenset({"corsguard_asgi", "corsguard_django"})


def leads_to_django(application: object, scope: Mapping[str, Any]) -> bool:
    """Return True if a request is sure to reach Django, whose own middleware decides on it."""
    path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
    return any(isinstance(each, ASGIHandler) for each in _way(application, scope["type"], path))


def routed(application: object) -> Mapping[str, Any] | None:
    """Return what a router of protocols has by their names; None where there is no such router."""
    *_, innermost = _wrapped(application)
    return _mapping(innermost)


def is_covered(application: object) -> bool:
    """Return True if corsguard is around all that an application does."""
    return any(map(_is_ours, _wrapped(application)))


def is_django(application: object) -> bool:
    """Return True if there is nothing but Django behind an application."""
    *_, innermost = _wrapped(application)
    return isinstance(innermost, ASGIHandler)


def outside(application: object, kind: str) -> bool:
    """Return True if anything but Django answers a protocol, and corsguard is not around it.

    Django itself answers http, and accepts no other protocol.
    """
    if is_covered(application) or is_django(application):
        return False
    *_, innermost = _wrapped(application)
    mapping = _mapping(innermost)
    if mapping is not None:
        return kind in mapping and outside(mapping[kind], kind)
    routes = _routes(innermost)
    return routes is None or any(outside(route.callback, kind) for route in routes)


def _wrapped(application: object) -> Iterator[object]:
    """Yield an application, and what it is a middleware around, down to a router or the last."""
    seen: set[int] = set()
    while application is not None and id(application) not in seen:
        seen.add(id(application))
        yield application
        if isinstance(application, ASGIHandler) or _mapping(application) is not None:
            return
        inner = (getattr(application, name, None) for name in _INNER)
        application = next(filter(callable, inner), None)


def _way(application: object, kind: str, path: str) -> Iterator[object]:
    """Yield all that a request passes through, as far as it can be known."""
    for each in _wrapped(application):
        yield each
        mapping = _mapping(each)
        if mapping is not None:
            yield from _way(mapping.get(kind), kind, path)
        for route in _routes(each) or ():
            if match := route.pattern.match(path):
                yield from _way(route.callback, kind, match[0])
                break


def _mapping(application: object) -> Mapping[str, Any] | None:
    """Return the protocols of a ProtocolTypeRouter."""
    mapping = getattr(application, "application_mapping", None)
    return mapping if isinstance(mapping, Mapping) else None


def _routes(application: object) -> list[Any] | None:
    """Return the routes of a URLRouter."""
    routes = getattr(application, "routes", None)
    is_router = hasattr(application, "_path_routing") and isinstance(routes, (list, tuple))
    return list(routes) if is_router and routes is not None else None


def _is_ours(application: object) -> bool:
    return type(application).__module__.partition(".")[0] in _OURS
