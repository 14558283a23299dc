"""A configuration of a proxy with a fault, and the findings that it should have."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BARE", "DOWN", "GUARDED", "Fault"]

GUARDED = "guarded"
"""The application behind the proxy has corsguard."""
BARE = "bare"
"""The application leaves CORS to the proxy."""
DOWN = "down"
"""Nothing is behind the proxy, which sets the CORS headers."""


class Fault(NamedTuple):
    """A configuration with a fault."""

    body: str
    expected: set[str]
    """The codes of the findings, notes excluded."""
    backend: str = GUARDED
    notes: set[str] | None = None
    """Codes of notes that it has as well; None for any."""
    paths: tuple[str, ...] = ("/api",)
