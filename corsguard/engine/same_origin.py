"""Requests from the service's own pages."""

from __future__ import annotations

from collections.abc import Collection

from corsguard.engine.request import CORSRequest
from corsguard.origin import Origin, OriginError, default_port_suffix

__all__ = ["SAME_ORIGIN_SITES", "is_same_origin"]

SAME_ORIGIN_SITES = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of a request from an own page, or from no page (Fetch Metadata, 2.3)."""


def is_same_origin(request: CORSRequest, own_origins: Collection[str]) -> bool:
    """Return True if a request comes from a page of the very origin that it is sent to.

    The browser's own word, `Sec-Fetch-Site`, comes first. Without it, the host and port of `Origin`
    are compared with `Host`, whose scheme a proxy may have changed.
    """
    origin = request.origin
    if request.fetch_site is not None:
        return request.fetch_site in SAME_ORIGIN_SITES
    if origin is None:
        return False
    if origin in own_origins:
        return True
    host = request.host
    scheme, _, authority = origin.partition("://")
    if not host or host.lower().removesuffix(default_port_suffix(scheme)) != authority:
        return False
    return _is_serialised(origin)


def _is_serialised(origin: str) -> bool:
    try:
        return not Origin.parse(origin).opaque
    except OriginError:
        return False
