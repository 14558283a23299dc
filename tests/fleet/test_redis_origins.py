"""RedisOrigins against a redis-server: changes, losses of the connection, forks, close."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.origins_watch import (
    APP,
    OTHER,
    PATIENCE,
    count_threads,
    is_ready,
    learn,
    start,
    wait_until,
)
from support.store_servers import RedisServer

from corsguard import Guard, Policy, PolicyError
from corsguard.sources import RedisOrigins, SourceError, notified_lookup, redis_origins

KEY = "corsguard-origins"


@pytest.fixture
def make(redis_server: RedisServer) -> Iterator[Callable[..., RedisOrigins]]:
    """Return a function that makes a look-up, which the test need not close."""
    made: list[RedisOrigins] = []

    def build(url: str = redis_server.url, **options: Any) -> RedisOrigins:
        made.append(RedisOrigins(url, **options))
        return made[-1]

    yield build
    for lookup in made:
        lookup.close()


def add(server: RedisServer, *origins: str) -> None:
    with server.connect() as client:
        client.sadd(KEY, *origins)


def remove(server: RedisServer, *origins: str) -> None:
    with server.connect() as client:
        client.srem(KEY, *origins)


def test_members_are_allowed(redis_server: RedisServer, make: Callable[..., RedisOrigins]) -> None:
    add(redis_server, APP)
    guard = Guard(Policy(allow_origins=[make()]))

    assert guard.decide("/", APP, "GET", {}).allowed
    assert not guard.decide("/", OTHER, "GET", {}).allowed
    assert asyncio.run(guard.decide_async("/", APP, "GET", {})).allowed


def test_answers_are_remembered(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    lookup = make()
    start(lookup)
    learn(lookup)
    before = lookup.stats

    assert all(lookup(APP) for _ in range(10))
    assert lookup.stats.questions == before.questions


def test_revoked_origin_is_refused_at_once(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    guard = Guard(Policy(allow_origins=[lookup := make(ttl=600)]))
    start(lookup)
    times = []
    for _ in range(5):
        learn(lookup)
        assert guard.decide("/", APP, "GET", {}).allowed  # and this in the cache of decisions
        remove(redis_server, APP)
        begin = time.monotonic()
        wait_until(lambda: not guard.decide("/", APP, "GET", {}).allowed, "it is still allowed")
        times.append(time.monotonic() - begin)
        add(redis_server, APP)
        wait_until(lambda: guard.decide("/", APP, "GET", {}).allowed, "it is still refused")

    assert sorted(times)[2] < 0.1


@pytest.mark.parametrize("command", ["FLUSHALL", f"DEL {KEY}", f"RENAME {KEY} x"])
def test_removed_set_allows_nothing(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], command: str
) -> None:
    add(redis_server, APP)
    lookup = make(ttl=600)
    start(lookup)
    assert learn(lookup)

    with redis_server.connect() as client:
        client.execute_command(*command.split())

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_other_keys_drop_no_answer(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = make(ttl=600)
    start(lookup)
    calls: list[int] = []
    monkeypatch.setattr(lookup, "clear", lambda: calls.append(1))

    with redis_server.connect() as client:
        client.set(f"{KEY}:other", "x")
        client.set("other", "x")
    add(redis_server, APP)
    wait_until(lambda: calls, "the change is not seen")

    assert len(calls) == 1


def test_lost_connection_drops_answers_and_is_logged(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "corsguard")
    add(redis_server, APP)
    lookup = make(ttl=600, stale_if_error=600, retry_after=0.01)
    start(lookup)
    assert learn(lookup)
    assert caplog.messages == []

    redis_server.stop()
    wait_until(lambda: not is_ready(lookup), "the loss is not noticed")
    assert not lookup(APP)
    redis_server.start()
    wait_until(lambda: is_ready(lookup), "it is not notified again")
    wait_until(lambda: lookup(APP), "it is still refused")

    lost, back = caplog.messages
    assert lost.startswith(
        f"{lookup!r} is not notified of changes, so its answers count for 600 s: unix://"
    )
    assert back == f"{lookup!r} is notified of changes again"


def test_change_while_disconnected_is_not_missed(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    lookup = make(ttl=600)
    start(lookup)
    assert learn(lookup)

    with redis_server.connect() as client:  # before the look-up can notice the loss
        client.pipeline().execute_command("CLIENT", "KILL", "TYPE", "pubsub").srem(
            KEY, APP
        ).execute()

    wait_until(lambda: not lookup(APP), "it is still allowed")


def test_server_that_hangs_is_noticed(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    lookup = make(ttl=600, retry_after=0.01)
    start(lookup)
    assert learn(lookup)

    redis_server.hang()
    wait_until(lambda: not is_ready(lookup), "that it hangs is not noticed")
    assert not lookup(APP)
    redis_server.resume()

    wait_until(lambda: is_ready(lookup) and lookup(APP), "it is still refused")


def test_silent_server_is_asked_for_a_sign_of_life(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_origins, "_STEP", 0.02)
    monkeypatch.setattr(redis_origins, "SHORT_SECONDS", 0.2)
    lookup = make()
    start(lookup)
    listening = (lookup._listenings or [])[0]
    before = listening._alive_until

    wait_until(lambda: listening._alive_until > before + 0.5, "it does not ask")

    assert is_ready(lookup)


def test_old_answer_ends_with_its_ttl_while_disconnected(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    with redis_server.connect() as client:
        client.acl_setuser(
            "worker", enabled=True, nopass=True, keys=["*"], commands=["+sismember", "+ping"]
        )
    now = 1000.0
    url = redis_server.url.replace("unix://", "unix://worker:x@")
    lookup = make(url, ttl=60, retry_after=0, clock=lambda: now)
    assert learn(lookup)  # it is not permitted to be notified

    redis_server.stop()
    now += 59
    assert lookup(APP)
    now += 1.5

    assert not lookup(APP)


def test_old_answer_counts_while_connected(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    now = 1000.0
    lookup = make(ttl=60, clock=lambda: now)
    start(lookup)
    assert learn(lookup)

    now += 61
    remembered = lookup.stats.stale
    assert lookup(APP)

    assert lookup.stats.stale == remembered + 1


def test_missing_permission_is_logged_once(
    redis_server: RedisServer,
    make: Callable[..., RedisOrigins],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notified_lookup, "_FIRST_DELAY", 0.001)
    with redis_server.connect() as client:
        client.acl_setuser(
            "worker",
            enabled=True,
            passwords=["+s3cret"],
            keys=["*"],
            commands=["+sismember", "+ping"],
        )
    lookup = make(redis_server.url.replace("unix://", "unix://worker:s3cret@"))
    lookup(APP)
    wait_until(lambda: caplog.messages, "nothing is logged")
    listening = (lookup._listenings or [])[0]
    wait_until(lambda: listening._delay > 0.01, "it does not try again")

    assert len(caplog.messages) == 1
    assert "(CLIENT TRACKING needs Redis 6 and the permission)" in caplog.text
    assert "s3cret" not in caplog.text + repr(lookup)


def test_wrong_password_is_in_no_message(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], caplog: pytest.LogCaptureFixture
) -> None:
    guard = Guard(
        Policy(allow_origins=[make(redis_server.url.replace("unix://", "unix://ada:s3cret@"))])
    )

    assert not guard.decide("/", APP, "GET", {}).allowed
    wait_until(lambda: "not notified" in caplog.text, "nothing is logged")
    assert "s3cret" not in caplog.text


def test_malformed_url_is_an_error() -> None:
    with pytest.raises(SourceError, match="is not a valid URL for redis-py") as caught:
        RedisOrigins("http://ada:s3cret@x")

    assert "s3cret" not in str(caught.value)


def test_wrong_options_are_problems() -> None:
    with pytest.raises(PolicyError, match="ttl"):
        RedisOrigins("redis://x", ttl=-1)


def test_repr_and_pickle(redis_server: RedisServer, make: Callable[..., RedisOrigins]) -> None:
    add(redis_server, APP)
    lookup = RedisOrigins("redis://ada:s3cret@h:1/0", "tenants", ttl=7)

    copy = pickle.loads(pickle.dumps(lookup))
    same = pickle.loads(pickle.dumps(make()))

    assert repr(copy) == repr(lookup) == "RedisOrigins('redis://***@h:1/0', 'tenants')"
    assert copy.limits == lookup.limits
    assert same(APP)
    same.close()


def test_closed_lookup_still_answers(
    redis_server: RedisServer, make: Callable[..., RedisOrigins]
) -> None:
    add(redis_server, APP)
    lookup = make()
    start(lookup)
    assert learn(lookup)

    lookup.close()
    lookup.close()

    assert lookup.stats.allowed == 0
    assert lookup(APP)
    wait_until(lambda: not count_threads(lookup.name), "its thread has not ended")
    lookup._restart()  # as in a forked child
    lookup._members._restart()
    assert lookup(APP)
    assert not count_threads(lookup.name)
    lookup.close()


def test_thread_ends_with_its_lookup(redis_server: RedisServer) -> None:
    lookup = RedisOrigins(redis_server.url, "collected")
    start(lookup)
    name = lookup.name

    del lookup
    gc.collect()

    wait_until(lambda: not count_threads(name), "its thread has not ended")


def test_thread_that_can_not_start_is_tried_again(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    add(redis_server, APP)
    lookup = make()
    with monkeypatch.context() as patch:
        patch.setattr(notified_lookup, "Thread", fail)
        assert lookup(APP)
    start(lookup)


@pytest.mark.parametrize("is_closed", [False, True])
def test_forked_child_has_connections_of_its_own(
    redis_server: RedisServer, make: Callable[..., RedisOrigins], is_closed: bool
) -> None:
    add(redis_server, APP)
    lookup = make(ttl=600)
    start(lookup)
    assert learn(lookup)
    if is_closed:
        lookup.close()
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE)
        try:
            assert lookup.stats.allowed == 0
            assert learn(lookup)
            if not is_closed:
                wait_until(lambda: is_ready(lookup), "it is not notified of changes")
                learn(lookup)
                remove(redis_server, APP)
                wait_until(lambda: not lookup(APP), "it is still allowed")
            gc.collect()
        except BaseException:
            os._exit(1)
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    if not is_closed:
        assert is_ready(lookup)  # the connection of the parent has not ended
        wait_until(lambda: not lookup(APP), "it is still allowed")
