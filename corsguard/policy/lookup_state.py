"""The state of a look-up: what it remembers, what is being asked, and what may be asked now."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from threading import Lock
from typing import NamedTuple

from corsguard.policy.answers import Answer, AnswerTable, Key
from corsguard.policy.shared_question import Question

__all__ = ["Limits", "LookupState", "LookupStats", "OriginLookupError", "StaleAnswerError", "Step"]

_MAX_LENGTH = 1_024
"""Characters of the host and the path of a key that is remembered: more than browsers send."""
_SLOW = 0.1
"""Seconds from which a failure says that the store hangs, and not that one origin fails."""


class OriginLookupError(RuntimeError):
    """A question that was not made, or that was interrupted."""


class StaleAnswerError(RuntimeError):
    """A failed question in whose place the last answer still counts."""


class LookupStats(NamedTuple):
    """The counts of an OriginLookup since it was made, and what it holds now."""

    allowed: int
    """Answers that are remembered and allow an origin."""
    refused: int
    """Answers that are remembered and refuse an origin, failures included."""
    open: int
    """Questions that are being asked now."""
    questions: int
    """Questions that were made: calls of the predicate."""
    hits: int
    """Requests that a fresh answer decided, without those that a decision cache answered."""
    stale: int
    """Requests that an old answer decided."""
    joined: int
    """Requests that waited for the question of another request."""
    failures: int
    """Questions that raised, took too long, or returned anything but a bool."""
    not_asked: int
    """Requests whose question was not made: too many are open, or the last one failed."""
    evictions: int
    """Answers that were dropped for want of room."""


class Limits(NamedTuple):
    """The options of an OriginLookup; see there. Times are in seconds."""

    ttl: float = 30
    negative_ttl: float = 5
    stale_while_revalidate: float = 30
    stale_if_error: float = 300
    max_entries: int = 10_000
    max_concurrent: int = 32
    retry_after: float = 1.0


class Step(NamedTuple):
    """What a request does next: it has its answer, or it waits for a question."""

    is_allowed: bool = False
    error: Exception | None = None
    """Why there is no fresh answer, None where there is one or none is missing yet."""
    question: Question | None = None
    """The question to wait for. None where the answer is known."""
    new: Question | None = None
    """A question that this request has to start, whether it waits for it or not."""


class LookupState:
    """The answers and the open questions of a look-up. It calls no predicate and starts no thread.

    Safe to use from many threads.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._counts = dict.fromkeys(LookupStats._fields, 0)
        self._answers = AnswerTable(limits.max_entries)
        self.restart()

    def restart(self) -> None:
        """Start without answers: in a forked child, no thread of the parent will finish."""
        self._lock = Lock()
        self._answers.clear()
        self._questions: dict[Key, Question] = {}  # those that requests may join, the oldest first
        self._open: set[Question] = set()  # all that are being asked
        self._hang: Exception | None = None
        """The failure that says that the store hangs. None once a question is answered again."""
        self._retry_at = -inf

    def set_limits(self, limits: Limits) -> None:
        """Use other times from now on. `max_entries` stays as it is."""
        self._limits = limits

    @property
    def stats(self) -> LookupStats:
        """The counts so far."""
        with self._lock:
            allowed = self._answers.allowed_count
            held = {
                "allowed": allowed,
                "refused": len(self._answers) - allowed,
                "open": len(self._open),
                "evictions": self._answers.evictions,
            }
            return LookupStats(**{**self._counts, **held})

    def find_allowed(self, key: Key) -> Answer | None:
        """Return the fresh answer that allows a key, or None."""
        answer = self._answers.peek_allowed(key)
        return answer if answer is not None and answer.is_fresh() else None

    def forget(self, is_meant: Callable[[Key], bool]) -> None:
        """Forget the answers for some keys, and those that are being found out."""
        with self._lock:
            for question in self._open:
                if is_meant(question.key):
                    question.is_forgotten = True
                    self._detach(question)
            for key in list(filter(is_meant, self._answers)):
                self._answers.remove(key)

    def start(self, key: Key, seconds: float) -> Step:
        """Return the next step of a request, which waits for at most so many seconds."""
        with self._lock:
            now = self._clock()
            answer = self._answers.find(key)
            if answer is not None and now < answer.fresh_until:
                self._counts["hits"] += 1
                return Step(answer.is_allowed, answer.error)
            self._detach_overdue(now)
            can_serve = self._can_revalidate(answer, now)
            question = self._questions.get(key)
            if question is not None and self._hang is None:
                if can_serve:
                    return self._fall_back(answer, None)
                self._counts["joined"] += 1
                return Step(question=question)
            objection = self._hang if question is not None else self._find_objection(answer, now)
            if objection is not None:
                self._counts["not_asked"] += 1
                return self._fall_back(answer, objection)
            question = self._make_question(key, now, seconds)
            if can_serve:
                return self._fall_back(answer, None)._replace(new=question)
            return Step(question=question, new=question)

    def conclude(self, question: Question) -> Step:
        """Return the answer to a question that was waited for, or the old one if it failed."""
        outcome = question.outcome
        if isinstance(outcome, bool):
            return Step(outcome)
        with self._lock:
            answer = self._answers.find(question.key)
            return self._fall_back(answer, outcome or TimeoutError("the question takes too long"))

    def finish(self, question: Question, outcome: bool | Exception) -> None:
        """Remember the outcome of a question, and wake the requests that wait for it."""
        with self._lock:
            if question.outcome is not None:
                return
            self._open.discard(question)
            self._detach(question)
            if isinstance(outcome, bool):
                self._hang = None
                self._remember(question, is_allowed=outcome)
            else:
                self._remember_failure(question, outcome)
            waiters = question.finish(outcome)
        for wake in waiters:
            wake()

    def give_up(self, question: Question) -> None:
        """Let no more requests wait for a question that takes too long."""
        with self._lock:
            if question.outcome is None:
                self._detach_as_overdue(question, self._clock())

    def _find_objection(self, answer: Answer | None, now: float) -> Exception | None:
        """Return why no question may be made now, or None."""
        if answer is not None and answer.error is not None and now < answer.retry_at:
            return answer.error
        if self._hang is not None and now < self._retry_at:
            return self._hang
        if len(self._open) >= self._limits.max_concurrent:
            return OriginLookupError(f"{len(self._open)} questions are open (max_concurrent)")
        return None

    def _make_question(self, key: Key, now: float, seconds: float) -> Question:
        question = self._questions[key] = Question(key, now, now + seconds)
        self._open.add(question)
        self._counts["questions"] += 1
        self._retry_at = now + self._limits.retry_after  # while the store hangs, one at a time
        return question

    def _can_revalidate(self, answer: Answer | None, now: float) -> bool:
        """Return True if an old answer counts while the predicate is called again."""
        if answer is None or not answer.is_allowed:
            return False
        return now < answer.fresh_until + self._limits.stale_while_revalidate

    def _fall_back(self, answer: Answer | None, error: Exception | None) -> Step:
        """Return the old answer while it may count, else False."""
        window = self._limits.stale_while_revalidate
        if error is not None:
            window = max(window, self._limits.stale_if_error)
        if answer is None or not answer.is_allowed or self._clock() >= answer.fresh_until + window:
            return Step(error=error)
        self._counts["stale"] += 1
        return Step(is_allowed=True, error=error or answer.error)

    def _remember(self, question: Question, *, is_allowed: bool) -> None:
        held = self._answers.find(question.key)
        is_outdated = held is not None and held.error is None and held.asked_at > question.asked_at
        if question.is_forgotten or is_outdated or _is_long(question.key):
            return
        ttl = self._limits.ttl if is_allowed else self._limits.negative_ttl
        fresh_until = self._clock() + ttl
        if held is not None and is_allowed and held.is_allowed:  # what depends on it stays valid
            held.error, held.asked_at, held.fresh_until = None, question.asked_at, fresh_until
            return
        answer = Answer(
            self._clock,
            is_allowed=is_allowed,
            asked_at=question.asked_at,
            fresh_until=fresh_until,
        )
        self._answers.store(question.key, answer)

    def _remember_failure(self, question: Question, error: Exception) -> None:
        self._counts["failures"] += 1
        now = self._clock()
        retry_at = now + self._limits.retry_after
        is_slow = isinstance(error, TimeoutError) or now - question.asked_at >= _SLOW
        if question.is_overdue or is_slow:
            self._hang, self._retry_at = error, retry_at
        if question.is_forgotten or _is_long(question.key):
            return
        held = self._answers.find(question.key)
        if held is not None and held.is_allowed:
            held.error, held.retry_at = error, retry_at
            return
        refused = Answer(
            self._clock,
            is_allowed=False,
            asked_at=question.asked_at,
            fresh_until=retry_at,
            error=error,
        )
        self._answers.store(question.key, refused)

    def _detach_overdue(self, now: float) -> None:
        oldest = next(iter(self._questions.values()), None)
        if oldest is not None and now >= oldest.deadline:
            self._detach_as_overdue(oldest, now)

    def _detach_as_overdue(self, question: Question, now: float) -> None:
        if not question.is_overdue:
            question.is_overdue = True
            self._hang = TimeoutError("the question takes too long")
            self._retry_at = now + self._limits.retry_after
            self._detach(question)

    def _detach(self, question: Question) -> None:
        if self._questions.get(question.key) is question:
            del self._questions[question.key]


def _is_long(key: Key) -> bool:
    return len(key.host or "") + len(key.path or "") > _MAX_LENGTH
