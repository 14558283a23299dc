"""What every store with a connection does, in Redis, PostgreSQL and SQLite."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, Event, Thread
from time import monotonic
from typing import Any

import pytest
from support.store_servers import PostgresServer, RedisServer, StoreServer
from support.store_watcher import SECONDS, Watcher

from corsguard.sources import (
    ConflictError,
    Document,
    PolicyStore,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
    remote_store,
    revision_log,
)
from corsguard.sources.postgres_source import PostgresSource
from corsguard.sources.redis_source import RedisSource
from corsguard.sources.remote_store import RemoteStore
from corsguard.sources.sql_source import SQLSource

FIRST = """\
# ours
allow_origins = [{ set = "partners" }]

[origin_sets]
partners = ["https://a.example"]
"""
ADD_B = '[changes.partners]\nadd = ["https://b.example"]\n'
ADD_C = '[changes.partners]\nadd = ["https://c.example"]\n'
SECOND = 'allow_origins = ["https://second.example"]\n'

Store = RemoteStore[Any, Any]
OpenStore = Callable[..., Store]
SOURCES: dict[str, Callable[[str], Store]] = {
    "redis": RedisSource,
    "postgres": PostgresSource,
    "sqlite": SQLSource,
}


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite3"
    server: StoreServer = request.getfixturevalue(f"{kind}_server")
    return server.url


@pytest.fixture
def open_store(kind: str, url: str) -> Iterator[OpenStore]:
    """Return a function that opens the store, each time with connections of its own."""
    with ExitStack() as stack:

        def open_store(policy: str = "default") -> Store:
            separator = "&" if "?" in url else "?"
            store = SOURCES[kind](f"{url}{separator}policy={policy}")
            stack.callback(store.close)
            return store

        yield open_store


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()


@pytest.fixture
def server(kind: str, request: pytest.FixtureRequest) -> RedisServer | PostgresServer:
    server: RedisServer | PostgresServer = request.getfixturevalue(f"{kind}_server")
    return server


every_store = pytest.mark.parametrize("kind", ["redis", "postgres", "sqlite"])
with_server = pytest.mark.parametrize("kind", ["redis", "postgres"])


def publish_all(store: PolicyStore, *texts: str) -> None:
    """Publish texts as the revisions from 1 on. Those of changes begin with their table."""
    for version, text in enumerate(texts, 1):
        store.publish(Revision(version, text, text.startswith("[changes")))


def list_versions(store: PolicyStore) -> list[int]:
    return [revision.version for revision in store.list_revisions(1000)]


@every_store
def test_store_is_a_policy_store(store: Store) -> None:
    assert isinstance(store, PolicyStore)


@every_store
def test_empty_store_is_an_error(store: Store) -> None:
    with pytest.raises(SourceEmptyError, match="no revision yet"):
        store.load()
    with pytest.raises(SourceEmptyError):
        store.load_revisions(7)
    with pytest.raises(SourceError, match="no revision 1"):
        store.load_revision(1)
    assert store.list_revisions(10) == []


@every_store
def test_document_and_changes_are_loaded_as_one_text(store: Store, open_store: OpenStore) -> None:
    publish_all(store, FIRST)
    assert open_store().load() == Document("1", FIRST)

    publish_all_from_2 = [Revision(2, ADD_B, is_change=True), Revision(3, ADD_C, is_change=True)]
    for revision in publish_all_from_2:
        store.publish(revision)

    version, text = open_store().load()
    assert version == "3"
    assert text.startswith("# ours")
    assert all(f"https://{name}.example" in text for name in "abc")


@every_store
def test_worker_gets_the_changes_that_it_lacks(store: Store) -> None:
    publish_all(store, SECOND, FIRST, ADD_B, ADD_C)
    document = Revision(2, FIRST)
    changes = [Revision(3, ADD_B, is_change=True), Revision(4, ADD_C, is_change=True)]

    assert list(store.load_revisions(4)) == []
    assert list(store.load_revisions(3)) == changes[1:]
    assert list(store.load_revisions(2)) == changes
    for unknown in (0, 1, 5):
        assert list(store.load_revisions(unknown)) == [document, *changes]


@every_store
def test_revision_with_a_wrong_number_is_refused(store: Store) -> None:
    with pytest.raises(SourceError, match="store is empty"):
        store.publish(Revision(1, ADD_B, is_change=True))

    store.publish(Revision(5, FIRST))
    for wrong in (1, 4, 5, 7):
        with pytest.raises(ConflictError, match=f"revision {wrong} .* newest revision is 5"):
            store.publish(Revision(wrong, SECOND))

    assert store.load() == Document("5", FIRST)


@every_store
def test_one_of_two_publishers_at_once_wins(open_store: OpenStore) -> None:
    rounds = 15
    publish_all(open_store(), FIRST)
    barrier = Barrier(2, timeout=SECONDS)
    won: list[tuple[str, int]] = []
    errors: list[Exception] = []

    def publish(author: str) -> None:
        store = open_store()
        for version in range(2, rounds + 2):
            barrier.wait()
            try:
                store.publish(Revision(version, SECOND, author=author))
                won.append((author, version))
            except ConflictError:
                pass
            except Exception as error:
                errors.append(error)

    threads = [Thread(target=publish, args=(author,)) for author in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS * 2)

    assert errors == []
    log = open_store().list_revisions(100)
    assert [(each.author, each.version) for each in log[-2::-1]] == sorted(won, key=lambda x: x[1])
    assert [each.version for each in log] == [*range(rounds + 1, 0, -1)]


@every_store
def test_one_of_two_first_publishers_at_once_wins(open_store: OpenStore) -> None:
    barrier = Barrier(2, timeout=SECONDS)
    results: list[object] = []

    def publish(version: int, policy: str) -> None:
        store = open_store(policy)
        barrier.wait()
        try:
            store.publish(Revision(version, FIRST))
            results.append(version)
        except Exception as error:
            results.append(error)

    for policy in "abcdef":
        results.clear()
        threads = [Thread(target=publish, args=(version, policy)) for version in (3, 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)

        (version,) = [each for each in results if isinstance(each, int)]
        (error,) = [each for each in results if not isinstance(each, int)]
        assert isinstance(error, ConflictError)
        assert list_versions(open_store(policy)) == [version]


@every_store
def test_history_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision_log, "MAX_OLDER_REVISIONS", 4)

    publish_all(store, FIRST, SECOND, FIRST, ADD_B, ADD_C, SECOND)
    assert list_versions(store) == [6, 5, 4, 3, 2]

    store.publish(Revision(7, FIRST))  # 3 is the oldest of the 4 before, and a whole document
    assert list_versions(store) == [7, 6, 5, 4, 3]

    store.publish(Revision(8, SECOND))  # without 3, nothing can be done with 4 and 5
    assert list_versions(store) == [8, 7, 6]

    for version in range(9, 15):
        store.publish(Revision(version, ADD_B, is_change=True))
    assert list_versions(store) == [*range(14, 5, -1)]
    with pytest.raises(SourceError, match="no revision 5"):
        store.load_revision(5)


@every_store
def test_log_is_listed_and_an_old_version_loaded(store: Store) -> None:
    published = [
        Revision(1, FIRST, author="ann", message="the first", published_at=1_700_000_000.25),
        Revision(2, ADD_B, is_change=True, author="bob"),
        Revision(3, SECOND, message="ümläut 'quoted' %s"),
    ]
    for revision in published:
        store.publish(revision)

    assert list(store.list_revisions(2)) == [each._replace(text="") for each in published[:0:-1]]
    assert len(store.list_revisions(10)) == 3
    assert list(store.list_revisions(0)) == []
    assert list(store.load_revision(1)) == published[:1]
    assert list(store.load_revision(2)) == published[:2]
    assert list(store.load_revision(3)) == published[2:]
    with pytest.raises(SourceError, match="no revision 4"):
        store.load_revision(4)


@every_store
def test_policies_of_one_store_are_separate(open_store: OpenStore) -> None:
    for policy in ("a", "ab"):
        open_store(policy).publish(Revision(1, f"# {policy}\n"))
        open_store(policy).report(WorkerReport(policy, 1, "1", 0), 60)

    assert open_store("ab").load().text == "# ab\n"
    assert open_store("a").load().text == "# a\n"
    assert [report.host for report in open_store("a").list_reports()] == ["a"]
    with pytest.raises(SourceEmptyError):
        open_store().load()


@every_store
def test_large_document_passes(store: Store) -> None:
    text = "".join(f"# https://tenant-{number}.example\n" for number in range(100_000))

    store.publish(Revision(1, text))

    assert store.load().text == text


@every_store
def test_reports_of_workers_are_listed_and_expire(store: Store) -> None:
    publish_all(store, FIRST)
    reports = [
        WorkerReport("a.example", 11, "3", 1.5, "one line", (("would-refuse", "o", "/", 2),)),
        WorkerReport("a.example", 20, "4", 1.5),
        WorkerReport("b.example", 3, "", 0.0),
    ]
    for report in reversed(reports):
        store.report(report._replace(version="1"), 60)
        store.report(report, 60)
    assert list(store.list_reports()) == reports

    store.report(reports[1], 0.001)
    deadline = monotonic() + SECONDS
    while len(store.list_reports()) == 3:
        assert monotonic() < deadline
    assert list(store.list_reports()) == [reports[0], reports[2]]


@with_server
@pytest.mark.parametrize("is_last_good", [True, False])
def test_same_number_in_a_store_restarted_empty_is_another_revision(
    store: Store, open_store: OpenStore, server: StoreServer, is_last_good: bool
) -> None:
    publish_all(open_store(), FIRST)
    assert bool(store.load_revisions(1 if is_last_good else 0)) is not is_last_good
    assert list(store.load_revisions(1)) == []

    server.restart_empty()
    publish_all(open_store(), SECOND)

    assert list(store.load_revisions(1)) == [Revision(1, SECOND)]
    assert list(store.load_revisions(1)) == []


@every_store
def test_text_deleted_while_it_is_loaded_is_replaced_by_the_new_one(
    store: Store, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revision_log, "MAX_OLDER_REVISIONS", 0)
    publish_all(store, FIRST)
    others = [Revision(2, SECOND)]

    def publish_meanwhile(newest: int, document: int, since: int) -> range:
        if others:
            open_store().publish(others.pop())
        return revision_log.list_lacking(newest, document, since)

    monkeypatch.setattr(remote_store, "list_lacking", publish_meanwhile)

    assert list(store.load_revisions()) == [Revision(2, SECOND)]


@with_server
def test_publishing_notifies_who_watches(store: Store, open_store: OpenStore) -> None:
    publish_all(open_store(), FIRST)

    with Watcher(store) as watcher:
        open_store().publish(Revision(2, SECOND))
        watcher.wait_change()
        assert store.load() == Document("2", SECOND)

    assert watcher.error is None


@every_store
def test_watch_of_a_closed_store_returns(store: Store) -> None:
    store.close()
    store.close()

    store.watch(lambda: pytest.fail("is closed"))


@with_server
def test_store_may_be_closed_when_it_changes(store: Store) -> None:
    store.watch(store.close)  # called at first, and returns


@with_server
def test_store_that_was_killed_is_back_once_it_runs(store: Store, server: StoreServer) -> None:
    publish_all(store, FIRST)
    with Watcher(store) as watcher:
        server.stop()
        watcher.wait_end()
        assert isinstance(watcher.error, SourceError)
        with pytest.raises(SourceError, match="refused"):
            store.load()
        with pytest.raises(SourceError, match="refused"):
            store.watch(lambda: pytest.fail("it does not run"))

        server.start()

        assert store.load() == Document("1", FIRST)
        with Watcher(store) as again:
            pass
        assert again.error is None


@with_server
def test_store_that_hangs_is_noticed_in_seconds(store: Store, server: StoreServer) -> None:
    publish_all(store, FIRST)
    with Watcher(store) as watcher:
        server.hang()
        started = monotonic()
        with pytest.raises(SourceError, match=r"respond|[Tt]imeout"):
            store.load()
        with pytest.raises(SourceError, match=r"respond|[Tt]imeout"):
            store.publish(Revision(2, SECOND))
        assert monotonic() - started < 12
        watcher.wait_end()
        assert monotonic() - started < 12
        assert "respond" in str(watcher.error)

        server.resume()

        assert store.load() == Document("1", FIRST)


@with_server
def test_store_restarted_empty_is_an_error_until_published(
    store: Store, server: StoreServer
) -> None:
    publish_all(store, FIRST)
    with Watcher(store) as watcher:
        server.restart_empty()
        watcher.wait_end()
        assert isinstance(watcher.error, SourceError)
        with pytest.raises(SourceEmptyError):
            store.load_revisions(1)
    store.publish(Revision(1, SECOND))
    assert store.load() == Document("1", SECOND)


def list_connections(server: RedisServer | PostgresServer) -> set[int]:
    """Return what the server calls its connections, but for the one that asks."""
    if isinstance(server, RedisServer):
        with server.connect() as client:
            own = client.client_id()
            return {int(each["id"]) for each in client.client_list()} - {own}
    with server.connect("postgres") as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'corsguard'")
        return {pid for (pid,) in rows}


def run_in_child(work: Callable[[], object]) -> int:
    """Fork, and return the status of a child that does some work and ends as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside other threads
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(SECONDS)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@with_server
def test_forked_child_leaves_alone_the_connections_of_its_parent(
    store: Store, open_store: OpenStore, server: RedisServer | PostgresServer
) -> None:
    publish_all(store, FIRST)
    with Watcher(store) as watcher:
        store.load()
        before = list_connections(server)

        def work() -> None:
            assert store.load() == Document("1", FIRST)
            with Watcher(store) as own:
                assert len(list_connections(server)) > len(before)
                store.publish(Revision(2, SECOND))
                own.wait_change()
            store.close()

        assert run_in_child(work) == 0

        watcher.wait_change()
        assert store.load() == Document("2", SECOND)
        assert before <= list_connections(server)
        assert watcher.error is None


@with_server
def test_child_has_connections_of_its_own(
    store: Store, server: RedisServer | PostgresServer
) -> None:
    publish_all(store, FIRST)
    before = list_connections(server)

    store._restart()  # as in a forked child

    assert store.load() == Document("1", FIRST)
    assert before < list_connections(server)
    store.close()
    store._restart()
    assert before <= list_connections(server)
    store.watch(lambda: pytest.fail("is closed"))


@every_store
def test_closed_store_is_closed_in_a_child_too(store: Store) -> None:
    publish_all(store, FIRST)
    store.close()

    def work() -> None:
        store.watch(lambda: pytest.fail("is closed"))
        assert store.load() == Document("1", FIRST)

    assert run_in_child(work) == 0


@every_store
def test_children_of_a_busy_process_load(store: Store, open_store: OpenStore) -> None:
    publish_all(store, FIRST)
    publisher = open_store()
    ended = Event()
    errors: list[Exception] = []

    def repeat(work: Callable[[int], object]) -> None:
        number = 2
        try:
            while not ended.is_set():
                work(number)
                number += 1
        except Exception as error:
            errors.append(error)

    def load_and_close() -> None:
        store.load()
        store.close()

    works: list[Callable[[int], object]] = [
        lambda _: store.load(),
        lambda number: publisher.publish(Revision(number, FIRST)),
    ]
    threads = [Thread(target=repeat, args=(work,)) for work in works]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads take turns wherever they can
    try:
        for thread in threads:
            thread.start()
        statuses = [run_in_child(load_and_close) for _ in range(15)]
    finally:
        ended.set()
        for thread in threads:
            thread.join(SECONDS)
        sys.setswitchinterval(interval)

    assert set(statuses) == {0}
    assert errors == []
