"""Memory: what is remembered of requests, which must not grow with them."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["BoundedCache"]

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(dict[Key, Value]):
    """A dict of 1,024 items at most, which starts anew when it is full."""

    MOST = 1_024

    def keep(self, key: Key, value: Value) -> None:
        if len(self) >= self.MOST:
            self.clear()
        self[key] = value
