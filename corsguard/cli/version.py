"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["read_version"]


def read_version() -> str:
    """Return the version of corsguard; "unknown" for a checkout that is not installed."""
    try:
        return version("corsguard")
    except PackageNotFoundError:
        return "unknown"
