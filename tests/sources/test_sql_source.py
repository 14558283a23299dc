"""A store in a database of SQLAlchemy: SQLite, and what is particular to other drivers.

tests/fleet/test_remote_store.py has what all stores do.
"""

from __future__ import annotations

import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from corsguard.sources import Document, Revision, SourceEmptyError, SourceError, WorkerReport
from corsguard.sources.sql_source import _REVISIONS, _WORKERS, SQLSource

TEXT = 'allow_origins = ["https://a.example"]\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(file: Path) -> Iterator[SQLSource]:
    store = SQLSource(f"sqlite:///{file}")
    yield store
    store.close()


def test_row_inserted_by_hand_is_loaded(store: SQLSource, file: Path) -> None:
    store.publish(Revision(1, TEXT))
    with sqlite3.connect(file) as database:
        database.execute(
            "INSERT INTO corsguard_revisions (policy, version, text) VALUES ('default', 2, '# 2')"
        )
    database.close()

    assert store.load() == Document("2", "# 2")
    assert list(store.list_revisions(1)) == [Revision(2, "")]


def test_document_that_was_deleted_is_an_error(store: SQLSource, file: Path) -> None:
    store.publish(Revision(1, TEXT))
    store.publish(Revision(2, "", is_change=True))
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM corsguard_revisions WHERE version = 1")
    database.close()

    with pytest.raises(SourceEmptyError):
        store.load_revisions(1)
    with pytest.raises(SourceError, match="no revision 1"):
        store.load_revision(2)


def test_watch_returns_at_once(store: SQLSource) -> None:
    store.watch(lambda: pytest.fail("it sends no notifications"))


def test_reports_of_workers_that_have_ended_are_deleted(store: SQLSource, file: Path) -> None:
    store.publish(Revision(1, TEXT))
    store.report(WorkerReport("old", 1, "1", 0.0), 60)
    with sqlite3.connect(file) as database:
        database.execute("UPDATE corsguard_workers SET reported_at = '2001-01-01 00:00:00'")
    database.close()
    assert store.list_reports() == []

    store.report(WorkerReport("new", 1, "1", 0.0), 60)

    with sqlite3.connect(file) as database:
        assert database.execute("SELECT host FROM corsguard_workers").fetchall() == [("new",)]
    database.close()


def test_report_to_a_store_without_tables_is_an_error(store: SQLSource) -> None:
    with pytest.raises(SourceError, match="no such table: corsguard_workers"):
        store.report(WorkerReport("host", 1, "1", 0.0), 60)
    assert store.list_reports() == []


def test_table_with_other_columns_is_an_error(store: SQLSource, file: Path) -> None:
    store.publish(Revision(1, TEXT))
    with sqlite3.connect(file) as database:
        database.execute("ALTER TABLE corsguard_revisions RENAME COLUMN version TO number")
    database.close()

    with pytest.raises(
        SourceError, match=r"no such column: corsguard_revisions\.version"
    ) as raised:
        store.load()
    assert "SELECT" not in str(raised.value)


def test_locked_database_is_an_error_in_seconds(store: SQLSource, file: Path) -> None:
    store.publish(Revision(1, TEXT))
    database = sqlite3.connect(file)
    database.execute("BEGIN IMMEDIATE")
    started = monotonic()

    with pytest.raises(SourceError, match="database is locked"):
        store.publish(Revision(2, TEXT))

    assert monotonic() - started < 8
    assert store.load() == Document("1", TEXT)  # readers don't wait
    database.close()


def test_file_that_is_replaced_is_opened(store: SQLSource, file: Path) -> None:
    store.publish(Revision(1, TEXT))
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()

    with pytest.raises(SourceEmptyError):
        store.load()


def test_file_in_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    store = SQLSource(f"sqlite:///{tmp_path}/missing/store.sqlite3")

    with pytest.raises(SourceError, match="unable to open database file"):
        store.load()


@pytest.mark.parametrize(
    "url", ["nothing", "no_such_dialect://u:hush@h/", "mysql+pymysql://u:hush@h:x/"]
)
def test_wrong_url_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(SourceError, match=r"is not a valid URL\. Write DIALECT\+DRIVER") as raised:
        SQLSource(url)

    assert "hush" not in str(raised.value)


def test_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)

    with pytest.raises(SourceError, match="needs the Python package pymysql"):
        SQLSource("mysql+pymysql://u:hush@h/db")


def test_mysql_that_does_not_respond_is_an_error_in_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        store = SQLSource(f"mysql+pymysql://user:hush@127.0.0.1:{port}/db?connect_timeout=1")
        started = monotonic()

        with pytest.raises(SourceError, match="timed out") as raised:
            store.load()

        assert monotonic() - started < 15
        assert "hush" not in str(raised.value)


def test_tables_of_mysql_have_long_texts() -> None:
    created = [
        str(CreateTable(table).compile(dialect=mysql.dialect())) for table in (_REVISIONS, _WORKERS)
    ]

    assert "text LONGTEXT NOT NULL" in created[0]
    assert "report LONGTEXT NOT NULL" in created[1]
