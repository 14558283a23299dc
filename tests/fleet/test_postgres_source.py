"""A store in PostgreSQL: notifications, permissions, and servers that close connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from support.store_servers import PostgresServer
from support.store_watcher import Watcher

from corsguard.sources import (
    ConflictError,
    Document,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
    postgres_source,
    sql_source,
)
from corsguard.sources.postgres_source import PostgresSource

TEXT = 'allow_origins = ["https://a.example"]\n'
INSERT = "INSERT INTO corsguard_revisions (policy, version, text) VALUES ('default', %s, %s)"


@pytest.fixture
def store(postgres_server: PostgresServer) -> Iterator[PostgresSource]:
    store = PostgresSource(postgres_server.url)
    yield store
    store.close()


@pytest.fixture
def publisher(postgres_server: PostgresServer) -> Iterator[PostgresSource]:
    publisher = PostgresSource(postgres_server.url)
    publisher.publish(Revision(1, TEXT))
    yield publisher
    publisher.close()


@pytest.fixture
def reader(postgres_server: PostgresServer, publisher: PostgresSource) -> Iterator[PostgresSource]:
    """Return the store as a user who may only read the revisions."""
    with postgres_server.connect() as connection:
        connection.execute("GRANT SELECT ON corsguard_revisions TO secured")
    reader = PostgresSource(f"{postgres_server.build_url('secured')}&password=hush")
    yield reader
    reader.close()


def terminate_others(server: PostgresServer) -> None:
    with server.connect("postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'corsguard'"
        )


def test_row_without_a_notification_is_loaded(
    publisher: PostgresSource, postgres_server: PostgresServer
) -> None:
    with postgres_server.connect() as connection:
        connection.execute(INSERT, (2, "# 2\n"))

    assert list(publisher.load_revisions(1)) == [Revision(2, "# 2\n")]
    assert publisher.load() == Document("2", "# 2\n")


def test_other_policies_are_not_noticed(
    store: PostgresSource, publisher: PostgresSource, postgres_server: PostgresServer
) -> None:
    other = PostgresSource(f"{postgres_server.url}&policy=default2")
    with Watcher(store) as watcher:
        other.publish(Revision(1, TEXT))
        publisher.publish(Revision(2, TEXT))
        watcher.wait_change()
        assert watcher.drain() == 0
    other.close()


def test_notification_has_the_version(
    publisher: PostgresSource, postgres_server: PostgresServer
) -> None:
    with postgres_server.connect() as connection:
        connection.execute("LISTEN corsguard_default")
        publisher.publish(Revision(2, TEXT))
        (notification,) = connection.notifies(timeout=10, stop_after=1)

    assert notification.payload == "2"


def test_connections_that_the_server_closes_are_replaced(
    publisher: PostgresSource, postgres_server: PostgresServer
) -> None:
    with Watcher(publisher) as watcher:
        terminate_others(postgres_server)
        watcher.wait_end()
        assert isinstance(watcher.error, SourceError)
        assert publisher.load() == Document("1", TEXT)

        terminate_others(postgres_server)
        publisher.publish(Revision(2, TEXT))
        assert publisher.load_revisions(1) == [Revision(2, TEXT)]


def test_silent_server_that_responds_is_watched_on(
    store: PostgresSource, publisher: PostgresSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_source, "SHORT_SECONDS", 0.2)
    with Watcher(store) as watcher:
        watcher.thread.join(1)  # several questions for a sign of life
        assert watcher.error is None
        assert watcher.drain() == 0
        publisher.publish(Revision(2, TEXT))
        watcher.wait_change()


def test_time_limits_leave_no_thread(publisher: PostgresSource) -> None:
    publisher.load()

    timers = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    for timer in timers:
        timer.join(1)
    assert not any(timer.is_alive() for timer in timers)


def test_reader_follows_and_can_neither_report_nor_publish(
    reader: PostgresSource, publisher: PostgresSource
) -> None:
    with Watcher(reader) as watcher:
        publisher.publish(Revision(2, TEXT))
        watcher.wait_change()
        assert reader.load() == Document("2", TEXT)
        with pytest.raises(SourceError, match="permission denied for table corsguard_workers"):
            reader.report(WorkerReport("host", 1, "1", 0.0), 60)
        with pytest.raises(SourceError, match="permission denied for table corsguard_revisions"):
            reader.publish(Revision(3, TEXT))


def test_publisher_who_may_not_create_tables_is_told(postgres_server: PostgresServer) -> None:
    store = PostgresSource(f"{postgres_server.build_url('secured')}&password=hush")

    with pytest.raises(SourceError, match="permission denied for schema public"):
        store.publish(Revision(1, TEXT))
    with pytest.raises(SourceEmptyError):
        store.load()
    store.close()


def test_tables_created_at_the_same_time_are_used(
    store: PostgresSource, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in sql_source._TABLES.sorted_tables:
        create = table.create

        def create_twice(
            connection: Connection, *, checkfirst: bool, create: object = create
        ) -> None:
            assert callable(create)
            create(connection, checkfirst=checkfirst)
            create(connection, checkfirst=False)

        monkeypatch.setattr(table, "create", create_twice)

    store.publish(Revision(1, TEXT))

    assert store.load() == Document("1", TEXT)


def test_tables_created_while_a_worker_loads_are_read(
    store: PostgresSource, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_tables = sql_source._has_tables
    publisher = PostgresSource(postgres_server.url)

    def create_meanwhile(connection: Connection) -> bool:
        monkeypatch.undo()
        publisher.publish(Revision(1, TEXT))
        return has_tables(connection)

    monkeypatch.setattr(sql_source, "_has_tables", create_meanwhile)

    assert store.load() == Document("1", TEXT)
    publisher.close()


def test_publisher_that_is_overtaken_loses(
    store: PostgresSource, publisher: PostgresSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store._write

    def overtaken(revision: Revision) -> None:
        publisher.publish(revision._replace(author="faster"))
        write(revision)

    monkeypatch.setattr(store, "_write", overtaken)
    with pytest.raises(ConflictError, match="at the same time"):
        store.publish(Revision(2, TEXT, author="slower"))

    assert [each.author for each in store.list_revisions(5)] == ["faster", ""]


def test_publisher_whose_response_was_lost_has_published(
    store: PostgresSource, publisher: PostgresSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = store._write

    def lose_response(revision: Revision) -> None:
        write(revision)
        raise OperationalError("COMMIT", {}, ConnectionError("lost"), connection_invalidated=True)

    monkeypatch.setattr(store, "_write", lose_response)
    store.publish(Revision(2, TEXT))

    assert store.load().version == "2"


@pytest.mark.parametrize("password", ["wrong-hush", ""])
def test_wrong_password_is_not_shown(postgres_server: PostgresServer, password: str) -> None:
    store = PostgresSource(f"{postgres_server.build_url('secured')}&password={password}")

    for work in (store.load, lambda: store.watch(print)):
        with pytest.raises(SourceError) as raised:
            work()
        assert "hush" not in str(raised.value)
        assert "password" in str(raised.value)
        assert raised.value.__suppress_context__
    assert "hush" not in repr(store)
    store.close()


def test_password_of_the_url_may_have_any_character(postgres_server: PostgresServer) -> None:
    password = "a@b/c:d?e#f%20'"
    with postgres_server.connect("postgres") as connection:
        literal = password.replace("'", "''")
        connection.execute(f"ALTER ROLE secured PASSWORD '{literal}'")
    url = postgres_server.build_url(f"secured:{quote(password, safe='')}")
    store = PostgresSource(url)

    with pytest.raises(SourceEmptyError):
        store.load()
    store.close()


@pytest.mark.parametrize(
    "url", ["postgresql://u:hu/sh@h:x/db", "postgresql://:hush@h:x/", "nothing"]
)
def test_wrong_url_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(SourceError, match=r"not a valid URL\. Write postgresql://") as raised:
        PostgresSource(url)

    assert "hush" not in str(raised.value)
    assert "sh@" not in str(raised.value)


def test_option_of_the_url_replaces_the_default() -> None:
    store = PostgresSource("postgresql://host/db?connect_timeout=9&sslmode=verify-full")

    query = store._get_client().url.query

    assert query["connect_timeout"] == "9"
    assert query["sslmode"] == "verify-full"
    assert query["tcp_user_timeout"] == "5000"
