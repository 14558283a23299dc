"""Which view, blueprint or class of a Flask application has a policy of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Flask
from flask.views import MethodView

from corsguard import Policy
from corsguard.guard.view_policies import (
    View,
    describe_class,
    describe_handler,
    describe_holders,
    describe_view,
    find_decorated_layer,
    get_policy,
    has_policy,
    iter_layers,
)
from corsguard_flask.applied import applied

__all__ = ["BlueprintPolicies", "Views", "reached_in", "view_of", "views_of"]

_OTHERS = ""
_ByMethod = Mapping[str, View]
"""From method to view; the rest of them is `_OTHERS`."""
Views = Mapping[str, _ByMethod]
"""From endpoint to its views, where one of them has a policy of its own."""


class _Held(NamedTuple):
    """A policy of its own that holds for a method of an endpoint, or for `_OTHERS`."""

    method: str
    policy: Policy | None
    holder: object
    words: str


class BlueprintPolicies:
    """The policies of blueprints. The table is replaced when one is set, and never changed."""

    def __init__(self) -> None:
        self.table: Mapping[object, Policy | None] = {}

    def set(self, blueprint: Blueprint, policy: Policy | None) -> None:
        if not isinstance(blueprint, Blueprint):
            raise TypeError(f"set_policy takes a Blueprint, not {blueprint!r}")
        if not (policy is None or isinstance(policy, Policy)):
            raise TypeError(f"set_policy takes a Policy or None, not {policy!r}")
        self.table = {**self.table, blueprint: policy}


def views_of(app: Flask, blueprints: Mapping[object, Policy | None]) -> Views:
    """The views that have policies of their own."""
    found = [
        (endpoint, held)
        for endpoint, function in app.view_functions.items()
        for held in _held(app, endpoint, function, blueprints)
    ]
    words = describe_holders((held.holder, held.words) for _, held in found)
    views: dict[str, dict[str, View]] = {}
    for endpoint, (method, policy, holder, _) in found:
        view = View(endpoint, policy, holder=words[id(holder)])
        views.setdefault(endpoint, {})[method] = view
    return views


def view_of(views: Views, endpoint: str | None, method: str) -> View | None:
    """The view that a method of an endpoint reaches; None where the policy of the path holds."""
    by_method = views.get(endpoint) if endpoint else None
    return (by_method.get(method) or by_method.get(_OTHERS)) if by_method else None


def reached_in(app: Flask) -> list[object]:
    """Return every object of an application whose decorators `views_of` finds."""
    return [layer for each in app.view_functions.values() for layer in _reached(each)]


def _reached(function: Callable[..., Any]) -> Iterator[object]:
    yield from iter_layers(function)
    view_class = _class_of(function)
    if view_class is None:
        return
    yield from view_class.__mro__
    yield from iter_layers(getattr(view_class, "dispatch_request", None))
    for method, handler in _handlers(view_class).items():
        yield from iter_layers(handler)
        for each in _applied(view_class, method, handler):
            yield from iter_layers(each)
    for decorator in _method_decorators(view_class, None):
        yield from iter_layers(decorator)


def _held(
    app: Flask, endpoint: str, function: Any, blueprints: Mapping[object, Policy | None]
) -> Iterator[_Held]:
    """The nearest to the code that answers wins: method, function, class, innermost blueprint."""
    view_class = _class_of(function)
    dispatch = getattr(view_class, "dispatch_request", None)
    around = [(name, each) for name, each in _around(app, endpoint) if each in blueprints]
    if layer := find_decorated_layer(function):
        yield _Held(_OTHERS, get_policy(layer), layer, describe_view(endpoint))
    elif view_class and (layer := find_decorated_layer(dispatch)):
        words = describe_class(view_class, "dispatch_request")
        yield _Held(_OTHERS, get_policy(layer), layer, words)
    elif view_class and has_policy(view_class):
        yield _Held(_OTHERS, get_policy(view_class), view_class, describe_class(view_class))
    elif around:
        name, blueprint = around[0]
        words = f"every view of the blueprint {name}"
        yield _Held(_OTHERS, blueprints[blueprint], blueprint, words)
    if view_class:
        yield from _of_methods(view_class)


def _of_methods(view_class: Any) -> Iterator[_Held]:
    """Yield what holds for single methods of a class: their own, else what decorates them."""
    handlers = _handlers(view_class)
    for method, handler in handlers.items():
        held = None
        if layer := find_decorated_layer(handler):
            words = describe_handler(view_class, handlers, handler)
            held = _Held(method, get_policy(layer), layer, words)
        else:
            made = _applied(view_class, method, handler)
            # Each is applied to the result of the one before it, so the last is the outermost.
            if last := next(filter(None, map(find_decorated_layer, reversed(made))), None):
                words = f"the method_decorators of the class {view_class.__name__}"
                held = _Held(method, get_policy(last), view_class.method_decorators, words)
        if held:
            yield held
            # RFC 9110, 9.3.2: HEAD is answered as GET, unless the class has its own.
            if method == "GET" and not hasattr(view_class, "head"):
                yield held._replace(method="HEAD")


def _class_of(function: Callable[..., Any]) -> Any:
    """Return the class that a view function makes an instance of at each request, or None."""
    given = (getattr(layer, "view_class", None) for layer in iter_layers(function))
    return next((each for each in given if isinstance(each, type)), None)


def _handlers(view_class: Any) -> dict[str, object]:
    """Return the handlers of a class by method; none where it has but one for all."""
    if not issubclass(view_class, MethodView):
        return {}
    methods = view_class.methods or ()
    return {method: getattr(view_class, method.lower(), None) for method in methods}


def _applied(view_class: type, method: str, handler: object) -> Sequence[object]:
    """Return what each of the method_decorators makes of a method that has no policy itself."""
    if find_decorated_layer(handler):
        return ()
    decorators = _method_decorators(view_class, method)
    return [applied(each, view_class, handler) for each in decorators]


def _method_decorators(view_class: Any, method: str | None) -> Sequence[object]:
    """Return what Flask-RESTful and Flask-RESTX apply to a method of a class at each request.

    It is one list for all methods, or a list for each. None is for what is applied to any.
    """
    given = getattr(view_class, "method_decorators", None)
    if not isinstance(given, Mapping):
        return _listed(given)
    if method is None:
        return tuple(each for decorators in given.values() for each in _listed(decorators))
    return _listed(given.get(method.lower()))


def _listed(given: Any) -> Sequence[object]:
    """Return what is in a list; nothing of what is none, such as a property of the instance."""
    return tuple(given) if isinstance(given, Iterable) else ()


def _around(app: Flask, endpoint: str) -> Iterator[tuple[str, object]]:
    """The blueprints of an endpoint and their names, the innermost first."""
    while "." in endpoint:
        endpoint = endpoint.rpartition(".")[0]
        if endpoint in app.blueprints:
            yield endpoint, app.blueprints[endpoint]
