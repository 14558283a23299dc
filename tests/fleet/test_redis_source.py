"""A store in Redis: the hash, what is noticed of it, and what a server may refuse."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.certificates import write_certificate
from support.store_servers import RedisServer
from support.store_watcher import Watcher

from corsguard.sources import (
    ConflictError,
    Document,
    Revision,
    SourceEmptyError,
    SourceError,
    WorkerReport,
    redis_source,
    revision_log,
)
from corsguard.sources.redis_source import RedisSource

KEY = "corsguard:default"
TEXT = 'allow_origins = ["https://a.example"]\n'
READER = [
    "resetchannels",
    "+@connection",
    "+hmget",
    "+hkeys",
    "+subscribe",
    "+ping",
    "~corsguard:*",
]


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[RedisSource]:
    store = RedisSource(redis_server.url)
    yield store
    store.close()


@pytest.fixture
def publisher(redis_server: RedisServer) -> Iterator[RedisSource]:
    publisher = RedisSource(redis_server.url)
    publisher.publish(Revision(1, TEXT))
    yield publisher
    publisher.close()


OpenAs = Callable[..., RedisSource]


@pytest.fixture
def open_as(redis_server: RedisServer) -> Iterator[OpenAs]:
    """Return a function that opens the store as a new user, who may do what rules of Redis say."""
    with ExitStack() as stack:

        def open_as(user: str, *rules: str) -> RedisSource:
            with redis_server.connect() as client:
                client.execute_command("ACL", "SETUSER", user, "on", ">hush", *rules)
            url = redis_server.url.replace("://", f"://{user}@")
            store = RedisSource(f"{url}?password=hush")
            stack.callback(store.close)
            return store

        yield open_as


def test_hash_written_by_hand_is_noticed_and_loaded(
    store: RedisSource, redis_server: RedisServer
) -> None:
    with redis_server.connect() as client, Watcher(store) as watcher:
        client.hset(KEY, mapping={"newest": 1, "document": 1, "text:1": TEXT})
        watcher.wait_change()
        assert store.load() == Document("1", TEXT)

        client.hset(KEY, mapping={"newest": 2, "text:2": "# 2\n", "text:note": "ignored"})
        watcher.wait_change()
        assert list(store.load_revisions(1)) == [Revision(2, "# 2\n")]
        assert list(store.load_revisions(0)) == [Revision(2, "# 2\n")]
        assert list(store.list_revisions(5)) == [Revision(2, ""), Revision(1, "")]

        client.flushall()
        watcher.wait_change()
        with pytest.raises(SourceEmptyError):
            store.load()


def test_other_keys_are_not_noticed(store: RedisSource, redis_server: RedisServer) -> None:
    other = RedisSource(redis_server.url + "?policy=default2")
    with redis_server.connect() as client, Watcher(store) as watcher:
        other.publish(Revision(1, TEXT))
        store.report(WorkerReport("host", 1, "1", 0.0), 60)
        client.set("other", 1)
        assert client.publish(KEY, "1") == 1  # after all of them
        watcher.wait_change()
        assert watcher.drain() == 0
    other.close()


def test_without_tracking_messages_are_noticed(publisher: RedisSource, open_as: OpenAs) -> None:
    store = open_as("reader", *READER, "-client|tracking", f"&{KEY}")
    with Watcher(store) as watcher:
        publisher.publish(Revision(2, TEXT))
        watcher.wait_change()
        assert store.load().version == "2"


def test_without_the_channel_changes_are_noticed(publisher: RedisSource, open_as: OpenAs) -> None:
    store = open_as("tracker", *READER, "&__redis__:invalidate")
    with Watcher(store) as watcher:
        publisher.publish(Revision(2, TEXT))
        watcher.wait_change()
        assert store.load().version == "2"


def test_server_that_permits_neither_is_an_error(publisher: RedisSource, open_as: OpenAs) -> None:
    store = open_as("poller", *READER)

    with pytest.raises(SourceError, match="channel"):
        store.watch(lambda: pytest.fail("it can't watch"))
    assert store.load() == Document("1", TEXT)


def test_silent_server_that_responds_is_watched_on(
    store: RedisSource, publisher: RedisSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_source, "SHORT_SECONDS", 0.2)
    monkeypatch.setattr(redis_source, "_SILENCE", 0.1)
    with Watcher(store) as watcher:
        watcher.thread.join(1)  # several questions for a sign of life
        assert watcher.error is None
        assert watcher.drain() == 0
        publisher.publish(Revision(2, TEXT))
        watcher.wait_change()


def test_silent_server_that_hangs_is_watched_no_longer(
    store: RedisSource, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_source, "_SILENCE", 0.1)
    with Watcher(store) as watcher:
        redis_server.hang()
        try:
            watcher.wait_end()
        finally:
            redis_server.resume()

    assert "the server does not respond for 2 seconds" in str(watcher.error)


@pytest.mark.parametrize("password", ["wrong-hush", ""])
def test_wrong_password_is_not_shown(
    redis_server: RedisServer, open_as: OpenAs, password: str
) -> None:
    open_as("reader", *READER)
    url = redis_server.url.replace("://", "://reader@") + f"?password={password}"
    store = RedisSource(url)

    for work in (store.load, lambda: store.watch(print)):
        with pytest.raises(SourceError) as raised:
            work()
        assert "hush" not in str(raised.value)
        assert raised.value.__suppress_context__
    assert "hush" not in repr(store)


def test_command_that_is_not_permitted_is_an_error(publisher: RedisSource, open_as: OpenAs) -> None:
    store = open_as("reader", *READER)

    with pytest.raises(SourceError, match="no permissions"):
        store.report(WorkerReport("host", 1, "1", 0.0), 60)
    with pytest.raises(SourceError, match="no permissions"):
        store.publish(Revision(2, TEXT))
    assert store.load() == Document("1", TEXT)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hu/sh@host:1/0",
        "http://host?password=hush",
        "redis://host?no_such_option=hush",
        "redis://host?socket_timeout=hush",
    ],
)
def test_wrong_url_is_an_error_without_the_password(url: str) -> None:
    with pytest.raises(SourceError, match=r"is not a valid URL\. Write redis://") as raised:
        RedisSource(url)

    assert "hush" not in str(raised.value)
    assert "hu/" not in str(raised.value)


def test_publisher_that_is_overtaken_loses(
    publisher: RedisSource, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster = RedisSource(redis_server.url)

    def overtake(*_: object) -> list[int]:
        monkeypatch.undo()
        faster.publish(Revision(2, TEXT, author="faster"))
        return []

    monkeypatch.setattr(redis_source, "list_outdated", overtake)
    with pytest.raises(ConflictError, match="at the same time"):
        publisher.publish(Revision(2, TEXT, author="slower"))

    assert [each.author for each in publisher.list_revisions(5)] == ["faster", ""]
    faster.close()


def test_texts_deleted_from_memory_are_the_oldest(
    publisher: RedisSource, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        redis_source,
        "list_outdated",
        lambda log, current: revision_log.list_outdated(log, current, max_bytes=50),
    )
    publisher.publish(Revision(2, TEXT))
    publisher.publish(Revision(3, TEXT))

    with redis_server.connect() as client:
        assert sorted(client.hkeys(KEY)) == [
            "document",
            "newest",
            "revision:2",
            "revision:3",
            "text:2",
            "text:3",
        ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"newest": "two"}, "must be numbers"),
        ({"newest": 2}, "no revision 2"),
        ({"newest": 9 * 10**17, "document": 1}, "no revision 900000000000000000"),
        ({"newest": 10**30, "document": 1}, "no revision 1000000000000000000000000000000"),
        ({"newest": 2, "text:2": "", "revision:2": "[]"}, "not a JSON object"),
        ({"newest": 2, "text:2": b"\xff"}, "codec can't decode"),
        ({"newest": 3, "text:3": "", "revision:3": '{"version": 3, "is_change": true}'}, "no rev"),
    ],
)
def test_hash_that_is_not_valid_is_an_error(
    publisher: RedisSource, redis_server: RedisServer, fields: dict[str, str], message: str
) -> None:
    with redis_server.connect() as client:
        client.hset(KEY, mapping=fields)

    with pytest.raises(SourceError, match=message):
        publisher.load_revisions(1)


def test_key_of_another_type_is_an_error(store: RedisSource, redis_server: RedisServer) -> None:
    with redis_server.connect() as client:
        client.set(KEY, TEXT)

    with pytest.raises(SourceError, match="WRONGTYPE"):
        store.load()


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_tls_verifies_the_certificate_that_the_url_names(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "127.0.0.1")
    port = find_free_port()
    server = RedisServer(
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(certificate)),
    )
    with ExitStack() as stack:
        stack.callback(server.remove)
        server.start()
        store = RedisSource(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}")
        stack.callback(store.close)
        with Watcher(store) as watcher:
            store.publish(Revision(1, TEXT))
            watcher.wait_change()
            assert store.load() == Document("1", TEXT)

        with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
            RedisSource(f"rediss://127.0.0.1:{port}/0").load()
