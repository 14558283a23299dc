"""The callables of a policy, and the evaluation of their results."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corsguard.engine.request import CORSRequest

__all__ = [
    "Caller",
    "Fault",
    "FunctionPredicate",
    "Predicate",
    "Waiter",
    "check_answer",
    "find_running_trio",
    "is_async",
    "name_predicate",
    "takes_request",
    "wait_for",
]

Fault = tuple[str, Exception]
"""The name of a callable of `allow_origins` that failed, and its exception."""

Predicate = (
    Callable[[str], "bool | Awaitable[bool]"]
    | Callable[[str, "CORSRequest"], "bool | Awaitable[bool]"]
)
"""A callable of `allow_origins`. It is called with valid, serialised origins, never with `null`.

One with two parameters also gets the request, as `CORSRequest.limit_to_preflight` returns it.
"""
Caller = Callable[[Callable[[], object], float], Awaitable[object]]
"""Calls a function where it may block, such as in a thread, and may limit the wait to seconds."""
Waiter = Callable[[Awaitable[object], float], object]
"""Returns what an awaitable gives. Raises TimeoutError after so many seconds."""


def is_async(function: Callable[..., object]) -> bool:
    """Return True if function is sure to return an awaitable."""
    from inspect import iscoroutinefunction

    return iscoroutinefunction(function) or iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # of an object, not whether it has one
    )


def takes_request(function: Callable[..., object]) -> bool:
    """Return True if a callable of `allow_origins` needs the request besides the origin.

    A second parameter with a default value is left alone. A callable without a signature, as some
    builtins are, gets the origin alone. Raises TypeError, with the signature, for one that fits
    neither form.
    """
    from inspect import signature

    try:
        parameters = signature(function)
    except (TypeError, ValueError):
        return False
    for given in ("",), ("", None):
        try:
            parameters.bind(*given)
        except TypeError:
            continue
        return len(given) == 2
    raise TypeError(str(parameters))


def name_predicate(predicate: object) -> str:
    """Return the name of a callable of a policy: its qualified name, else its repr()."""
    return getattr(predicate, "__qualname__", None) or repr(predicate)


def check_answer(answer: object) -> bool | Exception:
    """Return the answer of a callable if it is a bool, else the exception that it counts as."""
    if isinstance(answer, bool | Exception):
        return answer
    if isinstance(answer, Coroutine):
        answer.close()  # avoids Python's warning that it was never awaited
    return TypeError(f"a bool was expected, and it returned {type(answer).__name__}")


class FunctionPredicate:
    """A callable of a policy, which is called for each request."""

    __slots__ = ("_function", "_is_async", "name", "takes_request")

    def __init__(self, function: Predicate) -> None:
        self._function: Callable[..., object] = function
        self._is_async = is_async(function)
        self.takes_request: bool = takes_request(function)
        self.name: str = name_predicate(function)

    def ask(
        self, request: CORSRequest, faults: list[Fault], seconds: float, wait: Waiter | None
    ) -> bool:
        """Return True if the callable returned True.

        Any other type than bool, and an exception, is appended to faults. `wait` waits at most so
        many seconds for an awaitable; without it, an awaitable counts as False.
        """
        try:
            answer = self._function(*self._select_arguments(request))
            if wait is not None and isinstance(answer, Awaitable):
                answer = wait(answer, seconds)
        except Exception as error:
            answer = error
        return self._conclude(answer, faults)

    async def ask_async(
        self, request: CORSRequest, faults: list[Fault], seconds: float, call: Caller | None
    ) -> bool:
        """Return the same. An awaitable is awaited for at most so many seconds.

        `call` calls a function that is not async, where that must not block the event loop.
        """
        arguments = self._select_arguments(request)
        try:
            if call is None or self._is_async:
                answer = self._function(*arguments)
                if isinstance(answer, Awaitable):
                    answer = await wait_for(answer, seconds)
            else:
                answer = await call(partial(self._function, *arguments), seconds)
        except Exception as error:
            answer = error
        return self._conclude(answer, faults)

    def _select_arguments(self, request: CORSRequest) -> tuple[object, ...]:
        return (request.origin, request) if self.takes_request else (request.origin,)

    def _conclude(self, answer: object, faults: list[Fault]) -> bool:
        answer = check_answer(answer)
        if isinstance(answer, Exception):
            faults.append((self.name, answer))
            return False
        return answer


async def wait_for(answer: Awaitable[object], seconds: float) -> object:
    """Return the result of an awaitable, on asyncio or on trio.

    Raises TimeoutError after the given seconds, and RuntimeError where something that it waits
    for was cancelled, but not the request.
    """
    trio = find_running_trio()
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


def find_running_trio() -> Any:
    """Return the module trio where the current task is one of its tasks; None elsewhere."""
    try:
        trio: Any = sys.modules["trio"]  # imported already where trio runs
        trio.lowlevel.current_task()
    except (KeyError, RuntimeError):
        return None
    return trio
