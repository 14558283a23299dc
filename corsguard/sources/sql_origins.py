"""SQLOrigins: allowed origins in a table of a database, with one query for each origin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Unpack

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from corsguard.fork_safety import restart_in_child
from corsguard.sources.notified_lookup import INHERITED, LookupOptions, NotifiedLookup
from corsguard.sources.remote_store import SHORT_SECONDS
from corsguard.sources.source import SourceError
from corsguard.sources.store_url import StoreURL

if TYPE_CHECKING:
    from corsguard.sources.notified_lookup import Listening

__all__ = ["SQLOrigins"]

_STEP = 0.5
"""Seconds between looks at whether the look-up is closed."""
_TIME_LIMITS: dict[str, dict[str, Any]] = {
    "psycopg": {
        "connect_timeout": 2,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
    },
    "pymysql": {"connect_timeout": 2, "read_timeout": 2, "write_timeout": 2},
    "pysqlite": {"timeout": SHORT_SECONDS},  # of waiting for a lock
}
"""Driver -> its options that limit the time of an operation."""


class SQLOrigins(NotifiedLookup):
    """An entry of `allow_origins` that allows what a query of a database finds.

    * url_or_engine: a URL of SQLAlchemy, or an Engine of yours, whose timeouts are up to you.
      `postgresql://` means psycopg.
    * query: has the parameter `:origin`. An origin is allowed if the first column of the first row
      is true: neither NULL, nor 0, nor false.
    * version_query: a query whose result changes whenever an answer may, such as `SELECT version
      FROM tenants_version`. It is made every `poll` seconds. Once its first row is another one, all
      answers are dropped.
    * channel: a channel of PostgreSQL to LISTEN on. The payload of a notification is the origin
      whose answer is dropped. Without payload all are. Not through a PgBouncer that pools
      transactions.

    With neither of the last two, it is an OriginLookup without notifications: call `forget` after a
    change. The other options are those of an OriginLookup. One with a URL can be pickled: the
    pickle has the URL, with its password.
    """

    def __init__(
        self,
        url_or_engine: str | Engine,
        query: str = "SELECT 1 FROM tenants WHERE origin = :origin",
        *,
        version_query: str | None = None,
        poll: float = 5.0,
        channel: str | None = None,
        **options: Unpack[LookupOptions],
    ) -> None:
        """Parse the URL and the query, and connect to nothing.

        Raises SourceError for a URL or a `poll` that is not valid, a query without `:origin`, a
        driver that is not installed, and a channel of another driver than psycopg.
        """
        self._arguments = (url_or_engine, query)
        self._options: dict[str, Any] = {
            "version_query": version_query,
            "poll": poll,
            "channel": channel,
            **options,
        }
        self._table = table = _Table(url_or_engine, query, version_query, poll)
        listeners = [table.watch_version] if version_query is not None else []
        if channel is not None:
            listeners.append(table.build_listener(channel))
        super().__init__(f"SQLOrigins({table.shown!r})", table.has, listeners, options)

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._arguments[0], Engine):
            raise TypeError(f"{self.name} has an Engine, so it can't be pickled: give it a URL")
        return partial(type(self), *self._arguments, **self._options), ()

    def _close_connections(self) -> None:
        self._table.close()


class _Table:
    """The queries of a look-up, and the connections of this process to their database."""

    def __init__(
        self, url_or_engine: str | Engine, query: str, version_query: str | None, poll: float
    ) -> None:
        self._is_own = not isinstance(url_or_engine, Engine)
        if isinstance(url_or_engine, Engine):
            self._url = StoreURL(url_or_engine.url.render_as_string(hide_password=False))
            self._engine = url_or_engine
        else:
            self._url = StoreURL(url_or_engine)
            self._engine = self._create_engine()
        self._query = text(query)
        if "origin" not in self._query.compile().params:
            raise SourceError(f"the query has no :origin, so it would allow any: {query}")
        if not 0 < poll < inf:
            raise SourceError(f"poll={poll!r} is not a number of seconds: it must be above 0")
        self._version_query = text(version_query or "")
        self._poll = poll
        restart_in_child(self._restart)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._url.shown

    def _restart(self) -> None:
        """Connect anew in a forked child, and leave alone the connections of the parent."""
        INHERITED.append(self._engine.pool)
        self._engine.dispose(close=False)

    def has(self, origin: str) -> bool:
        """Return True if the first column of the first row for an origin is true."""
        with self._translate_errors(), self._engine.connect() as connection:
            row = connection.execute(self._query, {"origin": origin}).first()
            return row is not None and bool(row[0])

    def close(self) -> None:
        """Close the connections for questions, unless they are those of an Engine of the user."""
        if self._is_own:
            self._engine.dispose()

    def watch_version(self, listening: Listening) -> None:
        """Report each change of the version."""
        version = self._read_version()
        listening.report_alive(self._poll)
        while not listening.is_over(self._poll):
            before, version = version, self._read_version()
            if version != before:
                listening.report_change()
            listening.report_alive(self._poll)

    def build_listener(self, channel: str) -> Any:
        """Return a function that reports each notification of a channel of PostgreSQL."""
        if self._engine.driver != "psycopg":
            raise SourceError(f"{self.shown}: a channel needs postgresql+psycopg://")
        return partial(self._listen, channel)

    def _listen(self, channel: str, listening: Listening) -> None:
        with self._translate_errors():
            pooled = self._engine.raw_connection()
            connection: Any = pooled.driver_connection
            listening.connection = pooled, connection
            pooled.detach()  # a connection that listens must not be used for questions
            try:
                connection.autocommit = True
                quoted = self._engine.dialect.identifier_preparer.quote_identifier(channel)
                connection.execute(f"LISTEN {quoted}")
                asked_at = -inf
                while not listening.is_over():
                    if monotonic() - asked_at >= SHORT_SECONDS:
                        connection.execute("SELECT 1")  # fails if the connection is lost
                        asked_at = monotonic()
                        listening.report_alive(SHORT_SECONDS)
                    for notification in connection.notifies(timeout=_STEP, stop_after=1):
                        listening.report_change(notification.payload)
            finally:
                connection.close()

    def _read_version(self) -> object:
        with self._translate_errors(), self._engine.connect() as connection:
            row = connection.execute(self._version_query).first()
            return None if row is None else tuple(row)

    def _create_engine(self) -> Engine:
        try:
            url = make_url(self._url.for_client.replace("postgres://", "postgresql://", 1))
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            limits = _TIME_LIMITS.get(url.get_driver_name(), {})
            engine = create_engine(
                url,
                connect_args={
                    name: value for name, value in limits.items() if name not in url.query
                },
                hide_parameters=True,
                pool_pre_ping=True,
            )
        except ModuleNotFoundError as error:
            raise SourceError(
                f"{self.shown} needs the Python package {error.name}, which is not installed."
            ) from None
        except (SQLAlchemyError, ValueError):  # whose message may have a part of a password
            raise SourceError(f"{self.shown} is not a valid URL for SQLAlchemy") from None
        if engine.driver == "psycopg":
            event.listen(engine, "do_connect", _connect)
        return engine

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise what the database raises as SourceError, without password and statement."""
        try:
            yield
        except SQLAlchemyError as error:
            raise SourceError(self._url.describe(getattr(error, "orig", None) or error)) from None
        except Exception as error:
            raise SourceError(self._url.describe(error)) from None


def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    from corsguard.sources.limited_connection import LimitedConnection

    # Without prepared statements, which a PgBouncer that pools transactions may not know.
    return LimitedConnection.connect(*arguments, **options, prepare_threshold=None)
