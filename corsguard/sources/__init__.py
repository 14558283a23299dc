"""Where a guard can read a policy from that changes while the application runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from corsguard.sources.source import (
    ConflictError,
    Document,
    PolicySource,
    PolicyStore,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
)

if TYPE_CHECKING:
    from corsguard.sources.file_source import FileSource
    from corsguard.sources.http_source import HTTPSource
    from corsguard.sources.open import open_source
    from corsguard.sources.postgres_source import PostgresSource
    from corsguard.sources.redis_origins import RedisOrigins
    from corsguard.sources.redis_source import RedisSource
    from corsguard.sources.sql_origins import SQLOrigins
    from corsguard.sources.sql_source import SQLSource

__all__ = [
    "ConflictError",
    "Document",
    "FileSource",
    "HTTPSource",
    "PolicySource",
    "PolicyStore",
    "PostgresSource",
    "RedisOrigins",
    "RedisSource",
    "Revision",
    "SQLOrigins",
    "SQLSource",
    "SourceEmptyError",
    "SourceError",
    "WorkerReport",
    "open_source",
]

_IMPORTED_LATE = {
    "FileSource": ("file_source", "files"),
    "HTTPSource": ("http_source", "http"),
    "PostgresSource": ("postgres_source", "postgres"),
    "RedisOrigins": ("redis_origins", "redis"),
    "RedisSource": ("redis_source", "redis"),
    "SQLOrigins": ("sql_origins", "sql"),
    "SQLSource": ("sql_source", "sql"),
    "open_source": ("open", None),
}
"""Name -> its module, and the extra with the client that the module imports."""
_CLIENTS = frozenset({"httpx", "psycopg", "redis", "sqlalchemy", "watchfiles"})


def __getattr__(name: str) -> Any:
    """Import a source when it is used first, as each needs a client that you may not have."""
    if name not in _IMPORTED_LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _IMPORTED_LATE[name]
    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if extra is None or error.name not in _CLIENTS:
            raise
        raise ImportError(f'{name} needs: pip install "corsguard[{extra}]"') from None
