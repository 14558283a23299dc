"""CORSRequest: the request that a decision was made on."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CORSRequest"]


class CORSRequest(NamedTuple):
    """What a decision was made of. Whatever comes from the request is as it was sent: unescaped."""

    path: str
    origin: str | None
    method: str
    requested_method: str | None
    """The value of `Access-Control-Request-Method`."""
    requested_headers: str | None
    """The value of `Access-Control-Request-Headers`."""
    credentials: bool | None
    """Whether the request carries a cookie; None where that is not known."""
    route: str | None
    """The route prefix that covers the path, or the view whose own policy holds; None for none."""
