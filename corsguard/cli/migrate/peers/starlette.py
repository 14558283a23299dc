"""The CORSMiddleware of Starlette, which is that of FastAPI too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any, NamedTuple

from corsguard.cli.migrate.configuration import (
    PRIVATE_NETWORK,
    OriginRegex,
    PathScope,
    PeerConfiguration,
    PeerError,
    PeerPolicy,
    RouterPath,
    ToDo,
    build_todo,
    parse_seconds,
    sample_parameter,
    split_list,
)
from corsguard.escaping import escape_text

__all__ = ["Layer", "find_layers", "read"]

_PARAMETER = re.compile(r"{\w+(?::(\w+))?}")
_SEPARATOR = re.compile(r"[\s,;]+")
_HOOKS = ("is_allowed_origin", "preflight_response", "simple_response", "send", "__call__")
"""The methods that decide, which a subclass may override."""


class Layer(NamedTuple):
    """A CORSMiddleware of an application."""

    prefix: str
    """The path of the mount that it is in; empty for the whole application."""
    middleware: Any
    """An instance, which may be around nothing."""
    place: str
    """Where it is, in words."""


async def _answer_nothing(*_: Any) -> None:  # pragma: no cover  # what a layer is around
    """Stand for the application behind a layer that is read, and never called."""


def read(app: object) -> PeerConfiguration | None:
    """Return what each CORSMiddleware of an application does; None if it has none."""
    layers = find_layers(app)
    routed = list(_find_route_layers(app))
    if not (layers or routed):
        return None
    policies: dict[str, PeerPolicy] = {}
    todos: list[ToDo] = []
    notes: list[str] = []
    for layer in layers:
        outer = next((each for each in policies if _is_below(layer.prefix, each)), None)
        if outer is not None:
            todos.append(
                ToDo(
                    f"{layer.place} is inside {policies[outer].place}, which answers its "
                    "preflights. Its origins read other responses, and are blocked now: write a "
                    "route for its path, or remove it if nobody needs it"
                )
            )
        else:
            policies[layer.prefix] = _read_layer(layer, notes)
        todos.extend(_find_code(layer))
    todos.extend(routed)
    starlette = import_module("starlette.applications").Starlette
    is_starlette = any(isinstance(each, starlette) for each in _iter_around(app))
    return PeerConfiguration(
        "Starlette",
        version("starlette"),
        "starlette" if is_starlette else "asgi",
        tuple(policies.values()),
        tuple(todos),
        tuple(notes),
        tuple(_iter_paths(_get_routes(app), "")),
        app,
    )


def find_layers(app: object) -> list[Layer]:
    """Return each CORSMiddleware around an application, in it, and in its mounts, from outside."""
    return list(_iter_layers(app, ""))


def _iter_layers(app: object, prefix: str) -> Iterator[Layer]:
    """Yield the layers of an application that is mounted at a prefix."""
    mounted = f" of the mount {prefix}" if prefix else ""
    for each in _iter_around(app):
        if _is_middleware(each):
            name = type(each).__name__
            yield Layer(prefix, each, f"{name}(app){mounted}")
        else:
            for entry in each.user_middleware:
                built = _build(entry)
                if built is not None:
                    yield Layer(prefix, built, f"add_middleware({type(built).__name__}){mounted}")
    for route in _get_routes(app):
        inner = getattr(route, "app", None)
        if inner is not None and not hasattr(route, "endpoint") and hasattr(route, "path"):
            yield from _iter_layers(inner, prefix + route.path)


def _iter_around(app: object) -> Iterator[Any]:
    """Yield the layers that know each other, from the outside to the application itself."""
    wrapped = import_module("corsguard_asgi.wrapped_apps")
    applications = import_module("starlette.applications")
    seen: list[object] = []

    def is_end(each: object) -> bool:
        known = isinstance(each, applications.Starlette) or _is_middleware(each)
        return known and not any(each is other for other in seen)

    current: Any = app
    while True:
        ends: list[Any] = [current] if is_end(current) else wrapped.find_wrapped(current, is_end)
        if not ends:
            return
        seen.append(ends[0])
        yield ends[0]
        if isinstance(ends[0], applications.Starlette):
            return
        current = ends[0].app


def _get_routes(app: object) -> list[Any]:
    """Return the routes of an application, whatever is around it; empty if it has none."""
    routing = import_module("starlette.routing")
    around: list[Any] = list(_iter_around(app))
    found = [each for each in around if hasattr(each, "routes")]
    if not found:
        wrapped = import_module("corsguard_asgi.wrapped_apps")
        found = wrapped.find_wrapped(app, lambda each: isinstance(each, routing.Router))
    router: Any = found[0] if found else None
    return [] if router is None else list(router.routes)


def _is_middleware(each: object) -> bool:
    return isinstance(each, import_module("starlette.middleware.cors").CORSMiddleware)


def _build(entry: Any) -> Any:
    """Return the CORSMiddleware that an entry of `user_middleware` is; None for another one."""
    kind = entry.cls
    arguments = list(getattr(entry, "args", ()))
    options = dict(entry.kwargs if hasattr(entry, "kwargs") else entry.options)
    while isinstance(kind, partial):
        arguments, options = [*kind.args, *arguments], {**kind.keywords, **options}
        kind = kind.func
    middleware = import_module("starlette.middleware.cors").CORSMiddleware
    if not (isinstance(kind, type) and issubclass(kind, middleware)):
        return None
    try:
        return kind(_answer_nothing, *arguments, **options)
    except Exception as error:
        raise PeerError(
            f"{kind.__name__} can't be built around a stub: {type(error).__name__}: "
            f"{escape_text(str(error))}. Write its policy by hand"
        ) from None


def _read_layer(layer: Layer, notes: list[str]) -> PeerPolicy:
    """Return what a layer does, from the headers that it sends, which all versions have."""
    cors = layer.middleware
    simple = {name.lower(): value for name, value in cors.simple_headers.items()}
    preflight = {name.lower(): value for name, value in cors.preflight_headers.items()}
    regex = cors.allow_origin_regex
    origins = _read_origins(cors.allow_origins, notes)
    if cors.allow_all_origins and "*" not in origins:  # `*` is a part of a text
        origins = ("*", *origins)
    if getattr(cors, "allow_private_network", False):
        notes.append(PRIVATE_NETWORK)
    headers = split_list(preflight.get("access-control-allow-headers"))
    return PeerPolicy(
        layer.place,
        PathScope((layer.prefix or "/",)),
        origins,
        () if regex is None else (OriginRegex(regex.pattern, regex.flags),),
        "access-control-allow-credentials" in simple,
        tuple(cors.allow_methods),
        ("*",) if cors.allow_all_headers else headers,
        split_list(simple.get("access-control-expose-headers")),
        parse_seconds(preflight["access-control-max-age"]),
    )


def _read_origins(given: Any, notes: list[str]) -> tuple[str, ...]:
    """Return a list of origins, which may also be objects such as pydantic's AnyUrl.

    Where it is one text, each part of that was allowed. What is meant are the origins in it.
    """
    if not isinstance(given, str):
        return tuple(map(str, given))
    notes.append(
        f"allow_origins was the text {given!r} and not a list, so every origin that is a part of "
        "it was allowed; now those that it lists"
    )
    return tuple(filter(None, _SEPARATOR.split(given)))


def _find_code(layer: Layer) -> Iterator[ToDo]:
    """Yield a to-do for each method of a subclass that may decide otherwise."""
    kind = type(layer.middleware)
    middleware = import_module("starlette.middleware.cors").CORSMiddleware
    for name in _HOOKS:
        method = getattr(kind, name)
        if method is not getattr(middleware, name):
            action = (
                "write a callable(origin) -> bool for allow_origins, or routes"
                if name == "is_allowed_origin"
                else "read what it does, and decide what of it is needed"
            )
            yield build_todo(f"the subclass {kind.__name__} overrides {name}: {action}", method)


def _find_route_layers(app: object, prefix: str = "") -> Iterator[ToDo]:
    """Yield a to-do for each route with its own CORSMiddleware, and each layer of a host."""
    wrapped = import_module("corsguard_asgi.wrapped_apps")
    for route in _get_routes(app):
        inner = getattr(route, "app", route)
        if hasattr(route, "host"):
            for layer in find_layers(inner):
                yield ToDo(
                    f"{layer.place} is for the host {route.host} alone, and a route of corsguard "
                    "is for every host: write CORSGuard(...) for the application of that host"
                )
        elif hasattr(route, "endpoint"):
            if wrapped.find_wrapped(inner, _is_middleware):
                yield build_todo(
                    f"the route {prefix}{route.path} has its own CORSMiddleware: write "
                    "@cors_policy(Policy(...)) on its view",
                    route.endpoint,
                )
        elif inner is not route and hasattr(route, "path"):
            yield from _find_route_layers(inner, prefix + route.path)


def _iter_paths(routes: Iterable[Any], prefix: str) -> Iterator[RouterPath]:
    """Yield a path and the methods of each route, and of those in mounts and included routers."""
    for route in routes:
        if hasattr(route, "effective_candidates"):  # FastAPI's, of an included router
            for each in route.effective_candidates():
                inner = getattr(each, "starlette_route", None) or each
                yield from _iter_paths([inner], prefix)
        elif getattr(route, "methods", None):
            path = _sample_path(prefix + route.path)
            yield RouterPath(path, tuple(sorted(route.methods)), str(getattr(route, "name", "")))
        elif hasattr(route, "app") and hasattr(route, "path"):
            yield from _iter_paths(_get_routes(route.app), prefix + route.path)


def _sample_path(path: str) -> str:
    return _PARAMETER.sub(lambda match: sample_parameter(match[1] or ""), path)


def _is_below(prefix: str, other: str) -> bool:
    return f"{prefix}/".startswith(f"{other}/")
