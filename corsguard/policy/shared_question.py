"""A question that many requests wait for, from threads and from event loops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any

from corsguard.policy.answers import Key
from corsguard.policy.predicates import find_running_trio, wait_for

__all__ = ["Question", "start_task", "wait_async"]

_tasks: set[Any] = set()
"""The tasks of asyncio that ask: an event loop holds no strong reference to its tasks."""


class Question:
    """One call of a predicate, made for the first of the requests that wait for its outcome."""

    __slots__ = (
        "_lock",
        "_waiters",
        "asked_at",
        "deadline",
        "is_forgotten",
        "is_overdue",
        "key",
        "outcome",
    )

    def __init__(self, key: Key, asked_at: float, deadline: float) -> None:
        self.key: Key = key
        self.asked_at: float = asked_at
        self.deadline: float = deadline
        """The time from which no request waits for it any more."""
        self.outcome: bool | Exception | None = None
        """The answer, or the failure. None until it is known."""
        self.is_forgotten: bool = False
        """True if its answer must not be remembered."""
        self.is_overdue: bool = False
        """True once its deadline has passed without an outcome."""
        self._waiters: list[Callable[[], object]] = []
        self._lock = Lock()

    def add_waiter(self, wake: Callable[[], object]) -> bool:
        """Have `wake` called at the outcome, from any thread. Return False if that is known."""
        with self._lock:
            if self.outcome is not None:
                return False
            self._waiters.append(wake)
            return True

    def finish(self, outcome: bool | Exception) -> list[Callable[[], object]]:
        """Set the outcome, and return the waiters to wake."""
        with self._lock:
            self.outcome = outcome
            waiters, self._waiters = self._waiters, []
            return waiters


async def wait_async(question: Question, seconds: float) -> None:
    """Wait for the outcome of a question, on asyncio or on trio.

    Raises TimeoutError after so many seconds. If the request is cancelled, the question goes on.
    """
    wake, waiting = _build_trio_waiter() or _build_asyncio_waiter()

    def wake_safely() -> None:
        with suppress(RuntimeError):  # the event loop has ended
            wake()

    if question.add_waiter(wake_safely):
        await wait_for(waiting(), seconds)


def _build_trio_waiter() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]] | None:
    trio = find_running_trio()
    if trio is None:
        return None
    done = trio.Event()
    return partial(trio.lowlevel.current_trio_token().run_sync_soon, done.set), done.wait


def _build_asyncio_waiter() -> tuple[Callable[[], object], Callable[[], Awaitable[object]]]:
    from asyncio import Event, get_running_loop

    done = Event()
    return partial(get_running_loop().call_soon_threadsafe, done.set), done.wait


def start_task(
    ask: Callable[[], Awaitable[object]], seconds: float, finish: Callable[[object], None]
) -> None:
    """Await what `ask` returns in a task of its own, for at most so many seconds.

    `finish` gets the result, or the exception, also where the event loop ends first.
    """
    interrupted = InterruptedError("the event loop has ended")

    async def run() -> None:
        outcome: object = interrupted
        try:
            outcome = await wait_for(ask(), seconds)
        except Exception as error:
            outcome = error
        finally:
            finish(outcome)

    trio = find_running_trio()
    if trio is not None:
        trio.lowlevel.spawn_system_task(run)
        return
    from asyncio import get_running_loop

    task = get_running_loop().create_task(run())
    _tasks.add(task)

    def finish_task(ended: object) -> None:
        _tasks.discard(ended)
        finish(interrupted)  # of a task that was cancelled before it began

    task.add_done_callback(finish_task)
