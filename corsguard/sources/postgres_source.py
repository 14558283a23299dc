"""A store in PostgreSQL, whose workers are notified of each revision by LISTEN and NOTIFY."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from socket import AF_INET, SHUT_RDWR, SOCK_STREAM, fromfd, socket
from threading import Event, Timer
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.engine import URL

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
                    _LimitedConnection.connect(
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

    def _listen(self, connection: _LimitedConnection, on_change: Callable[[], object]) -> None:
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
        limited = cast("_LimitedConnection", connection.connection.driver_connection)
        return limited.limit(seconds)

    def _adapt_url(self, url: URL) -> URL:
        missing = {name: value for name, value in _LIBPQ_OPTIONS.items() if name not in url.query}
        return url.set(drivername="postgresql+psycopg").update_query_dict(missing)

    def _create_client(self) -> Engine:
        engine = super()._create_client()
        event.listen(engine, "do_connect", _connect)
        return engine

    def _shut_down(self, listener: tuple[_LimitedConnection, socket]) -> None:
        _shut_down(listener[1])


class _LimitedConnection(psycopg.Connection[Any]):
    """A connection on which no response takes long: a server that hangs keeps its sockets open."""

    _seconds: float | None = SHORT_SECONDS

    @contextmanager
    def limit(self, seconds: float | None) -> Iterator[None]:
        """Set another limit for a while; None for no limit."""
        before, self._seconds = self._seconds, seconds
        try:
            yield
        finally:
            self._seconds = before

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Wait for a response, as everything does that psycopg sends. Ends after the limit."""
        if self._seconds is None:
            return super().wait(*args, **kwargs)
        is_over = Event()
        with _duplicate_socket(self) as handle:
            timer = Timer(self._seconds, _shut_down, [handle, is_over])
            timer.daemon = True
            timer.start()
            try:
                return super().wait(*args, **kwargs)
            except psycopg.Error:
                if is_over.is_set():
                    raise psycopg.OperationalError(
                        f"the server does not respond for {self._seconds:g} seconds."
                    ) from None
                raise
            finally:
                timer.cancel()


def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> _LimitedConnection:
    # Without prepared statements, which a PgBouncer that pools transactions may not know.
    return _LimitedConnection.connect(*arguments, **options, prepare_threshold=None)


def _duplicate_socket(connection: _LimitedConnection) -> socket:
    """Return a socket of its own for the same connection, which any thread may shut down."""
    return fromfd(connection.fileno(), AF_INET, SOCK_STREAM)


def _shut_down(handle: socket, is_over: Event | None = None) -> None:
    """End a connection, so that the thread that waits for it gets an error at once."""
    if is_over is not None:
        is_over.set()
    with suppress(OSError):
        handle.shutdown(SHUT_RDWR)
