"""The path that an application's router reads, by the framework's own rule for `root_path`.

A policy applies to a path, so the adapter must read the same one as the router. ASGI says that
`path` includes `root_path`; but FastAPI may set another, Falcon ignores it, and Litestar cuts it
out wherever it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType
from typing import Any

from corsguard_asgi.wrapped_apps import find_wrapped

__all__ = ["ReadPath", "find_path_reader", "get_app_root_path", "iter_apps", "strip_root_path"]

Scope = Mapping[str, Any]
ReadPath = Callable[[Scope], str | None]
"""A function from a scope to the path that the router reads, None where its rule is not known."""

_MOST_LAYERS = 100  # a layer may be its own `app`


def find_path_reader(app: object, middleware: object) -> tuple[ReadPath, bool]:
    """Return a function that reads the path of a request, and True if that path is certain.

    `app` is the next layer behind `middleware`. The search follows `app.app`, and so on, to an
    application whose class is known. Without one, the innermost layer may be a part of a framework,
    called by its router; or it may keep the next layer in some other place (`find_wrapped`).
    """
    names: list[str] = []
    layer = app
    for layer in iter_apps(app):
        owner = getattr(layer, "__self__", layer)  # of a method, such as Quart.asgi_app
        kind = owner if isinstance(owner, type) else type(owner)
        rule = _find_rule(kind)
        if rule is not None:
            return partial(rule, owner), True
        kinds = kind.__mro__
        names = [str(getattr(owner, "__module__", "")), *(each.__module__ for each in kinds)]
    for name in names:
        rule = _PART_RULES.get(name.partition(".")[0])
        if rule is not None:
            return partial(rule, None), True
    unknown = partial(_read_unknown, middleware)
    found = [(_find_rule(type(each)), each) for each in find_wrapped(layer, _is_end)]
    readers = [(each, rule) for rule, each in found if rule is not None]
    if readers:
        return partial(_read_agreed, readers, unknown), True
    ends = find_wrapped(layer, _is_end, in_collections=True)
    possible = [each for each in ends if _find_rule(type(each)) is _read_fastapi]
    return partial(_read_possible, possible, unknown) if possible else unknown, False


def get_app_root_path(scope: Scope) -> str:
    """Return the root path of the application itself, without what Starlette's mounts add."""
    return str(scope.get("app_root_path", scope.get("root_path")) or "")


def has_root(scope: Scope) -> bool:
    """Return True if a scope has a `root_path`. A slash alone does not count."""
    return bool((scope.get("root_path") or "").strip("/"))


def iter_apps(app: object) -> Iterator[object]:
    """Yield an application, the one that it wraps, and so on."""
    for _ in range(_MOST_LAYERS):
        yield app
        inner = getattr(app, "app", None) or getattr(app, "__wrapped__", None)
        if not callable(inner):
            return
        app = inner


def _find_rule(kind: type) -> _Rule | None:
    """Return the rule by which the instances of a class read a path; None if it is not known."""
    for each in kind.__mro__:
        rule = _CLASS_RULES.get(f"{each.__module__}.{each.__qualname__}")
        if rule is not None:
            return rule
    return None


def _is_end(each: object) -> bool:
    """Return True if the search stops at an object.

    It stops at an application, and at anything of Litestar's, which leads back to its router.
    """
    kind = type(each)  # isinstance() would evaluate a proxy
    module: object = each.__module__ if kind is FunctionType else kind.__module__
    return str(module).partition(".")[0] == "litestar" or _find_rule(kind) is not None


def _read_agreed(
    readers: list[tuple[object, _Rule]], otherwise: ReadPath, scope: Scope
) -> str | None:
    """Return the path that all applications behind a layer read; None where they differ.

    The application that the middleware was added to may be found as well. It does not count, as
    it is not behind the middleware.
    """
    outside = scope.get("app")
    paths = {rule(app, scope) for app, rule in readers if app is not outside}
    if not paths:
        return otherwise(scope)
    return paths.pop() if len(paths) == 1 else None


def _read_possible(apps: list[object], unknown: ReadPath, scope: Scope) -> str | None:
    """Return the path if every FastAPI application that may be behind a layer reads the same."""
    path, outside = unknown(scope), scope.get("app")
    agree = all(_read_fastapi(app, scope) == path for app in apps if app is not outside)
    return path if agree else None


def strip_root_path(scope: Scope) -> str:
    """Return the path of a scope without its root path, as most routers read it."""
    return _strip_segments(scope["path"], scope.get("root_path") or "")


def _read_starlette(_: object, scope: Scope) -> str:
    return strip_root_path(scope)


def _read_fastapi(app: Any, scope: Scope) -> str:
    """Read a path as FastAPI does: its own `root_path` replaces the server's."""
    return _strip_segments(scope["path"], app.root_path or scope.get("root_path") or "")


def _read_litestar(_: object, scope: Scope) -> str:
    path: str = scope["path"]
    return _make_absolute(path.split(scope["root_path"], 1)[-1]) if has_root(scope) else path


def _read_litestar_part(_: object, scope: Scope) -> str | None:
    """Read the path that Litestar's router passes to middleware: without the root path.

    A mount gets only what follows the prefix of the mount, so there the path is not known.
    """
    path: str = scope["path"]
    return None if getattr(scope.get("route_handler"), "is_mount", False) else path


def _read_quart(_: object, scope: Scope) -> str:
    path: str = scope["path"]
    if not has_root(scope):
        return path
    root = scope["root_path"]
    # Quart answers 404 to other paths. A blank path matches no route of ours either.
    return (
        _make_absolute(path.removeprefix(root)) if path != root and path.startswith(root) else " "
    )


def _read_django(_: object, scope: Scope) -> str:
    settings: Any = sys.modules["django.conf"].settings
    path: str = scope["path"]
    return path.removeprefix(settings.FORCE_SCRIPT_NAME or scope.get("root_path") or "")


def _read_falcon(_: object, scope: Scope) -> str:
    path: str = scope["path"]
    return path


def _read_unknown(middleware: object, scope: Scope) -> str | None:
    """Read a path in front of an unknown application; None if the request has a root path.

    Middleware of `add_middleware` is the exception: Starlette's router always follows it.
    """
    path: str = scope["path"]
    if not scope.get("root_path") or not has_root(scope):  # the usual case, without a call
        return path
    return _read_starlette(None, scope) if _is_added(middleware, scope) else None


def _is_added(middleware: object, scope: Scope) -> bool:
    """Return True if `add_middleware` added a middleware, so that the router comes after it."""
    framework = scope.get("app")
    added = (each.cls for each in getattr(framework, "user_middleware", ()))
    router = getattr(framework, "router", None)
    return type(middleware) in added and scope.get("router") is not router


def _make_absolute(path: str) -> str:
    """Return a path with a first slash, as routers read it that don't require one."""
    return path if path.startswith("/") else f"/{path}"


def _strip_segments(path: str, root: str) -> str:
    """Return a path without the root path, if it begins with the segments of the root path."""
    if path.startswith(root) and path[len(root) : len(root) + 1] in {"", "/"}:
        return path[len(root) :]
    return path


_Rule = Callable[[Any, Scope], str | None]
# Name of a class, a subclass before its bases -> the rule by which it reads a path.
_CLASS_RULES: dict[str, _Rule] = {
    "fastapi.applications.FastAPI": _read_fastapi,
    "starlette.applications.Starlette": _read_starlette,
    "starlette.routing.BaseRoute": _read_starlette,
    "starlette.routing.Router": _read_starlette,
    "litestar.app.Litestar": _read_litestar,
    "quart.app.Quart": _read_quart,
    "falcon.asgi.app.App": _read_falcon,
    "django.core.handlers.asgi.ASGIHandler": _read_django,
}
# Package of a layer that is not an application -> the rule of the router in front of it.
_PART_RULES: dict[str, _Rule] = {
    "fastapi": _read_starlette,
    "starlette": _read_starlette,
    "litestar": _read_litestar_part,
}
