"""A listed origin that the origin of a blocked page nearly matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from corsguard.engine.closest_origin import find_closest_origin
from corsguard.origin import Origin, OriginPattern
from corsguard.policy import Policy

__all__ = ["NearMiss", "find_near_miss"]


class NearMiss(NamedTuple):
    """A listed origin, and how the page's origin differs from it."""

    listed: str
    differs: str
    """The scheme, the port, `www.`, or being a subdomain; several are joined by " and "."""

    @property
    def has_one_difference(self) -> bool:
        return " and " not in self.differs


def find_near_miss(origin: str, policies: Iterable[Policy]) -> NearMiss | None:
    """Return the listed origin that is closest to a refused one; None where none is close."""
    closest = find_closest_origin(origin, *(policy.allow_list for policy in policies))
    if closest is None:
        return None
    return NearMiss(
        closest, _describe_difference(Origin.parse(origin), OriginPattern.parse(closest))
    )


def _describe_difference(origin: Origin, listed: OriginPattern) -> str:
    parts = []
    host = origin.host.partition(".")[2] if listed.label else origin.host
    if origin.scheme != listed.scheme:
        parts.append("the scheme")
    if listed.subdomains and origin.host == listed.host:
        parts.append("being a subdomain")
    elif not listed.subdomains and host != listed.host:
        parts.append("`www.`")
    if listed.port not in {"*", str(origin.port or "")}:
        parts.append("the port")
    return " and ".join(parts)
