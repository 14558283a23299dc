"""Policies of single views, for frameworks that know which view a request reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from corsguard.policy import Policy

__all__ = [
    "View",
    "class_in_words",
    "cors_exempt",
    "cors_policy",
    "handler_in_words",
    "has_own_policy",
    "in_words",
    "own_policy",
    "sharing",
    "view_in_words",
]

_ATTRIBUTE = "corsguard_policy"

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class View(NamedTuple):
    """The view that a request reaches, where its policy is its own and not that of its path."""

    name: str
    """What the framework calls it, for the log."""
    policy: Policy | None
    """None for no CORS."""
    methods: frozenset[str] | None = None
    """The methods of the same URL that have the same policy; None where all of them have."""
    holder: str = ""
    """What has the policy, in words, which may be more than the view, or less: all that a change
    of the policy changes. Empty for the view alone."""


def cors_policy(policy: Policy) -> Callable[[Decorated], Decorated]:
    """Decorate a view with a policy of its own, which wins over the one of its path."""
    if not isinstance(policy, Policy):
        raise TypeError(f"cors_policy takes a Policy, not {policy!r}")

    def decorate(view: Decorated) -> Decorated:
        setattr(view, _ATTRIBUTE, policy)
        return view

    return decorate


def cors_exempt(view: Decorated) -> Decorated:
    """Decorate a view with no CORS at all, whatever the policy of its path. Enforcement stays."""
    setattr(view, _ATTRIBUTE, None)
    return view


def has_own_policy(view: object) -> bool:
    """Whether view is decorated with a policy, or as exempt."""
    return hasattr(view, _ATTRIBUTE)


def own_policy(view: object) -> Policy | None:
    """The policy that view is decorated with; None where it is exempt."""
    policy: Policy | None = getattr(view, _ATTRIBUTE)
    return policy


def in_words(holders: Iterable[tuple[object, str]]) -> Mapping[int, str]:
    """What holds a policy, by its identity: the words for it of all the places where it stands."""
    words: dict[int, dict[str, None]] = {}
    for holder, said in holders:
        words.setdefault(id(holder), {})[said] = None
    return {holder: " and ".join(said) for holder, said in words.items()}


def view_in_words(name: str) -> str:
    """What holds the policy of a view that is decorated itself."""
    return f"the view {name}"


def class_in_words(view_class: type, attribute: str = _ATTRIBUTE) -> str:
    """What holds the policy of a view whose class, or an attribute of that, is decorated."""
    return f"every view of the class {_defining(view_class, attribute)}"


def handler_in_words(view_class: type, handlers: Mapping[str, object], handler: object) -> str:
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


def sharing(method: str, policies: Mapping[str, Policy | None]) -> frozenset[str] | None:
    """The methods of one URL that have the policy of method; None where all of them have.

    `policies` are those of each method of the URL. The preflight cache is keyed by URL and not by
    method (Fetch, "CORS-preflight cache"), so an answer for one policy must not name the methods
    of another.
    """
    same = frozenset(name for name, policy in policies.items() if policy == policies[method])
    return None if len(same) == len(policies) else same
