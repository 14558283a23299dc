"""Making text, requests and values of whatever bytes a fuzzer tries; no bytes are too few."""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Any, NamedTuple

from corsguard.policy.validation import VALIDATORS

SEPARATOR = b"\x1e"
"""Stands between the parts of an input, as no part of a request is likely to need it."""

_FIELDS = (*VALIDATORS, "routes", "enforce", "enforce_exempt", "own_origins")
_DEEPEST = 6
_MANY_DIGITS = 10**5_000  # more than Python writes in decimal


def decode_text(data: bytes) -> str:
    """Return any str, lone surrogates included."""
    return data.decode("utf-8", "surrogateescape")


def split_texts(data: bytes) -> tuple[str, str]:
    first, _, second = data.partition(SEPARATOR)
    return decode_text(first), decode_text(second)


def compile_regex(text: str) -> re.Pattern[str] | None:
    """Return the compiled text, or None if `re` rejects it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(text)
        except (re.error, OverflowError, RecursionError):
            return None


class Request(NamedTuple):
    """A request line and header fields, in the bytes of the wire."""

    variant: int
    """Which of the applications it is for."""
    method: bytes
    path: bytes
    headers: list[tuple[bytes, bytes]]

    @classmethod
    def of(cls, data: bytes) -> Request:
        first, *fields = data[1:].split(SEPARATOR)
        method, _, path = first.partition(b" ")
        headers = []
        for field in fields:
            name, _, value = field.partition(b":")
            headers.append((name.strip().lower(), value.strip(b" ")))
        return cls(data[0] if data else 0, method, path, headers)

    def value(self, name: bytes) -> str | None:
        """Return all lines of one field, joined as a server does it (RFC 9110, 5.3)."""
        lines = [value for key, value in self.headers if key == name]
        return b",".join(lines).decode("latin-1") if lines else None


class Draw:
    """Values of every type that a configuration in Python may hold."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def mapping(self) -> dict[Any, Any]:
        """Return a table whose keys are mostly those of a configuration."""
        return {self._key(): self._value(1) for _ in range(self._byte() % 6)}

    def _byte(self) -> int:
        first, self._data = self._data[:1], self._data[1:]
        return first[0] if first else 0

    def _text(self) -> str:
        first, _, self._data = self._data.partition(SEPARATOR)
        return decode_text(first)

    def _key(self) -> Any:
        kind = self._byte() % 20
        if kind < len(_FIELDS):
            return _FIELDS[kind]
        return self._text() if kind < 19 else self._number()

    def _number(self) -> int:
        numbers = (0, 1, -1, 600, 86_400, 86_401, _MANY_DIGITS, -_MANY_DIGITS)
        return numbers[self._byte() % len(numbers)]

    def _value(self, depth: int) -> Any:
        kind = self._byte() % 14
        if depth > _DEEPEST or kind < 4:
            return self._text()
        if kind < 8:
            return [self._value(depth + 1) for _ in range(self._byte() % 4)]
        if kind < 10:
            return {self._key(): self._value(depth + 1) for _ in range(self._byte() % 4)}
        if kind == 10:
            return self._number()
        if kind == 11:
            return compile_regex(self._text())
        return (None, True, False, "report", float("nan"), 1e308, timedelta.max, b"x", {"x"})[
            self._byte() % 9
        ]
