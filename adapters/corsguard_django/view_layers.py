"""The parts of a view that may be decorated: what it wraps, its class, its handlers by method.

Django itself, Django REST framework and Django Ninja keep these in different places. None of them
is imported: what is looked for is what their views have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, cast

from corsguard.guard.view_policies import has_policy, iter_layers

__all__ = [
    "find_handler_holders",
    "get_attribute",
    "get_handlers",
    "get_methods",
    "get_view_class",
    "iter_handler_layers",
    "iter_parts",
    "iter_view_layers",
]

_PATH_VIEW = "PathView"
_REQUIRED = "request_method_list"  # of require_http_methods()
_BELOW_API_VIEW = "api_view.<locals>."


def iter_view_layers(view: object) -> Iterator[object]:
    """Yield what may hold the policy of a view for all methods, the nearest to its code first.

    The class of a view comes after these: see `class_of`.
    """
    view_class = get_view_class(view)
    yield from iter_layers(_find_api_view_function(view_class))
    yield from iter_layers(view)
    yield from iter_layers(_get_call(view))
    # as_view() gives a view the attributes of dispatch().
    yield from iter_layers(getattr(view_class, "dispatch", None))


def get_view_class(view: object) -> type | None:
    """Return the class that a view was made of, by as_view() of Django or of REST framework."""
    for layer in iter_layers(view):
        for name in ("view_class", "cls"):
            found = getattr(layer, name, None)
            if isinstance(found, type):
                return found
    return None


def get_handlers(view: object) -> Mapping[str, object]:
    """Return what answers each HTTP method of a view; empty where nothing tells.

    That is a method of its class, or an operation of Ninja.
    """
    operations = list(_iter_operations(view))
    if operations:  # the first that takes a method is the one that answers
        by_operation: dict[str, object] = {}
        for operation in operations:
            for method in operation.methods:
                by_operation.setdefault(method.upper(), operation)
        return by_operation
    view_class = get_view_class(view)
    actions = get_attribute(view, "actions", {})  # of a ViewSet: from HTTP methods to its own
    handlers = {
        name.upper(): getattr(view_class, actions.get(name, name))
        for name in _get_method_names(view, view_class)
        if hasattr(view_class, actions.get(name, name))
    }
    if "GET" in handlers:  # as View.setup() and ViewSets do it
        handlers.setdefault("HEAD", handlers["GET"])
    return handlers


def get_methods(view: object) -> list[str]:
    """Return the HTTP methods that a view takes; empty where nothing tells."""
    methods = list(get_handlers(view))
    if methods:
        return methods
    for layer in iter_layers(view):
        for name, content in _iter_closure(layer):
            if name == _REQUIRED:
                return list(content)
    return []


def iter_handler_layers(handler: object) -> Iterator[object]:
    """Yield what may hold the policy of a handler, the nearest to its code first."""
    function = getattr(handler, "view_func", None)
    if function is None:
        yield from iter_layers(handler)
    else:  # an operation of Ninja, whose `run` is what decorate_view() decorates
        yield from iter_layers(function)
        yield from iter_layers(getattr(handler, "run", None))


def find_handler_holders(view: object) -> Mapping[str, object]:
    """Return what holds the policy of each method of a view, None for those without their own.

    Empty where no method has one.
    """
    handlers = {
        method: next(filter(has_policy, iter_handler_layers(handler)), None)
        for method, handler in get_handlers(view).items()
    }
    return handlers if any(each is not None for each in handlers.values()) else {}


def iter_parts(view: object) -> Iterator[object]:
    """Yield every part of a view whose decoration counts, or would if nothing else were."""
    yield from iter_view_layers(view)
    yield from getattr(get_view_class(view), "__mro__", ())
    for layer in iter_layers(view):
        if not isinstance(layer, FunctionType):  # an instance, whose class may be decorated
            yield from type(layer).__mro__
    for handler in get_handlers(view).values():
        yield handler
        yield from iter_handler_layers(handler)


def get_attribute(view: object, name: str, default: Any) -> Any:
    """Return an attribute of the outermost layer that has it, of the type of default."""
    found = (getattr(each, "__dict__", {}).get(name) for each in iter_layers(view))
    return next((each for each in found if isinstance(each, type(default))), default)


def _get_method_names(view: object, view_class: type | None) -> Iterable[str]:
    # What as_view() was called with, in Django and in a ViewSet.
    given = get_attribute(view, "view_initkwargs", {}) or get_attribute(view, "initkwargs", {})
    names = getattr(view_class, "http_method_names", ())
    return cast(Iterable[str], given.get("http_method_names", names))


def _get_call(view: object) -> object | None:
    """Return what a view calls that is an instance of a class of the project, such as a feed."""
    innermost = [None, *iter_layers(view)][-1]
    call = getattr(type(innermost), "__call__", None)  # noqa: B004  # it is looked into
    return call if isinstance(call, FunctionType) else None


def _find_api_view_function(view_class: type | None) -> object | None:
    """Return the function that `@api_view` of REST framework has made a class of.

    Every handler of that class calls it, and only a closure has it.
    """
    for handler in vars(view_class).values() if view_class else ():
        if getattr(handler, "__qualname__", "").startswith(_BELOW_API_VIEW):
            return dict(_iter_closure(handler)).get("func")
    return None


def _iter_operations(view: object) -> Iterator[Any]:
    """Yield the operations of a view of Ninja: those of its path, which its closure has."""
    for layer in iter_layers(view):
        held = [getattr(layer, "__self__", None), *(content for _, content in _iter_closure(layer))]
        for each in held:
            if any(parent.__name__ == _PATH_VIEW for parent in type(each).__mro__):
                yield from each.operations


def _iter_closure(function: object) -> Iterator[tuple[str, Any]]:
    """Yield the names and contents of a function's closure."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
