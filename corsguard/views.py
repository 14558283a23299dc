"""Policies of single views, for frameworks that know which view a request reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from corsguard.policy import Policy

__all__ = ["View", "cors_exempt", "cors_policy", "has_own_policy", "own_policy", "sharing"]

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


def sharing(method: str, policies: Mapping[str, Policy | None]) -> frozenset[str] | None:
    """The methods of one URL that have the policy of method; None where all of them have.

    `policies` are those of each method of the URL. The preflight cache is keyed by URL and not by
    method (Fetch, "CORS-preflight cache"), so an answer for one policy must not name the methods
    of another.
    """
    same = frozenset(name for name, policy in policies.items() if policy == policies[method])
    return None if len(same) == len(policies) else same
