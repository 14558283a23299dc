"""The threads of a look-up with notifications, with listeners that a test drives."""

from __future__ import annotations

import logging
import threading
from itertools import count
from typing import Any

import pytest
from support.origins_watch import APP, count_threads, is_ready, start, wait_until

from corsguard.sources import SourceError, notified_lookup
from corsguard.sources.notified_lookup import Listen, Listening, NotifiedLookup

NUMBERS = count()


def make(*listeners: Listen, **options: Any) -> NotifiedLookup:
    name = f"Tenants{next(NUMBERS)}"  # as the threads of an earlier test may not have ended
    return NotifiedLookup(name, lambda origin: origin == APP, listeners, options)  # type: ignore[arg-type]


def stay(listening: Listening) -> None:
    """Report that all is well until the look-up is closed."""
    while not listening.is_over(0.01):
        listening.report_alive(1)


def test_error_of_a_listener_is_logged_by_its_type(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Listening) -> None:
        raise ValueError("s3cret")

    lookup = make(fail, ttl=7)
    lookup(APP)
    wait_until(lambda: caplog.messages, "nothing is logged")
    lookup.close()

    assert caplog.messages == [
        f"{lookup.name} is not notified of changes, so its answers count for 7 s: ValueError"
    ]


def test_listener_that_returns_is_started_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notified_lookup, "_FIRST_DELAY", 0.001)
    caplog.set_level(logging.INFO, "corsguard")
    calls: list[int] = []

    def listen(listening: Listening) -> None:
        calls.append(1)
        if len(calls) > 1:
            stay(listening)

    lookup = make(listen)
    start(lookup)
    wait_until(lambda: len(caplog.messages) == 2, "its return is not logged")
    lookup.close()

    assert caplog.messages[0].endswith(": the connection has ended")


def test_old_answers_count_only_if_all_listeners_are_ready() -> None:
    is_second_ready = threading.Event()

    def follow(listening: Listening) -> None:
        while not listening.is_over(0.01):
            if is_second_ready.is_set():
                listening.report_alive(1)

    lookup = make(stay, follow)
    lookup(APP)
    wait_until(lambda: (lookup._listenings or [])[0].is_ready, "the first is not ready")
    assert lookup._state._limits.stale_if_error == 0
    is_second_ready.set()
    wait_until(lambda: is_ready(lookup), "the second is not ready")
    assert lookup._state._limits == lookup.limits
    lookup.close()

    assert lookup._state._limits.stale_if_error == 0


def test_thread_that_can_not_start_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    class OneThread(threading.Thread):
        def start(self) -> None:
            if started:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    lookup = make(stay, stay)
    with monkeypatch.context() as patch:
        patch.setattr(notified_lookup, "Thread", OneThread)
        assert lookup(APP)
    wait_until(lambda: not count_threads(lookup.name), "a thread is left")

    start(lookup)
    assert count_threads(lookup.name) == 2
    lookup.close()


def test_second_request_starts_no_second_thread() -> None:
    lookup = make(stay)

    class Lock:
        """A lock for which the thread has waited that began to listen."""

        def __enter__(self) -> None:
            lookup._listenings = []

        def __exit__(self, *_: object) -> None:
            pass

    lookup._lock = Lock()  # type: ignore[assignment]
    lookup(APP)

    assert not count_threads(lookup.name)


def test_lost_source_names_its_error(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Listening) -> None:
        raise SourceError("redis://x: refused")

    lookup = make(fail)
    lookup(APP)
    wait_until(lambda: caplog.messages, "nothing is logged")
    lookup.close()

    assert caplog.messages[0].endswith(" count for 30 s: redis://x: refused")
