"""Per-view policies: the decorators that set them, and their look-up in a view.

They are for frameworks that resolve the view of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial, update_wrapper
from types import FunctionType, NoneType
from typing import Any, NamedTuple, TypeVar, Unpack, cast

from corsguard.guard.decorated_views import is_registered, register
from corsguard.guard.policy_list import PolicyOrList, freeze_policy, is_list, list_policies
from corsguard.policy import Policy, PolicyFields

__all__ = [
    "POLICY_ATTRIBUTE",
    "View",
    "cors_exempt",
    "cors_policy",
    "find_decorated_layer",
    "find_shared_methods",
    "get_policy",
    "has_policy",
    "iter_layers",
]

POLICY_ATTRIBUTE = "corsguard_policy"
"""The attribute in which the decorators store a policy, None for an exempt view."""
_MOST_LAYERS = 100
_ROUTE_TABLES = ("routes", "url_map", "deferred_functions")
"""Attributes of routers and applications, in the words of Starlette and Flask."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class View(NamedTuple):
    """The view that a request reaches, where it has a per-view policy."""

    name: str
    """The framework's name of the view, for the log."""
    policy: PolicyOrList | None
    """Its policy, or a tuple of policies; None for no CORS."""
    holder: str = ""
    """The owner of the policy in words: all that a change of the policy affects, which may be more
    than the view, such as its class, or less. Empty for the view alone."""


def cors_policy(
    policy: PolicyOrList | None = None, /, **fields: Unpack[PolicyFields]
) -> Callable[[Decorated], Decorated]:
    """Return a decorator that gives a view its own policy, which wins over that of its path.

    Takes a Policy, a list of policies, or the fields of one as keywords. Raises TypeError for
    anything else, and PolicyError for fields or a list that are not valid.
    """
    if policy is None and fields:
        policy = Policy(**fields)
    elif fields or not (isinstance(policy, Policy) or is_list(policy)):
        given = "both" if fields else repr(policy)
        raise TypeError(f"cors_policy takes a Policy or its fields, not {given}")
    frozen = freeze_policy(policy)

    def decorate(view: Decorated) -> Decorated:
        return _decorate(view, frozen)

    setattr(decorate, POLICY_ATTRIBUTE, frozen)  # for adapters that apply it to parts of a class
    return decorate


def cors_exempt(view: Decorated) -> Decorated:
    """Decorate a view with no CORS at all, whatever the policy of its path. It stays enforced."""
    return _decorate(view, None)


setattr(cors_exempt, POLICY_ATTRIBUTE, None)


def _decorate(view: Decorated, policy: PolicyOrList | None) -> Decorated:
    decorated: Any = view
    if isinstance(decorated, (staticmethod, classmethod)):  # what a class hands out is inside
        _decorate(decorated.__func__, policy)
        return view
    _reject_other_than_view(decorated)
    try:
        setattr(decorated, POLICY_ATTRIBUTE, policy)
    except AttributeError:  # a bound method takes no attributes, a partial object does
        decorated = update_wrapper(partial(view), view)
        setattr(decorated, POLICY_ATTRIBUTE, policy)
    register(decorated, exempt=policy is None)
    return cast(Decorated, decorated)


def _reject_other_than_view(decorated: object) -> None:
    """Raise TypeError for an application, a router or a blueprint, which no adapter would notice.

    Some of them are callable, as views are, but each has a table of what it routes to.
    """
    is_defined = isinstance(decorated, (type, FunctionType))
    if not is_defined and any(hasattr(decorated, name) for name in _ROUTE_TABLES):
        raise TypeError(
            f"{type(decorated).__name__} is not a view: decorate its views, or give it a policy by "
            "set_policy of CORSGuard"
        )


def iter_layers(view: object) -> Iterator[object]:
    """Yield a view and the functions that it wraps, the outermost first.

    Follows `__wrapped__` (functools.wraps), `partial.func`, the function of a bound method, and
    the `__call__` of an object. Stops after `_MOST_LAYERS`: an object may make up any attribute,
    a new one each time.
    """
    seen: dict[int, object] = {}  # the objects too, so that no id is used again
    while view is not None and id(view) not in seen and len(seen) < _MOST_LAYERS:
        seen[id(view)] = view
        yield view
        view = _unwrap(view)


def _unwrap(view: object) -> object | None:
    """Return the next layer of a view, or None."""
    if isinstance(view, partial):
        return view.func
    for name in ("__wrapped__", "__func__"):
        inner: object = getattr(view, name, None)
        if inner is not None:
            return inner
    # The `__call__` of functions and classes is Python's own, and not a FunctionType.
    call = getattr(type(view), "__call__", None)  # noqa: B004
    return call if isinstance(call, FunctionType) else None


def find_decorated_layer(view: object) -> object | None:
    """Return the outermost layer of a view that is decorated with a policy, or None.

    functools.wraps copies the policy attribute of a function to its wrapper. The copy is out of
    date where the function was decorated again afterwards, so a layer that a decorator was applied
    to comes first.
    """
    layers = [layer for layer in iter_layers(view) if has_policy(layer)]
    decorated = (layer for layer in layers if is_registered(layer))
    return next(decorated, layers[0] if layers else None)


def has_policy(view: object) -> bool:
    """Return True if an object is decorated with a policy, or as exempt."""
    # By the type of the value: a mock has every attribute.
    return isinstance(getattr(view, POLICY_ATTRIBUTE, POLICY_ATTRIBUTE), (Policy, tuple, NoneType))


def get_policy(view: object) -> PolicyOrList | None:
    """Return the policy that an object is decorated with, None where it is exempt."""
    policy: PolicyOrList | None = getattr(view, POLICY_ATTRIBUTE)
    return policy


def find_shared_methods(
    method: str, policies: Mapping[str, PolicyOrList | None]
) -> frozenset[str] | None:
    """Return the methods of one URL that have the same policy as `method`, None if all have.

    `policies` maps each method of the URL to its policy. The preflight cache is keyed by URL and
    not by method (Fetch, "CORS-preflight cache"), so a response for one policy must not name the
    methods of another.
    """
    listed = {name: list_policies(policy) for name, policy in policies.items()}
    same = frozenset(name for name, policy in listed.items() if policy == listed[method])
    return None if len(same) == len(policies) else same
