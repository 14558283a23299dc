"""Policies of single views, for frameworks that know which view a request reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial, update_wrapper
from types import FunctionType, NoneType
from typing import Any, NamedTuple, TypeVar, Unpack, cast

from corsguard.guard.decorated_views import is_remembered, remember
from corsguard.policy import Policy, PolicyFields

__all__ = [
    "View",
    "cors_exempt",
    "cors_policy",
    "describe_class",
    "describe_handler",
    "describe_holders",
    "describe_view",
    "find_decorated_layer",
    "find_shared_methods",
    "get_policy",
    "has_policy",
    "iter_layers",
]

_ATTRIBUTE = "corsguard_policy"
_MOST_LAYERS = 100

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class View(NamedTuple):
    """The view that a request reaches, where its policy is its own and not that of its path."""

    name: str
    """What the framework calls it, for the log."""
    policy: Policy | None
    """None for no CORS."""
    holder: str = ""
    """What has the policy, in words, which may be more than the view, or less: all that a change
    of the policy changes. Empty for the view alone."""


def cors_policy(
    policy: Policy | None = None, /, **fields: Unpack[PolicyFields]
) -> Callable[[Decorated], Decorated]:
    """Decorate a view with a policy of its own, which wins over the one of its path.

    Takes a Policy, or its fields as keywords. Raises TypeError for anything else, and PolicyError.
    """
    if policy is None and fields:
        policy = Policy(**fields)
    elif not isinstance(policy, Policy) or fields:
        given = "both" if fields else repr(policy)
        raise TypeError(f"cors_policy takes a Policy or its fields, not {given}")

    def decorate(view: Decorated) -> Decorated:
        return _decorate(view, policy)

    setattr(decorate, _ATTRIBUTE, policy)  # for those who apply it later: see `applied_by`
    return decorate


def cors_exempt(view: Decorated) -> Decorated:
    """Decorate a view with no CORS at all, whatever the policy of its path. Enforcement stays."""
    return _decorate(view, None)


setattr(cors_exempt, _ATTRIBUTE, None)


def _decorate(view: Decorated, policy: Policy | None) -> Decorated:
    decorated: Any = view
    if isinstance(decorated, (staticmethod, classmethod)):  # what a class hands out is inside
        _decorate(decorated.__func__, policy)
        return view
    try:
        setattr(decorated, _ATTRIBUTE, policy)
    except AttributeError:  # a bound method takes none: what calls it does
        decorated = update_wrapper(partial(view), view)
        setattr(decorated, _ATTRIBUTE, policy)
    remember(decorated, exempt=policy is None)
    return cast(Decorated, decorated)


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
        view = _inner(view)


def _inner(view: object) -> object | None:
    if isinstance(view, partial):
        return view.func
    for name in ("__wrapped__", "__func__"):
        inner: object = getattr(view, name, None)
        if inner is not None:
            return inner
    # Not of a function or a class: their `__call__` is Python's own.
    call = getattr(type(view), "__call__", None)  # noqa: B004
    return call if isinstance(call, FunctionType) else None


def find_decorated_layer(view: object) -> object | None:
    """Return the outermost layer of a view that is decorated with a policy, or None.

    functools.wraps copies the mark of a function to its wrapper. A copy may be out of date, where
    the function was decorated again afterwards, so what was decorated itself comes first.
    """
    marked = [layer for layer in iter_layers(view) if has_policy(layer)]
    decorated = (layer for layer in marked if is_remembered(layer))
    return next(decorated, marked[0] if marked else None)


def has_policy(view: object) -> bool:
    """Whether view is decorated with a policy, or as exempt."""
    # By the type: a stand-in of a test, say, has any attribute.
    return isinstance(getattr(view, _ATTRIBUTE, _ATTRIBUTE), (Policy, NoneType))


def get_policy(view: object) -> Policy | None:
    """The policy that view is decorated with; None where it is exempt."""
    policy: Policy | None = getattr(view, _ATTRIBUTE)
    return policy


def describe_holders(holders: Iterable[tuple[object, str]]) -> Mapping[int, str]:
    """What holds a policy, by its identity: the words for it of all the places where it stands."""
    words: dict[int, dict[str, None]] = {}
    for holder, said in holders:
        words.setdefault(id(holder), {})[said] = None
    return {holder: " and ".join(said) for holder, said in words.items()}


def describe_view(name: str) -> str:
    """What holds the policy of a view that is decorated itself."""
    return f"the view {name}"


def describe_class(view_class: type, attribute: str = _ATTRIBUTE) -> str:
    """What holds the policy of a view whose class, or an attribute of that, is decorated."""
    return f"every view of the class {_defining(view_class, attribute)}"


def describe_handler(view_class: type, handlers: Mapping[str, object], handler: object) -> str:
    """What holds the policy of a handler of a view's class, given all of these by method."""
    methods = sorted(method for method, each in handlers.items() if each is handler)
    if "GET" in methods and "HEAD" in methods:  # HEAD is answered as GET
        methods.remove("HEAD")
    noun = "method" if len(methods) == 1 else "methods"
    owner = _defining(view_class, methods[0].lower())
    return f"the {noun} {' and '.join(methods)} of the class {owner}"


def _defining(view_class: type, attribute: str) -> str:
    """The class that view_class has an attribute from."""
    owners = (each for each in view_class.__mro__ if attribute in vars(each))
    return next(owners, view_class).__name__


def find_shared_methods(
    method: str, policies: Mapping[str, Policy | None]
) -> frozenset[str] | None:
    """The methods of one URL that have the policy of method; None where all of them have.

    `policies` are those of each method of the URL. The preflight cache is keyed by URL and not by
    method (Fetch, "CORS-preflight cache"), so an answer for one policy must not name the methods
    of another.
    """
    same = frozenset(name for name, policy in policies.items() if policy == policies[method])
    return None if len(same) == len(policies) else same
