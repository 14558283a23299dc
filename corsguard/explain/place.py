"""The place in a configuration where the policy of a request is, or would have to be."""

from __future__ import annotations

from typing import Literal, NamedTuple

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
    """The policy that is there now; None for no CORS."""
    closed_by: str | None = None
    """The prefix of the route that turns CORS off, if one does."""
    given: int = 0
    """The id() of a view's policy as the application has it."""
    enforced: bool = False
    """Whether unsafe requests that no policy allows are refused there."""
    holder: str = ""
    """The owner of a view's policy for a message: the view, or what it shares the policy with."""

    @property
    def key(self) -> PlaceKey:
        """The key that two requests to one place have in common."""
        return self.kind, self.holder or self.name, self.given
