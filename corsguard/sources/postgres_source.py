"""A store in PostgreSQL, whose workers are notified of each revision by LISTEN and NOTIFY."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from socket import AF_INET, SHUT_RDWR, SOCK_STREAM, fromfd, socket
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.engine import URL

from corsguard.sources.limited_connection import LimitedConnection
from corsguard.sources.remote_store import SHORT_SECONDS
from corsguard.sources.sql_source import SQLSource

__all__ = ["PostgresSource"]

_LIBPQ_OPTIONS = {
    "application_name": "corsguard",
    "connect_timeout": "2",
    "keepalives": "1",
    "keepalives_count": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "tcp_user_timeout": "5000",
}
"""Options with which libpq notices within seconds that a host is dead."""


class PostgresSource(SQLSource):
    """A store in PostgreSQL, by a URL of libpq: `postgresql://USER:PASSWORD@HOST/DATABASE`.

    `?policy=NAME` names one of several policies. Other options of the URL are those of libpq, such
    as `sslmode`, `sslrootcert` or `connect_timeout`.

    A process has two connections: one that listens, and one that asks. LISTEN does not pass a
    PgBouncer that pools transactions. Behind one, the guard sees a revision when it polls.
    """

    _form = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

    def watch(self, on_change: Callable[[], object]) -> None:
        """Call on_change at first, and for each notification, until `close`.

        Raises SourceError if the server closes the connection, or does not respond for seconds.
        """
        with self._translate_errors():
            engine = self._get_client()
            arguments, options = engine.dialect.create_connect_args(engine.url)
            try:
                with (
                    LimitedConnection.connect(
                        *arguments, **options, autocommit=True, prepare_threshold=None
                    ) as connection,
                    _duplicate_socket(connection) as handle,
                ):
                    self._set_listener((connection, handle))
                    if not self._closed.is_set():
                        connection.execute(
                            sql.SQL("LISTEN {}").format(sql.Identifier(self._channel))
                        )
                        on_change()  # it may have changed before
                        self._listen(connection, on_change)
            except psycopg.Error:
                if not self._closed.is_set():
                    raise

    @property
    def _channel(self) -> str:
        return f"corsguard_{self._url.policy}"

    def _listen(self, connection: LimitedConnection, on_change: Callable[[], object]) -> None:
        """Wait for notifications, and ask for a sign of life whenever there was none."""
        while not self._closed.is_set():
            with connection.limit(None):
                is_notified = any([*connection.notifies(timeout=SHORT_SECONDS, stop_after=1)])
            if is_notified:
                on_change()
            else:
                connection.execute("SELECT 1")

    def _notify(self, connection: Connection, version: int) -> None:
        connection.execute(select(func.pg_notify(self._channel, str(version))))

    def _limit(self, connection: Connection, seconds: float) -> AbstractContextManager[object]:
        limited = cast("LimitedConnection", connection.connection.driver_connection)
        return limited.limit(seconds)

    def _adapt_url(self, url: URL) -> URL:
        missing = {name: value for name, value in _LIBPQ_OPTIONS.items() if name not in url.query}
        return url.set(drivername="postgresql+psycopg").update_query_dict(missing)

    def _create_client(self) -> Engine:
        engine = super()._create_client()
        event.listen(engine, "do_connect", _connect)
        return engine

    def _shut_down(self, listener: tuple[LimitedConnection, socket]) -> None:
        with suppress(OSError):
            listener[1].shutdown(SHUT_RDWR)


def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> LimitedConnection:
    # Without prepared statements, which a PgBouncer that pools transactions may not know.
    return LimitedConnection.connect(*arguments, **options, prepare_threshold=None)


def _duplicate_socket(connection: LimitedConnection) -> socket:
    """Return a socket of its own for the same connection, which any thread may shut down."""
    return fromfd(connection.fileno(), AF_INET, SOCK_STREAM)
