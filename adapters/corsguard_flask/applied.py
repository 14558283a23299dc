"""What the decorators that a class applies at each request make of its methods.

Which of them gives a policy is known before the first request only by applying each once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple

from corsguard.guard.decorated_views import mark_reached
from corsguard.guard.view_policies import find_decorated_layer, iter_layers

__all__ = ["applied"]

_ATTRIBUTE = "_corsguard_applied"
"""Of a class: what was applied to its methods. It is kept there to live as long as the class."""


class _Applied(NamedTuple):
    decorator: object  # kept, as the handler is, so that no id is used again
    handler: object
    result: object


def applied(decorator: Any, view_class: type, handler: Any) -> object:
    """Return what a decorator makes of a method of a class, to look for a policy there.

    It is the decorator itself where that is marked, or can't be applied outside of a request. Each
    is applied once to each method, and to a function in its place.
    """
    if find_decorated_layer(decorator):
        return decorator
    known = vars(view_class).get(_ATTRIBUTE)
    if known is None:
        known = {}
        with suppress(Exception):  # of a metaclass
            setattr(view_class, _ATTRIBUTE, known)
    key = id(decorator), id(handler)
    if key not in known:
        known[key] = _Applied(decorator, handler, _apply(decorator, handler))
    result: object = known[key].result
    return result


def _apply(decorator: Callable[[object], object], handler: Any) -> object:
    @wraps(handler)
    def method(*_: Any, **__: Any) -> None:
        """Stand in for the method, which is not for calling without a request."""

    try:
        result = decorator(method)
    except Exception:  # it wants a request, or the instance
        return decorator
    mark_reached(iter_layers(result))  # each request makes another of these, and no URL leads to it
    return result
