"""The policies of a guard one by one, for `corsguard check` and `corsguard describe`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from corsguard import Policies, Policy

__all__ = ["RoutePolicy", "iter_route_policies"]


class RoutePolicy(NamedTuple):
    """A policy, and the route that it applies to."""

    prefix: str
    """The prefix of the route; empty for every path."""
    policy: Policy | None
    """None for no CORS."""
    position: int | None = None
    """The position of the policy in the list of the route; None outside a list."""


def iter_route_policies(policies: Policies) -> Iterator[RoutePolicy]:
    """Yield the policies of each route, those of a list in order."""
    table = policies if isinstance(policies, Mapping) else {"": policies}
    for prefix, given in table.items():
        if given is None or isinstance(given, Policy):
            yield RoutePolicy(prefix, given)
        else:
            for position, policy in enumerate(given):
                yield RoutePolicy(prefix, policy, position)
