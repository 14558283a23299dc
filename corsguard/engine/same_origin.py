"""Whether a request comes from the service's own pages."""

from __future__ import annotations

from collections.abc import Callable, Collection

from corsguard.origin import Origin, OriginError, default_port_suffix

__all__ = ["SAME_ORIGIN_SITES", "is_same_origin"]

SAME_ORIGIN_SITES = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for a request of an own page, or of none (Fetch Metadata, 2.3)."""


def is_same_origin(
    origin: str | None, read: Callable[[str], str | None], own_origins: Collection[str]
) -> bool:
    """Whether a request comes from a page of the very origin that it is sent to.

    The browser's own word comes first (Fetch Metadata, `Sec-Fetch-Site`); without it, the host
    and port of Origin are compared with `Host`, whose scheme a proxy may have changed.
    """
    site = read("sec-fetch-site")
    if site is not None:
        return site in SAME_ORIGIN_SITES
    if origin is None or origin in own_origins:
        return origin is not None
    host = read("host")
    scheme, _, authority = origin.partition("://")
    if not host or host.lower().removesuffix(default_port_suffix(scheme)) != authority:
        return False
    return _is_serialised(origin)


def _is_serialised(origin: str) -> bool:
    try:
        return not Origin.parse(origin).opaque
    except OriginError:
        return False
