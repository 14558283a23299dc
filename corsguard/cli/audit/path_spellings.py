"""Other spellings of a URL's path, and a path that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

__all__ = ["MISSING", "build_missing_url", "list_other_spellings"]

MISSING = "corsguard-audit-of-nothing"
_LIKELY_OPEN = ("api", "public", "static")
"""Prefixes that often have a separate, more open policy."""


def list_other_spellings(url: str) -> list[str]:
    """Return URLs with other paths that a server may treat as the same."""
    path = urlsplit(url).path or "/"
    return [
        _replace_path(url, other) for other in dict.fromkeys(_iter_spellings(path)) if other != path
    ]


def build_missing_url(url: str) -> str:
    """Return a URL below url that does not exist."""
    return _replace_path(url, f"{urlsplit(url).path.rstrip('/')}/{MISSING}")


def _iter_spellings(path: str) -> Iterator[str]:
    start, slash, name = path.rpartition("/")
    yield f"/{path}"
    yield f"{start}//{name}"
    yield f"{start}/./{name}"
    for prefix in _LIKELY_OPEN:
        yield f"/{prefix}/..{path}"
        yield f"/{prefix}/%2e%2e{path}"
        yield f"/{prefix}%2f..{path.replace('/', '%2f')}"
    if name:
        yield f"{start}{slash}%{ord(name[0]):02x}{name[1:]}"
        yield f"{path}/"
    if start:
        yield f"/%{ord(path[1]):02x}{path[2:]}"
        yield f"{start}%2f{name}"
    yield path.upper()


def _replace_path(url: str, path: str) -> str:
    parts = urlsplit(url)
    # urlunsplit would take `//` at the start of a path for the start of a host.
    bare = urlunsplit(parts._replace(path="", query="", fragment=""))
    return f"{bare}{path}{f'?{parts.query}' if parts.query else ''}"
