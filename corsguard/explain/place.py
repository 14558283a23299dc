"""The place in a configuration where the policy of a request is, or would have to be."""

from __future__ import annotations

from typing import Literal, NamedTuple

from corsguard.guard.options import name_place
from corsguard.guard.policy_list import PolicyOrList, list_policies, name_entry
from corsguard.policy import Policy

__all__ = ["Place", "PlaceKey"]

PlaceKey = tuple[str, str, int]
"""(kind, owner or name, identity of the view's policy): equal for two requests to one place."""


class Place(NamedTuple):
    """Where the policy that applies to a request is configured, or would have to be."""

    kind: Literal["everywhere", "route", "view"]
    name: str
    """The route prefix, or the framework's name of the view. Empty for `everywhere`."""
    policy: Policy | None
    """The policy that decides there now; None for no CORS. See `policies` for a list."""
    closed_by: str | None = None
    """The prefix of the route that turns CORS off, if one does."""
    given: int = 0
    """The id() of a view's policy as the application has it."""
    enforced: bool = False
    """Whether unsafe requests that no policy allows are refused there."""
    holder: str = ""
    """The owner of a view's policy for a message: the view, or what it shares the policy with."""

    policies: tuple[Policy, ...] = ()
    """The list that `policy` is in; empty without a list."""

    @property
    def position(self) -> int | None:
        """The position of `policy` in the list; None outside a list."""
        found = (at for at, policy in enumerate(self.policies) if policy is self.policy)
        return next(found, None)

    @property
    def entry(self) -> str:
        """The place of `policy`, which is in a list, such as `routes."/"[1]`."""
        return name_entry(self.holder or name_place(self.name), self.position or 0)

    def with_policies(self, given: PolicyOrList | None) -> Place:
        """Return the place with a policy there, or a list of which the first one decides."""
        policies = () if isinstance(given, Policy) else list_policies(given)
        policy = given if isinstance(given, Policy) else next(iter(policies), None)
        return self._replace(policy=policy, policies=policies)

    def replace_policy(self, policy: Policy) -> PolicyOrList:
        """Return what is at the place with another policy in place of the one that decides."""
        if self.position is None:
            return policy
        return (*self.policies[: self.position], policy, *self.policies[self.position + 1 :])

    @property
    def key(self) -> PlaceKey:
        """The key that two requests to one place have in common."""
        return self.kind, self.holder or self.name, self.given
