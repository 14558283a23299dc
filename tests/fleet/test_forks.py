"""Workers that are forked during updates, and workers that start while the store is down."""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest
from support.fleet import build_text
from support.fleet_apps import FleetSettings
from support.fleet_policies import APP, read_number
from support.fleet_probe import FleetResponse, build_request, read_response, wait_until
from support.fleet_workers import GUNICORN, GUNICORN_SYNC, serve, serve_fleet
from support.store_servers import list_children

from corsguard.sources import Document, FileSource, PolicySource, PolicyStore, Revision
from corsguard.sources.last_good import LastGood
from corsguard.sources.open import open_source

pytestmark = pytest.mark.slow

FORKS = 20
OBSERVED = 6.0
"""Seconds in which the tries to connect are counted."""
MOST_TRIES = 2.0
"""Tries that a worker may make in a second."""


@pytest.fixture(params=["redis", "postgres", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return str(tmp_path / "corsguard.toml")
    server_url: str = request.getfixturevalue(f"{request.param}_server").url
    return server_url


def test_twenty_forks_during_updates_all_follow(url: str, tmp_path: Path) -> None:
    """The guard of the parent follows as well, so each fork copies its threads' locks."""
    source = open_source(url)
    publish = choose_writer(source)
    publish(1)
    settings = FleetSettings(url, str(tmp_path / "last_good"), poll=1.0, is_started_early=True)
    ended, numbers = Event(), [1]
    pids: set[int] = set()

    def update() -> None:
        while not ended.wait(0.02):
            publish(numbers[-1] + 1)
            numbers.append(numbers[-1] + 1)

    def has_heard_all() -> bool:
        # One worker may respond twice before another has begun to listen.
        pids.update(int(each.body) for each in request_at_once(server.port, FORKS))
        return len(pids) == FORKS

    with serve(GUNICORN_SYNC, 1, settings, tmp_path / "log") as server:
        request_at_once(server.port, 1)
        updating = Thread(target=update)
        updating.start()
        try:
            for count in range(2, FORKS + 1):
                server.process.send_signal(signal.SIGTTIN)
                has_forked = partial(has_children, server.process.pid, count)
                wait_until(has_forked, 10.0, f"{count} workers")  # each signal counts once
            wait_until(has_heard_all, 20.0, "a response of each worker")
        finally:
            ended.set()
            updating.join()

        def has_newest() -> bool:
            responses = request_at_once(server.port, FORKS)
            return {read_number(each) for each in responses} == {numbers[-1]}

        wait_until(has_newest, 5.0, f"all have {numbers[-1]}")
        assert len(numbers) > FORKS
        assert "Traceback" not in server.read_log()
    source.close()


def has_children(pid: int, count: int) -> bool:
    return len(list_children(pid)) == count


def choose_writer(source: PolicySource) -> Callable[[int], None]:
    """Return a function that publishes a numbered policy."""
    if isinstance(source, PolicyStore):
        store: PolicyStore = source
        return lambda number: store.publish(Revision(number, build_text(number)))
    assert isinstance(source, FileSource)
    file: FileSource = source
    texts: list[str] = []

    def write(number: int) -> None:
        text = build_text(number)
        file.write(text, expected=texts[-1] if texts else None)
        texts.append(text)

    return write


def request_at_once(port: int, count: int) -> list[FleetResponse]:
    """Return a response of each worker: each reads one request at a time, and waits for its end."""
    request = build_request("/", APP)
    sockets = []
    for _ in range(count):
        each = socket.create_connection(("127.0.0.1", port), 30)
        each.sendall(request[:-2])
        sockets.append(each)
    for each in sockets:
        each.sendall(request[-2:])
    responses = [read_response(each) for each in sockets]
    for each in sockets:
        each.close()
    return responses


def test_restart_with_store_down_retries_at_most_twice_a_second(tmp_path: Path) -> None:
    LastGood(tmp_path / "last_good").store(Document("1", build_text(1)))
    with broken_server(tmp_path / "socket") as tries:
        settings = FleetSettings(f"unix://{tmp_path}/socket", str(tmp_path / "last_good"))
        with serve_fleet([GUNICORN], 8, settings, tmp_path / "log") as connections:
            responses = [each.request("/", APP) for each in connections]
            assert {read_number(each) for each in responses} == {1}
            tries.clear()
            Event().wait(OBSERVED)
            counted = Counter(pid for _, pid in tries)
            assert {*counted} == {each.pid for each in connections}
            assert max(counted.values()) <= MOST_TRIES * OBSERVED, counted
            seconds = Counter((pid, int(at)) for at, pid in tries)
            assert max(seconds.values()) <= MOST_TRIES + 1, seconds
            # They don't all try at the same moments.
            moments = Counter(int(at * 10) for at, _ in tries)
            assert max(moments.values()) < len(tries) / 3, moments


@contextmanager
def broken_server(path: Path) -> Iterator[list[tuple[float, int]]]:
    """Accept connections and close them. Yields the time and the process of each."""
    tries: list[tuple[float, int]] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = listening.accept()
                    packed = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
                    tries.append((monotonic(), struct.unpack("3i", packed)[0]))
                    accepted.close()

        accepting = Thread(target=accept)
        accepting.start()
        try:
            yield tries
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            os.unlink(path)
