"""Per-view policies: those of the views, classes, methods and blueprints of an application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Flask
from flask.views import MethodView

from corsguard import Policy
from corsguard.guard.policy_list import PolicyOrList, freeze_policy, is_list
from corsguard.guard.view_descriptions import (
    describe_class,
    describe_handler,
    describe_holders,
    describe_view,
)
from corsguard.guard.view_policies import (
    View,
    find_decorated_layer,
    get_policy,
    has_policy,
    iter_layers,
)
from corsguard_flask.class_decorators import apply_decorator

__all__ = ["BlueprintPolicies", "Views", "find_view_policies", "get_view", "list_view_layers"]

_OTHER_METHODS = ""
_ViewByMethod = Mapping[str, View]
"""HTTP method -> View; `_OTHER_METHODS` is the key for all methods that are not listed."""
Views = Mapping[str, _ViewByMethod]
"""endpoint -> method -> View; only of endpoints with a per-view policy."""


class _ViewPolicy(NamedTuple):
    """A per-view policy, and the method of the endpoint that it applies to."""

    method: str
    policy: PolicyOrList | None
    holder: object
    words: str


class BlueprintPolicies:
    """The policies that `CORSGuard.set_policy` has given to blueprints."""

    def __init__(self) -> None:
        self.table: Mapping[object, PolicyOrList | None] = {}
        """Blueprint -> policy, tuple of policies, or None for no CORS. Each `set` replaces it."""

    def set(self, blueprint: Blueprint, policy: PolicyOrList | None) -> None:
        if not isinstance(blueprint, Blueprint):
            raise TypeError(f"set_policy takes a Blueprint, not {blueprint!r}")
        if not (policy is None or isinstance(policy, Policy) or is_list(policy)):
            raise TypeError(f"set_policy takes a Policy or None, not {policy!r}")
        frozen = None if policy is None else freeze_policy(policy)
        self.table = {**self.table, blueprint: frozen}


def find_view_policies(app: Flask, blueprints: Mapping[object, PolicyOrList | None]) -> Views:
    """Return the views with per-view policies; `blueprints` maps a Blueprint to its policy."""
    found = [
        (endpoint, policy)
        for endpoint, function in app.view_functions.items()
        for policy in _iter_policies(app, endpoint, function, blueprints)
    ]
    words = describe_holders((each.holder, each.words) for _, each in found)
    views: dict[str, dict[str, View]] = {}
    for endpoint, (method, policy, holder, _) in found:
        view = View(endpoint, policy, holder=words[id(holder)])
        views.setdefault(endpoint, {})[method] = view
    return views


def get_view(views: Views, endpoint: str | None, method: str) -> View | None:
    """Return the view that answers a method of an endpoint; None if the path's policy applies."""
    by_method = views.get(endpoint) if endpoint else None
    return (by_method.get(method) or by_method.get(_OTHER_METHODS)) if by_method else None


def list_view_layers(app: Flask) -> list[object]:
    """Return every object whose decorators `find_view_policies` takes into account."""
    return [layer for each in app.view_functions.values() for layer in _iter_reached(each)]


def _iter_reached(function: Callable[..., Any]) -> Iterator[object]:
    yield from iter_layers(function)
    view_class = _get_view_class(function)
    if view_class is None:
        return
    yield from view_class.__mro__
    yield from iter_layers(getattr(view_class, "dispatch_request", None))
    for method, handler in _get_handlers(view_class).items():
        yield from iter_layers(handler)
        for each in _apply_decorators(view_class, method, handler):
            yield from iter_layers(each)
    for decorator in _get_method_decorators(view_class, None):
        yield from iter_layers(decorator)


def _iter_policies(
    app: Flask, endpoint: str, function: Any, blueprints: Mapping[object, PolicyOrList | None]
) -> Iterator[_ViewPolicy]:
    """Yield the per-view policies of an endpoint.

    The one nearest to the code wins: method, view function, class, innermost blueprint.
    """
    view_class = _get_view_class(function)
    dispatch = getattr(view_class, "dispatch_request", None)
    around = [(name, each) for name, each in _iter_blueprints(app, endpoint) if each in blueprints]
    if layer := find_decorated_layer(function):
        words = describe_view(endpoint)
        yield _ViewPolicy(_OTHER_METHODS, get_policy(layer), layer, words)
    elif view_class and (layer := find_decorated_layer(dispatch)):
        words = describe_class(view_class, "dispatch_request")
        yield _ViewPolicy(_OTHER_METHODS, get_policy(layer), layer, words)
    elif view_class and has_policy(view_class):
        words = describe_class(view_class)
        yield _ViewPolicy(_OTHER_METHODS, get_policy(view_class), view_class, words)
    elif around:
        name, blueprint = around[0]
        words = f"every view of the blueprint {name}"
        yield _ViewPolicy(_OTHER_METHODS, blueprints[blueprint], blueprint, words)
    if view_class:
        yield from _iter_method_policies(view_class)


def _iter_method_policies(view_class: Any) -> Iterator[_ViewPolicy]:
    """Yield the policies of the methods of a class: a method's own, else its decorators'."""
    handlers = _get_handlers(view_class)
    for method, handler in handlers.items():
        found = None
        if layer := find_decorated_layer(handler):
            words = describe_handler(view_class, handlers, handler)
            found = _ViewPolicy(method, get_policy(layer), layer, words)
        else:
            decorated = _apply_decorators(view_class, method, handler)
            # Each is applied to the result of the one before it, so the last is the outermost.
            if last := next(filter(None, map(find_decorated_layer, reversed(decorated))), None):
                words = f"the method_decorators of the class {view_class.__name__}"
                found = _ViewPolicy(method, get_policy(last), view_class.method_decorators, words)
        if found:
            yield found
            # RFC 9110, 9.3.2: a HEAD request is answered as GET unless the class defines `head`.
            if method == "GET" and not hasattr(view_class, "head"):
                yield found._replace(method="HEAD")


def _get_view_class(function: Callable[..., Any]) -> Any:
    """Return the class that a view function instantiates at each request, or None."""
    given = (getattr(layer, "view_class", None) for layer in iter_layers(function))
    return next((each for each in given if isinstance(each, type)), None)


def _get_handlers(view_class: Any) -> dict[str, object]:
    """Return HTTP method -> handler of a class; empty unless the class dispatches by method."""
    if not issubclass(view_class, MethodView):
        return {}
    methods = view_class.methods or ()
    return {method: getattr(view_class, method.lower(), None) for method in methods}


def _apply_decorators(view_class: type, method: str, handler: object) -> Sequence[object]:
    """Return what each of the method_decorators makes of a method without a policy."""
    if find_decorated_layer(handler):
        return ()
    decorators = _get_method_decorators(view_class, method)
    return [apply_decorator(each, view_class, handler) for each in decorators]


def _get_method_decorators(view_class: Any, method: str | None) -> Sequence[object]:
    """Return the `method_decorators` that apply to a method; those of all methods for None.

    The attribute is one list for all methods, or a mapping from method to list.
    """
    given = getattr(view_class, "method_decorators", None)
    if not isinstance(given, Mapping):
        return _list_decorators(given)
    if method is None:
        return tuple(each for decorators in given.values() for each in _list_decorators(decorators))
    return _list_decorators(given.get(method.lower()))


def _list_decorators(given: Any) -> Sequence[object]:
    """Return the decorators of a list; empty for anything else, such as a property."""
    return tuple(given) if isinstance(given, Iterable) else ()


def _iter_blueprints(app: Flask, endpoint: str) -> Iterator[tuple[str, object]]:
    """Yield the (name, blueprint) pairs around an endpoint, the innermost first."""
    while "." in endpoint:
        endpoint = endpoint.rpartition(".")[0]
        if endpoint in app.blueprints:
            yield endpoint, app.blueprints[endpoint]
