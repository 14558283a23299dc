"""The defaults of each peer, as it documents and has them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DJANGO_CORS_HEADERS", "EXPRESS_CORS", "FLASK_CORS", "STARLETTE", "Defaults"]


class Defaults(NamedTuple):
    """What a peer does where an option is not given."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    """`*` where the requested names are sent back."""
    max_age: int | None
    """Seconds. None if the header is not sent, which leaves 5 seconds."""


FLASK_CORS = Defaults(
    ("*",), ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"), ("*",), None
)
DJANGO_CORS_HEADERS = Defaults(
    (),
    ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"),
    ("accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with"),
    86_400,
)
"""Before 4.0, the headers were also accept-encoding, dnt and origin."""
STARLETTE = Defaults(
    (), ("GET",), ("Accept", "Accept-Language", "Content-Language", "Content-Type"), 600
)
EXPRESS_CORS = Defaults(("*",), ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"), ("*",), None)
