"""Which view, blueprint or class of a Flask application has a policy of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Flask
from flask.views import MethodView

from corsguard import Policy
from corsguard.views import View, has_own_policy, own_policy

__all__ = ["BlueprintPolicies", "Views", "view_of", "views_of"]

_OTHERS = ""
_ByMethod = Mapping[str, View]
"""From method to view; the rest of them is `_OTHERS`."""
Views = Mapping[str, _ByMethod]
"""From endpoint to its views, where one of them has a policy of its own."""


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
    views = {
        endpoint: dict(_by_method(app, endpoint, function, blueprints))
        for endpoint, function in app.view_functions.items()
    }
    return {endpoint: by_method for endpoint, by_method in views.items() if by_method}


def view_of(views: Views, endpoint: str | None, method: str) -> View | None:
    """The view that a method of an endpoint reaches; None where the policy of the path holds."""
    by_method = views.get(endpoint) if endpoint else None
    return (by_method.get(method) or by_method.get(_OTHERS)) if by_method else None


def _by_method(
    app: Flask, endpoint: str, function: Any, blueprints: Mapping[object, Policy | None]
) -> Iterator[tuple[str, View]]:
    """The nearest to the code that answers wins: method, function, class, innermost blueprint."""
    view_class = getattr(function, "view_class", None)
    dispatch = getattr(view_class, "dispatch_request", None)
    inherited = [blueprint for blueprint in _around(app, endpoint) if blueprint in blueprints]
    decorated = [holder for holder in (function, dispatch, view_class) if has_own_policy(holder)]
    if decorated:
        yield _OTHERS, View(endpoint, own_policy(decorated[0]))
    elif inherited:
        yield _OTHERS, View(endpoint, blueprints[inherited[0]])
    if view_class and issubclass(view_class, MethodView):
        for method in view_class.methods or ():
            handler = getattr(view_class, method.lower(), None)
            if has_own_policy(handler):
                yield method, View(endpoint, own_policy(handler))
                # RFC 9110, 9.3.2: HEAD is answered as GET, unless the class has its own.
                if method == "GET" and not hasattr(view_class, "head"):
                    yield "HEAD", View(endpoint, own_policy(handler))


def _around(app: Flask, endpoint: str) -> Iterator[object]:
    """The blueprints of an endpoint, the innermost first."""
    while "." in endpoint:
        endpoint = endpoint.rpartition(".")[0]
        if endpoint in app.blueprints:
            yield app.blueprints[endpoint]
