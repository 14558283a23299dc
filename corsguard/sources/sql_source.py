"""A store in a database of SQLAlchemy: MySQL, MariaDB, SQLite and others, which workers poll.

Two tables, which the first `publish` creates: `corsguard_revisions` has the log of all policies,
and `corsguard_workers` what the workers report. A worker needs SELECT on the first, and should be
allowed to write the second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from threading import Lock
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Engine,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    case,
    create_engine,
    delete,
    false,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from corsguard.sources.remote_store import SHORT_SECONDS, TRANSFER_SECONDS, RemoteStore
from corsguard.sources.revision_log import (
    LogEntry,
    LogState,
    check_next,
    decode_report,
    encode_report,
    list_outdated,
)
from corsguard.sources.source import ConflictError, Revision, SourceError, WorkerReport

__all__ = ["SQLSource"]

Result = TypeVar("Result")

_LONG_TEXT = Text().with_variant(LONGTEXT(), "mysql", "mariadb")  # whose TEXT ends at 64 KiB

_TABLES = MetaData()
_REVISIONS = Table(
    "corsguard_revisions",
    _TABLES,
    Column("policy", String(50), primary_key=True),
    # With the policy, this key lets one of two publishers at once win.
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("is_change", Boolean, nullable=False, server_default=false()),
    Column("text", _LONG_TEXT, nullable=False),
    Column("author", Text),
    Column("message", Text),
    Column("published_at", Double),
    # Of one log, as another may have the same number: random, or nothing in a row by hand.
    Column("identity", String(32)),
)
_WORKERS = Table(
    "corsguard_workers",
    _TABLES,
    Column("policy", String(50), primary_key=True),
    Column("host", String(200), primary_key=True),
    Column("pid", Integer, primary_key=True, autoincrement=False),
    Column("report", _LONG_TEXT, nullable=False),
    Column("seconds", Double, nullable=False),
    # By the clock of the database, as those of the workers may be wrong.
    Column("reported_at", DateTime(timezone=True), nullable=False),
)
_VERSION = _REVISIONS.c.version
_HEADER = [column for column in _REVISIONS.c if column.name != "text"]
_KEEP_REPORTS = timedelta(days=1)
"""How old the report of a worker is before another worker deletes it."""
_TIME_LIMITS = {
    "pysqlite": {"timeout": SHORT_SECONDS},  # of waiting for a lock
    "pymysql": {
        "connect_timeout": SHORT_SECONDS,
        "read_timeout": TRANSFER_SECONDS / 4,
        "write_timeout": TRANSFER_SECONDS,
    },
}
"""Driver -> its options that limit the time of an operation."""

_OF_FILE: dict[str, Any] = {"poolclass": NullPool}  # so that a file that is replaced is opened
_OF_SERVER: dict[str, Any] = {
    "poolclass": QueuePool,
    "pool_pre_ping": True,  # the server may have closed a connection that was idle
    "pool_recycle": 1800,
    "pool_size": 1,
    "pool_timeout": SHORT_SECONDS,
}

_SQLITE_LOCK = Lock()
"""Held while SQLite works. A child could wait for ever for a lock of its C library that another
thread held at the fork, so a fork waits until none does."""
# Windows has no fork, and no such function; `dict` takes the same arguments and does nothing.
getattr(os, "register_at_fork", dict)(
    before=_SQLITE_LOCK.acquire,
    after_in_parent=_SQLITE_LOCK.release,
    after_in_child=_SQLITE_LOCK.release,
)


class SQLSource(RemoteStore[Engine, Any]):
    """A store in a database, by a URL of SQLAlchemy, such as `mysql+pymysql://` or `sqlite:///`.

    `?policy=NAME` names one of several policies. Other options of the URL are those of the driver.
    Time limits are set for SQLite and for pymysql. Give those of other drivers in the URL.
    """

    _form = "DIALECT+DRIVER://USER:PASSWORD@HOST:PORT/DATABASE"

    def __init__(self, url: str) -> None:
        """Parse the URL and import its driver. Raises SourceError if that is impossible."""
        super().__init__(url)
        engine = self._client = self._create_client()
        is_sqlite = engine.dialect.name == "sqlite"
        self._exclusion: AbstractContextManager[object] = (
            _SQLITE_LOCK if is_sqlite else nullcontext()
        )
        # SQLAlchemy wraps most errors of the driver, but not all.
        self._client_errors = (SQLAlchemyError, OSError, engine.dialect.loaded_dbapi.Error)

    def publish(self, revision: Revision) -> None:
        """Write a revision in one transaction, unless another publisher was faster.

        Creates the tables if the database has none.
        """
        with self._translate_errors():
            newest = self._read_state().newest
            check_next(revision, newest)
            if newest is None:
                self._run(_create_tables)
            try:
                self._write(revision)
            except DBAPIError:
                if self._read_state().newest == newest:
                    raise
                # Another one, or this one if only the response of the server was lost.
                if revision not in self._read_revisions(
                    range(revision.version, revision.version + 1)
                ):
                    raise ConflictError(
                        f"revision {revision.version} can't be published: somebody else has "
                        "published at the same time. Compare with the new state, and publish again."
                    ) from None

    def report(self, report: WorkerReport, seconds: float) -> None:
        """Write the state of a worker. Raises SourceError where the worker may not write it."""
        key = {"policy": self._url.policy, "host": report.host, "pid": report.pid}
        values = {"report": encode_report(report), "seconds": seconds, "reported_at": func.now()}

        def write(connection: Connection) -> None:
            known = update(_WORKERS).filter_by(**key).values(values)
            if connection.execute(known).rowcount == 0:
                connection.execute(insert(_WORKERS).values({**key, **values}))
                oldest = connection.execute(select(func.now())).scalar_one() - _KEEP_REPORTS
                connection.execute(delete(_WORKERS).where(_WORKERS.c.reported_at < oldest))

        with self._translate_errors():
            self._run(write)

    def list_reports(self) -> Sequence[WorkerReport]:
        """Return the states of the workers that have reported lately, by the database's clock."""
        reports = select(_WORKERS, func.now().label("now")).filter_by(policy=self._url.policy)
        with self._translate_errors():
            return sorted(
                decode_report(row.report)
                for row in self._read(reports)
                if (row.now - row.reported_at).total_seconds() < row.seconds
            )

    def watch(self, on_change: Callable[[], object]) -> None:
        """Return at once: the guard polls, as a database sends no notifications."""

    def _read_state(self, version: int = 0) -> LogState:
        document = func.max(case((_REVISIONS.c.is_change.is_(False), _VERSION)))
        other = _REVISIONS.alias()
        identity = select(other.c.identity).where(
            other.c.policy == self._url.policy, other.c.version == version
        )
        state = self._select(
            func.max(_VERSION).label("newest"),
            document.label("document"),
            identity.scalar_subquery().label("identity"),
        )
        for row in self._read(state):
            return LogState(row.newest, row.document, row.identity)
        return LogState(None, None)  # no tables

    def _read_revisions(self, numbers: range) -> Sequence[Revision]:
        wanted = self._select(*_HEADER, _REVISIONS.c.text).order_by(_VERSION)
        wanted = wanted.where(_VERSION.between(numbers[0], numbers[-1]))
        return [_build_revision(row, row.text) for row in self._read(wanted, TRANSFER_SECONDS)]

    def _read_log(self) -> Sequence[LogEntry]:
        return _build_log(self._read(self._select(*_HEADER).order_by(_VERSION)))

    def _select(self, *columns: Any) -> Any:
        """Return a query of the revisions of this policy."""
        query: Any = select(*columns)
        return query.where(_REVISIONS.c.policy == self._url.policy)

    def _read(self, query: Select[Any], seconds: float = SHORT_SECONDS) -> Sequence[Row[Any]]:
        """Return the rows of a query, or none if the database has no tables yet."""

        def read(connection: Connection) -> Sequence[Row[Any]]:
            with self._limit(connection, seconds):
                return connection.execute(query).all()

        try:
            return self._run(read)
        except DBAPIError as error:
            if error.statement is None or error.connection_invalidated:
                raise
            # If a publisher has created the tables meanwhile, there is no error now.
            return self._run(read) if self._run(_has_tables) else ()

    def _run(self, use: Callable[[Connection], Result]) -> Result:
        """Call a function with a connection outside of a transaction, and return its result."""
        with self._exclusion, self._get_client().connect() as connection:
            return use(connection)

    def _write(self, revision: Revision) -> None:
        """Insert a revision after all others, and delete those that are outdated."""
        # Of publishers at once with different numbers, none sees the row of the other. This
        # isolation lets only one of them commit.
        engine = self._get_client().execution_options(isolation_level="SERIALIZABLE")
        with (
            self._exclusion,
            engine.connect() as connection,
            self._limit(connection, TRANSFER_SECONDS),
            connection.begin(),
        ):
            # First the insertion, so that SQLite locks the database before it reads.
            row = {
                **revision._asdict(),
                "policy": self._url.policy,
                "identity": uuid4().hex,
            }
            connection.execute(insert(_REVISIONS).values(row))
            log = _build_log(connection.execute(self._select(*_HEADER).order_by(_VERSION)).all())
            others = [entry for entry in log if entry.revision.version != revision.version]
            check_next(revision, others[-1].revision.version if others else None)
            documents = [each.revision.version for each in log if not each.revision.is_change]
            outdated = list_outdated(log, documents[-1], float("inf"))
            if outdated:
                mine = _REVISIONS.c.policy == self._url.policy
                connection.execute(delete(_REVISIONS).where(mine, _VERSION.in_(outdated)))
            self._notify(connection, revision.version)

    def _notify(self, connection: Connection, version: int) -> None:
        """Notify the workers, where the database can."""

    def _limit(
        self,
        connection: Connection,  # noqa: ARG002  # a subclass needs them
        seconds: float,  # noqa: ARG002
    ) -> AbstractContextManager[object]:
        """Return a context in which no response may take longer."""
        return nullcontext()

    def _adapt_url(self, url: URL) -> URL:
        """Return the URL with the driver and the options of this store."""
        return url

    def _create_client(self) -> Engine:
        try:
            url = self._adapt_url(make_url(self._url.for_client))
            dialect = url.get_dialect()
            limits = _TIME_LIMITS.get(dialect.driver, {})
            return create_engine(
                url,
                connect_args={name: limits[name] for name in limits.keys() - url.query.keys()},
                hide_parameters=True,
                # For all but `publish`. To set it for each question costs more than the question.
                isolation_level="AUTOCOMMIT",
                **(_OF_FILE if dialect.name == "sqlite" else _OF_SERVER),
            )
        except ModuleNotFoundError as error:
            raise SourceError(
                f"{self._url.shown} needs the Python package {error.name}, which is not installed."
            ) from None
        except (SQLAlchemyError, ValueError):  # whose message may have a part of a password
            raise SourceError(
                f"{self._url.shown} is not a valid URL. Write {self._form}, "
                "with special characters as %XX."
            ) from None

    def _close_client(self, client: Engine) -> None:
        with self._exclusion:
            client.dispose()

    def _shut_down(self, listener: Any) -> None:
        """Do nothing: there is no listener."""

    def _explain(self, error: Exception) -> object:
        # That of the driver. SQLAlchemy's adds the statement.
        return getattr(error, "orig", None) or error


def _build_revision(row: Row[Any], text: str) -> Revision:
    return Revision(
        row.version,
        text,
        bool(row.is_change),
        row.author or "",
        row.message or "",
        row.published_at or 0.0,
    )


def _build_log(rows: Sequence[Row[Any]]) -> list[LogEntry]:
    return [LogEntry(_build_revision(row, "")) for row in rows]


def _has_tables(connection: Connection) -> bool:
    return all(map(inspect(connection).has_table, _TABLES.tables))


def _create_tables(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # readers don't wait for a writer
    for table in _TABLES.sorted_tables:
        try:
            table.create(connection, checkfirst=True)
        except DBAPIError:
            if not inspect(connection).has_table(table.name):
                raise  # else another publisher has created it at the same time
