"""Which view, blueprint or class of a Flask application has a policy of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask import Blueprint, Flask
from flask.views import MethodView

from corsguard import Policy
from corsguard.views import (
    View,
    class_in_words,
    handler_in_words,
    has_own_policy,
    in_words,
    own_policy,
    view_in_words,
)

__all__ = ["BlueprintPolicies", "Views", "view_of", "views_of"]

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
    words = in_words((held.holder, held.words) for _, held in found)
    views: dict[str, dict[str, View]] = {}
    for endpoint, (method, policy, holder, _) in found:
        view = View(endpoint, policy, holder=words[id(holder)])
        views.setdefault(endpoint, {})[method] = view
    return views


def view_of(views: Views, endpoint: str | None, method: str) -> View | None:
    """The view that a method of an endpoint reaches; None where the policy of the path holds."""
    by_method = views.get(endpoint) if endpoint else None
    return (by_method.get(method) or by_method.get(_OTHERS)) if by_method else None


def _held(
    app: Flask, endpoint: str, function: Any, blueprints: Mapping[object, Policy | None]
) -> Iterator[_Held]:
    """The nearest to the code that answers wins: method, function, class, innermost blueprint."""
    view_class: Any = getattr(function, "view_class", None)
    dispatch = getattr(view_class, "dispatch_request", None)
    around = [(name, each) for name, each in _around(app, endpoint) if each in blueprints]
    if has_own_policy(function):
        yield _Held(_OTHERS, own_policy(function), function, view_in_words(endpoint))
    elif has_own_policy(dispatch):
        words = class_in_words(view_class, "dispatch_request")
        yield _Held(_OTHERS, own_policy(dispatch), dispatch, words)
    elif has_own_policy(view_class):
        yield _Held(_OTHERS, own_policy(view_class), view_class, class_in_words(view_class))
    elif around:
        name, blueprint = around[0]
        words = f"every view of the blueprint {name}"
        yield _Held(_OTHERS, blueprints[blueprint], blueprint, words)
    if view_class and issubclass(view_class, MethodView):
        methods = view_class.methods or ()
        handlers = {method: getattr(view_class, method.lower(), None) for method in methods}
        for method, handler in handlers.items():
            if has_own_policy(handler):
                words = handler_in_words(view_class, handlers, handler)
                yield _Held(method, own_policy(handler), handler, words)
                # RFC 9110, 9.3.2: HEAD is answered as GET, unless the class has its own.
                if method == "GET" and not hasattr(view_class, "head"):
                    yield _Held("HEAD", own_policy(handler), handler, words)


def _around(app: Flask, endpoint: str) -> Iterator[tuple[str, object]]:
    """The blueprints of an endpoint and their names, the innermost first."""
    while "." in endpoint:
        endpoint = endpoint.rpartition(".")[0]
        if endpoint in app.blueprints:
            yield endpoint, app.blueprints[endpoint]
