"""From the URL of a source to the source."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from corsguard.sources.file_source import FileSource
from corsguard.sources.redaction import redact
from corsguard.sources.source import SourceError

if TYPE_CHECKING:
    from corsguard.sources.source import PolicySource

__all__ = ["open_source", "redact"]


class _Kind(NamedTuple):
    """A class of sources, which is imported when a URL needs it."""

    module: str
    name: str
    extra: str
    client: str
    """The package that the extra installs."""


_HTTP = _Kind("http_source", "HTTPSource", "http", "httpx")
_POSTGRES = _Kind("postgres_source", "PostgresSource", "postgres", "psycopg")
_REDIS = _Kind("redis_source", "RedisSource", "redis", "redis")
_SQL = _Kind("sql_source", "SQLSource", "sql", "sqlalchemy")
_KINDS = {
    "http": _HTTP,
    "https": _HTTP,
    "mariadb": _SQL,
    "mssql": _SQL,
    "mysql": _SQL,
    "oracle": _SQL,
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "redis": _REDIS,
    "rediss": _REDIS,
    "sqlite": _SQL,
    "unix": _REDIS,
}
"""Scheme -> the class for it. `DIALECT+DRIVER` is a URL of SQLAlchemy."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
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
    kind = _SQL if "+" in scheme else _KINDS.get(scheme)
    if not is_url and (kind is None or not isinstance(url, str)):
        return FileSource(text)
    if kind is None or not is_url:
        known = ", ".join(sorted({"file", *_KINDS}))
        raise SourceError(
            f"{redact(text)} is not the URL of a source: use a path, or SCHEME:// with {known}"
        )
    options = {"is_signed": is_signed} if kind is _HTTP else {}
    return _make(kind, text, options)


def _find_path(url: str) -> str:
    """Return the path of a `file:` URL."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
        raise SourceError(f"{redact(url)} is not the URL of a local file: use file:///PATH")
    return url2pathname(parts.path)


def _make(kind: _Kind, url: str, options: dict[str, Any]) -> PolicySource:
    """Return a source. An error says nothing of the client's own, which may show a password."""
    try:
        source: PolicySource = getattr(
            import_module(f"corsguard.sources.{kind.module}"), kind.name
        )(url, **options)
    except SourceError:
        raise
    except ImportError as error:
        raise SourceError(_describe_missing(kind, error)) from None
    except Exception as error:
        name = type(error).__name__
        raise SourceError(f"{redact(url)} is not a URL for {kind.name} ({name})") from None
    return source


def _describe_missing(kind: _Kind, error: ImportError) -> str:
    missing = (error.name or kind.client).partition(".")[0]
    if missing in (kind.client, "corsguard"):
        return f'{kind.name} needs: pip install "corsguard[{kind.extra}]"'
    return f"{kind.name} needs the package {missing} for this URL"  # a driver of SQLAlchemy
