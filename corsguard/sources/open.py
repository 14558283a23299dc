"""From the URL of a source to the source."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from corsguard.sources.file_source import FileSource
from corsguard.sources.redaction import redact
from corsguard.sources.source import SourceError

if TYPE_CHECKING:
    from corsguard.sources.source import PolicySource

__all__ = ["open_source", "redact"]


_CLASSES = {
    "http": "HTTPSource",
    "https": "HTTPSource",
    "mariadb": "SQLSource",
    "mssql": "SQLSource",
    "mysql": "SQLSource",
    "oracle": "SQLSource",
    "postgres": "PostgresSource",
    "postgresql": "PostgresSource",
    "redis": "RedisSource",
    "rediss": "RedisSource",
    "sqlite": "SQLSource",
    "unix": "RedisSource",
}
"""Scheme -> the class for it. `DIALECT+DRIVER` is a scheme of SQLAlchemy."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+._-]+):")
"""The scheme of a URL. A single letter is the drive of a path of Windows."""


def open_source(url: str | os.PathLike[str], *, is_signed: bool = False) -> PolicySource:
    """Return the source that a URL or the path of a file names. Nothing is connected or read.

    `is_signed` says that the reader verifies the documents with a key, and allows plain http.
    Raises SourceError for a URL that names no source, and where its client is not installed.
    """
    text = os.fspath(url)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    is_url = text[len(scheme) :].startswith("://")
    if scheme == "file" and is_url:
        return FileSource(_find_path(text))
    name = "SQLSource" if "+" in scheme else _CLASSES.get(scheme)
    if not is_url and (name is None or not isinstance(url, str)):
        return FileSource(text)
    if name is None or not is_url:
        known = ", ".join(sorted({"file", *_CLASSES}))
        raise SourceError(
            f"{redact(text)} is not the URL of a source: use a path, or SCHEME:// with {known}"
        )
    return _make(name, text, {"is_signed": is_signed} if name == "HTTPSource" else {})


def _find_path(url: str) -> str:
    """Return the path of a `file:` URL."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
        raise SourceError(f"{redact(url)} is not the URL of a local file: use file:///PATH")
    return url2pathname(parts.path)


def _make(name: str, url: str, options: dict[str, Any]) -> PolicySource:
    """Return a source. An error has none of the client's own words, which may show a password."""
    try:
        source: PolicySource = getattr(import_module("corsguard.sources"), name)(url, **options)
    except SourceError:
        raise
    except ImportError as error:  # it says what to install
        raise SourceError(str(error)) from None
    except Exception as error:
        kind = type(error).__name__
        raise SourceError(f"{redact(url)} is not a URL for {name} ({kind})") from None
    return source
