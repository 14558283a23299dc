"""The site of an origin, and its trustworthiness."""

from __future__ import annotations

from corsguard.origin import Origin, is_ip_address, is_loopback
from corsguard.public_suffix import find_registrable_domain

__all__ = ["is_same_site", "is_trustworthy", "strip_final_dot"]


def is_same_site(one: Origin, other: Origin) -> bool:
    """Return True if two origins belong to one site, scheme included (HTML, "same site")."""
    if one.opaque or other.opaque:
        return False
    return one.scheme == other.scheme and _find_site(one.host) == _find_site(other.host)


def is_trustworthy(origin: Origin) -> bool:
    """Return True if nothing on the network can impersonate origin (Secure Contexts, 3.1)."""
    return origin.scheme in {"https", "wss"} or is_loopback(strip_final_dot(origin.host))


def strip_final_dot(host: str) -> str:
    """Return host without its final dot, which DNS ignores and browsers do not."""
    return host.removesuffix(".")


def _find_site(host: str) -> str:
    if is_ip_address(host):
        return host
    # URL standard, "registrable domain": it ends in a dot where the host does.
    name = strip_final_dot(host)
    return find_registrable_domain(name) + host[len(name) :]
