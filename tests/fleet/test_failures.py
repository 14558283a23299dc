"""Workers under continuous requests while their store fails in each way that a store can fail."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any

import pytest
from support.fleet import BACK, build_text, run_fleet
from support.fleet_probe import wait_until
from support.stalling_proxy import StallingProxy
from support.store_servers import PostgresServer, RedisServer, StoreServer

from corsguard.sources import PolicyStore, Revision, SourceError
from corsguard.sources.open import open_source
from corsguard.sources.signature import load_signing_key, sign

pytestmark = pytest.mark.slow

FAR_FUTURE, FAR_PAST = 7_000_000_000.0, 1.0


class Publisher:
    """Who writes numbered policies to a store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = open_source(url)
        assert isinstance(self._store, PolicyStore)
        self.store: PolicyStore = self._store
        self.publish(1)

    def publish(
        self, number: int, text: str | None = None, published_at: float | None = None
    ) -> None:
        """Write a revision, as soon as the store is ready for it."""
        at = time() if published_at is None else published_at
        text = build_text(number) if text is None else text
        revision = Revision(number, text, published_at=at)

        def has_published() -> bool:
            with suppress(SourceError):
                self.store.publish(revision)
                return True
            return False

        wait_until(has_published, BACK, "the store takes a revision")


@pytest.fixture(params=["redis", "postgres"])
def server(request: pytest.FixtureRequest) -> StoreServer:
    """Each of the servers."""
    found: StoreServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def publisher(server: StoreServer) -> Iterator[Publisher]:
    writer = Publisher(server.url)
    yield writer
    writer.store.close()


def test_store_killed_and_started_again(
    server: StoreServer, publisher: Publisher, tmp_path: Path
) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        publisher.publish(2)
        fleet.wait_for(2)
        server.stop()
        fleet.wait_for_error("(?i)connect")
        assert fleet.list_numbers() == {2}
        server.start()
        publisher.publish(3)
        fleet.wait_for(3)
        fleet.wait_for_recovery()


def test_store_hung(server: StoreServer, publisher: Publisher, tmp_path: Path) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        server.hang()
        fleet.wait_for_error("(?i)respond|time")
        assert fleet.list_numbers() == {1}
        server.resume()
        publisher.publish(2)
        fleet.wait_for(2)
        fleet.wait_for_recovery()


def test_store_restarted_empty(server: StoreServer, publisher: Publisher, tmp_path: Path) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        publisher.publish(2)
        fleet.wait_for(2)
        server.restart_empty()
        fleet.wait_for_error("no revision")
        assert fleet.list_numbers() == {2}
        publisher.publish(3)
        fleet.wait_for(3)
        fleet.wait_for_recovery()


def test_store_restarted_empty_same_number_is_seen(
    server: StoreServer, publisher: Publisher, tmp_path: Path
) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        server.restart_empty()
        publisher.publish(1, build_text(2))
        fleet.wait_for(2)


def test_network_dropped(server: StoreServer, publisher: Publisher, tmp_path: Path) -> None:
    if isinstance(server, RedisServer):
        proxy, url = StallingProxy(server.folder / "redis.sock"), "redis://127.0.0.1:{}"
    else:
        proxy = StallingProxy(server.folder / ".s.PGSQL.5432")
        url = "postgresql://postgres@127.0.0.1:{}/corsguard?sslmode=disable"
    with proxy.running(), run_fleet(url.format(proxy.port), tmp_path) as fleet:
        proxy.drop()
        publisher.publish(2)
        fleet.wait_for_error("(?i)respond|time")
        assert fleet.list_numbers() == {1}
        proxy.restore()
        fleet.wait_for(2)
        fleet.wait_for_recovery()


def test_notification_lost_is_found_by_polling(
    server: StoreServer, publisher: Publisher, tmp_path: Path
) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        _write_without_notification(server, build_text(2))
        fleet.wait_for(2)


def _write_without_notification(server: StoreServer, text: str) -> None:
    if isinstance(server, RedisServer):
        with server.connect() as client:
            fields = {"newest": 2, "document": 2, "text:2": text}
            client.hset("corsguard:default", mapping=fields)
    elif isinstance(server, PostgresServer):
        with server.connect() as connection:
            connection.execute(
                "INSERT INTO corsguard_revisions (policy, version, text) VALUES ('default', 2, %s)",
                [text],
            )


def test_bad_document_is_refused_as_a_whole(
    server: StoreServer, publisher: Publisher, tmp_path: Path
) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        publisher.publish(2, build_text(2) + 'max_age = "never"\n')
        fleet.wait_for_error("version 2 is refused")
        publisher.publish(3, build_text(3)[:-4])
        fleet.wait_for_error("version 3 is refused")
        assert fleet.list_numbers() == {1}
        publisher.publish(4)
        fleet.wait_for(4)
        fleet.wait_for_recovery()


def test_unsigned_document_with_key_is_refused(server: StoreServer, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"k" * 40)
    path.chmod(0o600)
    key = load_signing_key(path)
    store = open_source(server.url)
    assert isinstance(store, PolicyStore)
    store.publish(Revision(1, sign(build_text(1), 1, key)))
    with run_fleet(server.url, tmp_path, key=str(path)) as fleet:
        store.publish(Revision(2, build_text(2)))
        fleet.wait_for_error("sign")
        store.publish(Revision(3, sign(build_text(2), 1, key)))
        fleet.wait_for_error("version 3")
        assert fleet.list_numbers() == {1}
        store.publish(Revision(4, sign(build_text(4), 4, key)))
        fleet.wait_for(4)
        fleet.wait_for_recovery()
    store.close()


def test_clock_of_publisher_is_ignored(
    server: StoreServer, publisher: Publisher, tmp_path: Path
) -> None:
    with run_fleet(server.url, tmp_path) as fleet:
        publisher.publish(2, published_at=FAR_FUTURE)
        fleet.wait_for(2)
        publisher.publish(3, published_at=FAR_PAST)
        fleet.wait_for(3)
        publisher.publish(4, published_at=-FAR_FUTURE)
        fleet.wait_for(4)


def _delete(path: Path) -> None:
    path.unlink()


def _make_blank(path: Path) -> None:
    path.write_text("", encoding="utf-8")


def _make_bad(path: Path) -> None:
    path.write_text('allow_origins = ["*"', encoding="utf-8")


@pytest.mark.parametrize(
    ("break_file", "error"),
    [(_delete, "does not exist"), (_make_blank, "blank"), (_make_bad, "refused")],
)
def test_file_broken(break_file: Callable[[Path], None], error: str, tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    _replace(path, 1)
    with run_fleet(str(path), tmp_path) as fleet:
        break_file(path)
        fleet.wait_for_error(error)
        assert fleet.list_numbers() == {1}
        _replace(path, 2)
        fleet.wait_for(2)
        fleet.wait_for_recovery()


def _replace(path: Path, number: int) -> None:
    new = path.with_suffix(".new")
    new.write_text(build_text(number), encoding="utf-8")
    os.replace(new, path)


def test_sqlite_locked_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "policies.db"
    publisher = Publisher(f"sqlite:///{path}")
    with run_fleet(publisher.url, tmp_path) as fleet:
        locking: Any = sqlite3.connect(path, isolation_level=None)
        locking.execute("BEGIN IMMEDIATE")
        fleet.wait_for_recovery()
        locking.execute("ROLLBACK")
        locking.close()
        publisher.publish(2)
        fleet.wait_for(2)
        fleet.wait_for_recovery()
    publisher.store.close()


def test_sqlite_replaced_by_another_database(tmp_path: Path) -> None:
    path = tmp_path / "policies.db"
    publisher = Publisher(f"sqlite:///{path}")
    with run_fleet(publisher.url, tmp_path) as fleet:
        publisher.publish(2)
        fleet.wait_for(2)
        publisher.store.close()
        for each in tmp_path.glob("policies.db*"):
            each.unlink()
        fleet.wait_for_error("no revision")
        other = Publisher(f"sqlite:///{path}")
        other.publish(2)
        other.publish(3)
        fleet.wait_for(3)
        other.store.close()
