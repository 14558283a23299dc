"""The route that a request reaches, found by the matching of the routers themselves.

FastAPI has included routers by reference since 0.137: `include_router` adds one entry, which stands
for all routes of the other router. Before, it copied them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import BaseRoute, Host, Match, Mount, Router, WebSocketRoute

from corsguard_asgi.router_paths import iter_apps

__all__ = [
    "Leaf",
    "get_handlers",
    "is_matched_by_path",
    "list_leaves_of",
    "match_leaf",
    "walk",
]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
"""Those that an HTTPEndpoint can have handlers for."""

_LIBRARY = frozenset({"fastapi.routing", "starlette.convertors", "starlette.routing"})
"""The modules whose routes and convertors depend on nothing but the path and the method."""

_Objects = tuple[object, ...]


class Leaf(NamedTuple):
    """What answers requests behind a route: a function, a class or an ASGI application."""

    endpoint: Any
    route: Any
    """The route as its author wrote it, without the prefix of routers that include its own."""
    around: _Objects
    """The applications, routers, mounts and routes that lead to it, the outermost first."""
    url: str = ""
    """The URL pattern as a whole; only from `walk`."""

    @property
    def name(self) -> str:
        """The name of the route, or its path if it has none."""
        return str(getattr(self.route, "name", None) or getattr(self.route, "path", self.route))

    @property
    def is_websocket(self) -> bool:
        """True if it answers WebSocket handshakes alone."""
        return isinstance(self.route, WebSocketRoute)

    @property
    def methods(self) -> frozenset[str]:
        """The methods that it answers; empty if it takes any, or is no HTTP endpoint."""
        methods = frozenset(getattr(self.route, "methods", None) or ())
        is_by_method = getattr(self.endpoint, "dispatch", None) is HTTPEndpoint.dispatch
        handled = frozenset(get_handlers(self.endpoint) if is_by_method else ())
        return methods & handled if methods and handled else methods or handled

    def may_answer(self, method: str) -> bool:
        """Return True if it may answer a method that its route takes.

        Some versions of Starlette call the handler of an HTTPEndpoint that has the name of the
        method, whatever its case.
        """
        methods = self.methods
        if not methods or method in methods:
            return True
        return bool(get_handlers(self.endpoint)) and hasattr(self.endpoint, method.lower())


def get_handlers(endpoint: object) -> dict[str, object]:
    """Return HTTP method -> handler of an HTTPEndpoint class; empty for anything else."""
    if not (isinstance(endpoint, type) and issubclass(endpoint, HTTPEndpoint)):
        return {}
    handlers = {method: getattr(endpoint, method.lower(), None) for method in _METHODS}
    if handlers["HEAD"] is None:  # RFC 9110, 9.3.2
        handlers["HEAD"] = handlers["GET"]
    return {method: handler for method, handler in handlers.items() if handler is not None}


def match_leaf(app: Starlette, scope: Any) -> Leaf | None:
    """Return what the router of an application calls for a request.

    None for a 404, a 405 or a redirect. Raises what a path convertor raises.
    """
    # FastAPI writes what it has matched into this key, of a copy.
    return _match_in_router(app.router, {**scope, "fastapi": {}}, (app, app.router))


def _match_in_router(router: Router, scope: dict[str, Any], around: _Objects) -> Leaf | None:
    for route in router.routes:
        match, found = route.matches(scope)
        if match is Match.FULL:  # else a 405, unless another one takes the method
            return _descend(route, {**scope, **found}, around)
    return None


def _descend(route: Any, scope: dict[str, Any], around: _Objects) -> Leaf | None:
    around = (*around, route)
    if hasattr(route, "original_router"):
        _, found, inner, context = route._match(scope)  # noqa: SLF001  # its handle() calls it
        around = (*around, route.original_router)
        if context is not None:
            around = (*around, context.original_route)
        return _descend(inner, {**scope, **found}, around)
    if not isinstance(route, (Mount, Host)):
        leaf = Leaf(getattr(route, "endpoint", route), route, around)
        is_answered = scope["type"] != "http" or leaf.may_answer(scope["method"])
        return leaf if is_answered else None
    inside, router = _look_into(route.app)
    if router is None:
        return Leaf(route.app, route, around + inside)
    for each in inside:
        if isinstance(each, Starlette) and (root_path := getattr(each, "root_path", "")):
            scope["root_path"] = root_path  # FastAPI's own replaces that of the scope
    return _match_in_router(router, scope, around + inside)


def _look_into(app: object) -> tuple[_Objects, Router | None]:
    """Return the layers of a mounted application, and its router; None if it has none."""
    layers: list[object] = []
    for layer in iter_apps(app):
        layers.append(layer)
        if isinstance(layer, Starlette):
            return (*layers, layer.router), layer.router
        if isinstance(layer, Router):
            return tuple(layers), layer
    return tuple(layers), None


def is_matched_by_path(leaf: Leaf) -> bool:
    """Return True if the path and the method of a request decide whether it reaches a leaf.

    The host does not, nor does code of the application: a route class or a convertor of its own.
    """
    return all(_is_by_path(each) for each in leaf.around if isinstance(each, BaseRoute))


def _is_by_path(route: Any) -> bool:
    convertors = getattr(route, "param_convertors", {}).values()
    used = [type(route).matches, *map(type, convertors)]
    return not isinstance(route, Host) and all(each.__module__ in _LIBRARY for each in used)


def walk(app: Starlette) -> Iterator[Leaf | Router]:
    """Yield the leaves of an application, and each router before what is in it.

    A leaf is yielded once for every way that leads to it.
    """
    yield app.router
    yield from _walk_routes(app.router.routes, "", (app, app.router))


def list_leaves_of(target: object) -> list[Leaf]:
    """Return the leaves below a router or a route, which may be a part of no application."""
    routes = target.routes if isinstance(target, Router) else [target]
    return [each for each in _walk_routes(routes, "", (target,)) if isinstance(each, Leaf)]


def _walk_routes(routes: Iterable[Any], url: str, around: _Objects) -> Iterator[Leaf | Router]:
    for route in routes:
        yield from _walk_route(route, url, (*around, route))


def _walk_route(route: Any, url: str, around: _Objects) -> Iterator[Leaf | Router]:
    if hasattr(route, "original_router"):
        yield from _walk_included(route, url, around)
    elif isinstance(route, (Mount, Host)):
        url = f"{route.host}|{url}" if isinstance(route, Host) else url + route.path
        inside, router = _look_into(route.app)
        if router is None:
            yield Leaf(route.app, route, around + inside, f"{url}/{{path}}")
        elif not _is_in_itself(router, around):
            yield router
            yield from _walk_routes(router.routes, url, around + inside)
    else:
        path = url + getattr(route, "path", "")
        yield Leaf(getattr(route, "endpoint", route), route, around, path)


def _walk_included(included: Any, url: str, around: _Objects) -> Iterator[Leaf | Router]:
    """Yield what is in an included router; the paths in it have the prefixes of all inclusions."""
    router = included.original_router
    if _is_in_itself(router, around):
        return
    yield router
    around = (*around, router)
    for each in included.effective_candidates():
        if hasattr(each, "original_router"):
            yield from _walk_included(each, url, (*around, each))
        elif each.starlette_route is not None:
            yield from _walk_route(each.starlette_route, url, (*around, each.original_route))
        else:
            original = each.original_route
            yield Leaf(each.endpoint, original, (*around, original), url + each.path)


def _is_in_itself(router: object, around: _Objects) -> bool:
    """Return True if a router is inside itself, and that way has been followed once.

    Once, as what leads there, such as a mount, may have a policy.
    """
    return sum(each is router for each in around) > 1
