"""Decorators that a view class applies to its methods at each request.

Flask-RESTful and Flask-RESTX keep them in `method_decorators`. A policy among them is found before
the first request only by applying each decorator once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple

from corsguard.guard.decorated_views import mark_reached
from corsguard.guard.view_policies import find_decorated_layer, iter_layers

__all__ = ["apply_decorator"]

_ATTRIBUTE = "_corsguard_decorated"
"""Attribute of a view class that caches its decorated methods, to live as long as the class."""


class _Decorated(NamedTuple):
    decorator: object  # both arguments stay alive: the cache is keyed by their ids
    handler: object
    result: object


def apply_decorator(decorator: Any, view_class: type, handler: Any) -> object:
    """Return what a decorator makes of a method of a class, whose layers may have a policy.

    Each decorator is applied once to each method, and to a function in the place of the method.
    Returns the decorator itself where it has a policy, or raises because it needs a request.
    """
    if find_decorated_layer(decorator):
        return decorator
    cache = vars(view_class).get(_ATTRIBUTE)
    if cache is None:
        cache = {}
        with suppress(Exception):  # a metaclass may refuse the attribute
            setattr(view_class, _ATTRIBUTE, cache)
    key = id(decorator), id(handler)
    if key not in cache:
        cache[key] = _Decorated(decorator, handler, _apply_to_stand_in(decorator, handler))
    result: object = cache[key].result
    return result


def _apply_to_stand_in(decorator: Callable[[object], object], handler: Any) -> object:
    @wraps(handler)
    def method(*_: Any, **__: Any) -> None:
        """Replace the method, which must not be called without a request."""

    try:
        result = decorator(method)
    except Exception:  # the decorator needs a request or an instance
        return decorator
    mark_reached(iter_layers(result))  # no URL leads to it: each request makes another one
    return result
