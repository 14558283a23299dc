"""Header fields as ASGI has them: pairs of bytes, the names in lower case."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from typing import Any

from corsguard import Decision, Guard
from corsguard.fetch import RESPONSE_HEADERS

__all__ = ["Message", "put_on", "remembered", "value_of"]

Message = MutableMapping[str, Any]

# Where an answer has none of these, nothing of it gives way and nothing is merged.
_MERGED = frozenset(name.encode() for name in ("vary", *RESPONSE_HEADERS))


def value_of(name: str, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The value of a request's field; several lines of one name are joined (RFC 9110, 5.3)."""
    wanted = name.encode()
    lines = [value for key, value in fields if key == wanted]
    return b",".join(lines).decode("latin-1") if lines else None


def put_on(guard: Guard, decision: Decision, start: Message) -> Message:
    """A new `http.response.start`, with the fields of the decision put in."""
    fields: list[tuple[bytes, bytes]] = list(start.get("headers", ()))
    if _MERGED.isdisjoint([name.lower() for name, _ in fields]):
        fields += remembered(decision.headers)
    else:
        texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
        fields = [_encoded(field) for field in guard.put_on(decision, texts)]
    return {**start, "headers": fields}


@lru_cache(1_024)
def remembered(fields: tuple[tuple[str, str], ...]) -> tuple[tuple[bytes, bytes], ...]:
    """The fields of a decision, encoded; they are few different ones."""
    return tuple(map(_encoded, fields))


def _encoded(field: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = field
    return name.lower().encode("latin-1"), value.encode("latin-1")
