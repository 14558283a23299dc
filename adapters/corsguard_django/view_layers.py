"""The layers of a view that may be decorated: wrapped functions, its class, its handlers by method.

Django itself, Django REST framework and Django Ninja keep these in different places. The code here
recognises their views by attributes, so that none of them has to be installed.
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
    """Yield the objects that may hold the policy of a view for all methods, the innermost first.

    The class of the view is not among them: it comes last, see `get_view_class`.
    """
    view_class = get_view_class(view)
    yield from iter_layers(_find_api_view_function(view_class))
    yield from iter_layers(view)
    yield from iter_layers(_get_call(view))
    # as_view() gives a view the attributes of dispatch().
    yield from iter_layers(getattr(view_class, "dispatch", None))


def get_view_class(view: object) -> type | None:
    """Return the class whose as_view() returned a view, in Django or REST framework, or None."""
    for layer in iter_layers(view):
        for name in ("view_class", "cls"):
            found = getattr(layer, name, None)
            if isinstance(found, type):
                return found
    return None


def get_handlers(view: object) -> Mapping[str, object]:
    """Return the handlers of a view: HTTP method -> method of its class, or operation of Ninja.

    The mapping is empty if the handlers are not known.
    """
    operations = list(_iter_operations(view))
    if operations:  # the first that takes a method answers it
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
    """Return the HTTP methods that a view accepts; empty if they are not known."""
    methods = list(get_handlers(view))
    if methods:
        return methods
    for layer in iter_layers(view):
        for name, content in _iter_closure(layer):
            if name == _REQUIRED:
                return list(content)
    return []


def iter_handler_layers(handler: object) -> Iterator[object]:
    """Yield the objects that may hold the policy of a handler, the innermost first."""
    function = getattr(handler, "view_func", None)
    if function is None:
        yield from iter_layers(handler)
    else:  # an operation of Ninja; decorate_view() decorates its `run`
        yield from iter_layers(function)
        yield from iter_layers(getattr(handler, "run", None))


def find_handler_holders(view: object) -> Mapping[str, object]:
    """Return HTTP method -> holder of its policy, None for a method without one of its own.

    The mapping is empty if no method has its own policy.
    """
    handlers = {
        method: next(filter(has_policy, iter_handler_layers(handler)), None)
        for method, handler in get_handlers(view).items()
    }
    return handlers if any(each is not None for each in handlers.values()) else {}


def iter_parts(view: object) -> Iterator[object]:
    """Yield every part of a view whose policy applies, or would if no other part had one."""
    yield from iter_view_layers(view)
    yield from getattr(get_view_class(view), "__mro__", ())
    for layer in iter_layers(view):
        if not isinstance(layer, FunctionType):  # an instance, whose class may be decorated
            yield from type(layer).__mro__
    for handler in get_handlers(view).values():
        yield handler
        yield from iter_handler_layers(handler)


def get_attribute(view: object, name: str, default: Any) -> Any:
    """Return the value of an attribute in the outermost layer that has it, else `default`.

    A value of another type than that of `default` does not count.
    """
    found = (getattr(each, "__dict__", {}).get(name) for each in iter_layers(view))
    return next((each for each in found if isinstance(each, type(default))), default)


def _get_method_names(view: object, view_class: type | None) -> Iterable[str]:
    # The arguments of as_view(), in Django and in a ViewSet.
    given = get_attribute(view, "view_initkwargs", {}) or get_attribute(view, "initkwargs", {})
    names = getattr(view_class, "http_method_names", ())
    return cast(Iterable[str], given.get("http_method_names", names))


def _get_call(view: object) -> object | None:
    """Return the `__call__` of a view that is an instance of a class, such as a feed, or None."""
    innermost = [None, *iter_layers(view)][-1]
    call = getattr(type(innermost), "__call__", None)  # noqa: B004  # it is looked into
    return call if isinstance(call, FunctionType) else None


def _find_api_view_function(view_class: type | None) -> object | None:
    """Return the function that `@api_view` of REST framework has turned into a class, or None.

    The function is only in the closure of the handlers of that class.
    """
    for handler in vars(view_class).values() if view_class else ():
        if getattr(handler, "__qualname__", "").startswith(_BELOW_API_VIEW):
            return dict(_iter_closure(handler)).get("func")
    return None


def _iter_operations(view: object) -> Iterator[Any]:
    """Yield the operations of a view of Ninja, from the PathView that its closure holds."""
    for layer in iter_layers(view):
        held: list[Any] = [getattr(layer, "__self__", None)]
        held += (content for _, content in _iter_closure(layer))
        for each in held:
            if any(parent.__name__ == _PATH_VIEW for parent in type(each).__mro__):
                yield from each.operations


def _iter_closure(function: object) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a function's closure."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # nothing has been assigned yet
            continue
