"""The answers that a look-up remembers, and their bounded table."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

__all__ = ["Answer", "AnswerTable", "Key"]

_REFUSED_SHARE = 10
"""One in so many answers is kept free for refused origins, however many are allowed."""


class Key(NamedTuple):
    """All that an answer depends on. `host` and `path` are None where the origin decides alone."""

    origin: str
    host: str | None = None
    path: str | None = None

    def is_at(self, host: str) -> bool:
        """Return True if the key is of a host: with its port, or without one for every port."""
        sent, given = (self.host or "").lower(), host.lower()
        return given in (sent, sent.rpartition(":")[0])


class Answer:
    """One remembered answer. What depends on it holds it, and asks if it is fresh.

    An answer that is forgotten, evicted or replaced is dead: it is never fresh again.
    """

    __slots__ = ("asked_at", "clock", "error", "fresh_until", "is_allowed", "retry_at")

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        is_allowed: bool,
        asked_at: float,
        fresh_until: float,
        error: Exception | None = None,
    ) -> None:
        self.clock: Callable[[], float] = clock
        self.is_allowed: bool = is_allowed
        self.asked_at: float = asked_at
        """The time at which the question was made."""
        self.fresh_until: float = fresh_until
        self.retry_at: float = -inf
        """The time from which the question may be made again, after one that failed."""
        self.error: Exception | None = error
        """The failure of the last question, None after an answer."""

    def is_fresh(self) -> bool:
        """Return True if the answer counts without a new question."""
        return self.fresh_until > self.clock()


class AnswerTable:
    """At most so many answers, the ones that were used least recently evicted first.

    Allowed and refused ones are kept apart. Refused ones take the room that allowed ones leave, so
    they can't evict them. Not safe without the lock of its owner. An answer is dead before it is
    removed, so a process that is forked in between holds no live one that it can't find.
    """

    def __init__(self, max_items: int) -> None:
        self._max_items = max_items
        self._max_allowed = max_items - max_items // _REFUSED_SHARE
        self._allowed: OrderedDict[Key, Answer] = OrderedDict()
        self._refused: OrderedDict[Key, Answer] = OrderedDict()
        self.evictions: int = 0

    def __len__(self) -> int:
        return len(self._allowed) + len(self._refused)

    @property
    def allowed_count(self) -> int:
        """The number of answers that allow an origin."""
        return len(self._allowed)

    def __iter__(self) -> Iterator[Key]:
        yield from self._allowed
        yield from self._refused

    def find(self, key: Key) -> Answer | None:
        """Return the answer for a key, which is used now, or None."""
        for table in (self._allowed, self._refused):
            answer = table.get(key)
            if answer is not None:
                table.move_to_end(key)
                return answer
        return None

    def peek_allowed(self, key: Key) -> Answer | None:
        """Return the answer that allows a key, or None. Safe without the lock."""
        return self._allowed.get(key)

    def store(self, key: Key, answer: Answer) -> None:
        """Add an answer in place of the one for its key."""
        self.remove(key)
        table = self._allowed if answer.is_allowed else self._refused
        if answer.is_allowed and len(table) >= self._max_allowed:
            self._evict(table)
        elif len(self) >= self._max_items:
            if not self._refused:
                return
            self._evict(self._refused)
        table[key] = answer

    def remove(self, key: Key) -> None:
        """Remove the answer for a key, if there is one."""
        for table in (self._allowed, self._refused):
            answer = table.get(key)
            if answer is not None:
                answer.fresh_until = -inf
                del table[key]

    def clear(self) -> None:
        """Remove every answer."""
        for table in (self._allowed, self._refused):
            for answer in table.values():
                answer.fresh_until = -inf
            table.clear()

    def _evict(self, table: OrderedDict[Key, Answer]) -> None:
        self.remove(next(iter(table)))
        self.evictions += 1
