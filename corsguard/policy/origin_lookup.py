"""OriginLookup: a predicate whose answers are remembered, for origins from a database."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, cast

from corsguard.fork_safety import restart_in_child
from corsguard.origin import Origin
from corsguard.policy.answers import Answer, Key
from corsguard.policy.lookup_arguments import validate_arguments
from corsguard.policy.lookup_state import (
    Limits,
    LookupState,
    LookupStats,
    OriginLookupError,
    StaleAnswerError,
    Step,
)
from corsguard.policy.predicates import (
    Fault,
    Predicate,
    Waiter,
    check_answer,
    is_async,
    name_predicate,
    takes_request,
)
from corsguard.policy.shared_question import Question, start_task, wait_async

if TYPE_CHECKING:
    from corsguard.engine.request import CORSRequest
    from corsguard.policy.predicates import Caller

__all__ = ["THREAD_CLEANUPS", "LookupStats", "OriginLookup", "must_await"]

THREAD_CLEANUPS: list[Callable[[], object]] = []
"""Functions to call in a thread of a look-up when its question is done. An adapter adds to them."""

_DEFAULTS = Limits()


class OriginLookup:
    """An entry of `allow_origins` that calls a predicate, and caches what it returns.

    `predicate` takes an origin, or an origin and a request, and returns a bool. It may be async.
    One that takes a request is called for each host and path. Its `request.method` is empty, as one
    answer counts for every method.

    * ttl, negative_ttl: how many seconds an allowed and a refused origin are remembered.
    * stale_while_revalidate: for how many seconds after that an allowed origin stays allowed while
      the predicate is called again in the background (RFC 5861).
    * stale_if_error: for how many seconds it stays allowed while the predicate fails.
    * max_entries: how many answers are remembered. Refused origins can't evict allowed ones.
    * max_concurrent: how many questions may be open at once.
    * retry_after: for how many seconds the predicate is not called for an origin after a failure.
      After one that took long the store hangs: then one request in so many seconds calls it,
      whatever its origin.

    Where it is not called, the old answer decides, else False. Requests for one origin
    share one question, whatever their threads and event loops, and a request that is cancelled does
    not cancel it. `clock` returns seconds that only grow.

    Safe to use from many threads, and in a process that forks: a child starts without answers.
    Raises PolicyError with every problem of the arguments.
    """

    def __init__(
        self,
        predicate: Predicate,
        ttl: float = _DEFAULTS.ttl,
        negative_ttl: float = _DEFAULTS.negative_ttl,
        stale_while_revalidate: float = _DEFAULTS.stale_while_revalidate,
        stale_if_error: float = _DEFAULTS.stale_if_error,
        max_entries: int = _DEFAULTS.max_entries,
        max_concurrent: int = _DEFAULTS.max_concurrent,
        retry_after: float = _DEFAULTS.retry_after,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        given = locals()
        self.limits: Limits = Limits(*(given[name] for name in Limits._fields))
        """The options, such as `limits.ttl`."""
        validate_arguments(predicate, self.limits, _DEFAULTS)
        self.predicate: Predicate = predicate
        self.takes_request: bool = takes_request(predicate)
        """True if the answer depends on the host and the path, and not on the origin alone."""
        self.is_async: bool = is_async(predicate)
        """True if the predicate has to be awaited."""
        self.name: str = f"OriginLookup({name_predicate(predicate)})"
        self._state = LookupState(self.limits, clock)
        restart_in_child(self._restart)

    def _restart(self) -> None:
        """Start without answers; see corsguard.fork_safety."""
        self._state.restart()

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return OriginLookup, (self.predicate, *self.limits)

    def __call__(self, origin: str, request: CORSRequest | None = None) -> bool:
        """Return the answer for an origin, as a guard does that can't await.

        `request` has the host and the path, where the predicate takes a request.
        """
        from corsguard.engine.request import CORSRequest

        asked = CORSRequest("", origin, "") if request is None else request
        return self.ask(asked._replace(origin=origin), [], 1.0, None)

    @property
    def stats(self) -> LookupStats:
        """The counts so far."""
        return self._state.stats

    def forget(self, origin: str, host: str | None = None) -> None:
        """Forget the answers for an origin, and those that are being found out.

        `host` restricts that to one host, as `Host` names it. Without a port it stands for every
        port. A request that comes after this call is decided by a new question.

        Raises OriginError if origin is not one, and ValueError for a host with a scheme or a path:
        nothing would be forgotten.
        """
        Origin.parse(origin)
        if host is not None and "/" in host:
            raise ValueError(f"{host!r} is not a host as `Host` names it, such as api.example.com")

        def is_meant(key: Key) -> bool:
            is_host = host is None or key.host is None or key.is_at(host)
            return key.origin == origin and is_host

        self._state.forget(is_meant)

    def clear(self) -> None:
        """Forget every answer, and those that are being found out."""
        self._state.forget(lambda _: True)

    def find_allowed(self, request: CORSRequest) -> Answer | None:
        """Return the fresh answer that allows a request, or None. Asks nothing."""
        return self._state.find_allowed(self._build_key(request))

    def ask(
        self, request: CORSRequest, faults: list[Fault], seconds: float, wait: Waiter | None
    ) -> bool:
        """Return True if the predicate allows a request, by a remembered answer or a question.

        Failures are appended to faults. `seconds` limits the wait for the question of another
        request, and that of `wait`, which awaits an async predicate. Without it, only the fresh
        answers of an async predicate count.
        """
        if self.is_async and wait is None:
            return self._find_without_asking(request, faults)
        run = partial(self._run, wait=wait)
        step = self._state.start(self._build_key(request), seconds)
        question = step.question
        if step.new is not None:
            if step.new is question:
                run(step.new, request)
            else:
                self._run_in_thread(run, step.new, request)
        elif question is not None:
            done = Event()
            if question.add_waiter(done.set) and not done.wait(seconds):
                self._state.give_up(question)
        return self._conclude(step, faults)

    async def ask_async(
        self,
        request: CORSRequest,
        faults: list[Fault],
        seconds: float,
        call: Caller | None,  # noqa: ARG002  # a question has a thread or a task of its own
    ) -> bool:
        """Return the same. An async predicate has a task of its own, a sync one a thread.

        A request waits for at most so many seconds.
        """
        step = self._state.start(self._build_key(request), seconds)
        if step.new is not None:
            if self.is_async:
                self._start_task(step.new, request)
            else:
                self._run_in_thread(self._run, step.new, request)
        if step.question is not None:
            try:
                await wait_async(step.question, seconds)
            except TimeoutError:
                self._state.give_up(step.question)
        return self._conclude(step, faults)

    def _find_without_asking(self, request: CORSRequest, faults: list[Fault]) -> bool:
        if self.find_allowed(request) is not None:
            return True
        faults.append((self.name, TypeError("it is async, and nothing can await it here")))
        return False

    def _conclude(self, step: Step, faults: list[Fault]) -> bool:
        """Return the answer of the step, or that to the question which it has waited for."""
        if step.question is not None:
            step = self._state.conclude(step.question)
        error = step.error
        if error is not None:
            if step.is_allowed:
                text = f"{type(error).__name__}: {error}"
                error = StaleAnswerError(text).with_traceback(error.__traceback__)
            faults.append((self.name, error))
        return step.is_allowed

    def _build_key(self, request: CORSRequest) -> Key:
        origin = request.origin or ""
        return Key(origin, request.host or "", request.path) if self.takes_request else Key(origin)

    def _select_arguments(self, request: CORSRequest) -> tuple[object, ...]:
        if self.takes_request:
            return request.origin, request._replace(method="")
        return (request.origin,)

    def _finish(self, question: Question, outcome: object) -> None:
        self._state.finish(question, check_answer(outcome))

    def _run(self, question: Question, request: CORSRequest, wait: Waiter | None = None) -> None:
        """Ask a question in this thread."""
        outcome: object = OriginLookupError("the question was interrupted")
        predicate = cast("Callable[..., object]", self.predicate)
        try:
            outcome = predicate(*self._select_arguments(request))
            if wait is not None and isinstance(outcome, Awaitable):
                outcome = wait(outcome, question.deadline - question.asked_at)
        except Exception as error:
            outcome = error
        finally:
            self._finish(question, outcome)

    def _run_in_thread(
        self, run: Callable[[Question, CORSRequest], None], question: Question, request: CORSRequest
    ) -> None:
        """Ask a question in a thread of its own, which does not keep the process alive."""

        def run_and_clean_up() -> None:
            try:
                run(question, request)
            finally:
                for clean_up in THREAD_CLEANUPS:
                    clean_up()

        try:
            Thread(target=run_and_clean_up, name=self.name, daemon=True).start()
        except RuntimeError as error:  # the interpreter ends, or there is no room for a thread
            self._finish(question, error)

    def _start_task(self, question: Question, request: CORSRequest) -> None:
        """Ask a question in a task of its own."""
        predicate: Callable[..., Any] = self.predicate
        ask = partial(predicate, *self._select_arguments(request))
        start_task(ask, question.deadline - question.asked_at, partial(self._finish, question))


def must_await(entry: Predicate | OriginLookup) -> bool:
    """Return True if an entry of `allow_origins` has to be awaited."""
    return entry.is_async if isinstance(entry, OriginLookup) else is_async(entry)
