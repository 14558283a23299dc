"""The callables of a policy, and the evaluation of their results."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

__all__ = ["Fault", "Predicate", "is_async", "is_true_answer", "wait_for"]

Fault = tuple[str, Exception]
"""The name of a callable of `allow_origins` that failed, and its exception."""

Predicate = Callable[[str], "bool | Awaitable[bool]"]
"""A callable of `allow_origins`. It is called with valid, serialised origins, never with `null`."""


def is_async(function: Callable[..., object]) -> bool:
    """Return True if function is sure to return an awaitable."""
    from inspect import iscoroutinefunction

    return iscoroutinefunction(function) or iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # of an object, not whether it has one
    )


def is_true_answer(predicate: Predicate, answer: object, faults: list[Fault]) -> bool:
    """Return True if a callable returned True.

    Any other type than bool, and an exception, is appended to faults.
    """
    if not isinstance(answer, bool):
        if isinstance(answer, Coroutine):
            answer.close()  # avoids Python's warning that it was never awaited
        if not isinstance(answer, Exception):
            answer = TypeError(f"a bool was expected, and it returned {type(answer).__name__}")
        faults.append((getattr(predicate, "__qualname__", repr(predicate)), answer))
    return answer is True


async def wait_for(answer: Awaitable[object], seconds: float) -> object:
    """Return the result of an awaitable, on asyncio or on trio.

    Raises TimeoutError after the given seconds, and RuntimeError where something that it waits
    for was cancelled, but not the request.
    """
    trio = _find_running_trio()
    if trio is None:
        return await _wait_on_asyncio(answer, seconds)
    with trio.move_on_after(seconds):
        return await answer
    raise TimeoutError


async def _wait_on_asyncio(answer: Awaitable[object], seconds: float) -> object:
    """Return the result of an awaitable within a task of asyncio. See `wait_for`."""
    from asyncio import (
        CancelledError,
        current_task,
        timeout,
    )  # loaded only where a callable is async

    async with timeout(seconds):
        try:
            return await answer
        except CancelledError:
            task = current_task()
            if task is None or task.cancelling():
                raise
            raise RuntimeError("what it waited for was cancelled") from None


def _find_running_trio() -> Any:
    """Return the module trio where the current task is one of its tasks; None elsewhere."""
    try:
        trio: Any = sys.modules["trio"]  # imported already where trio runs
        trio.lowlevel.current_task()
    except (KeyError, RuntimeError):
        return None
    return trio
