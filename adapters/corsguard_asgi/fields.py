"""Header fields as ASGI has them: pairs of bytes, the names in lower case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from corsguard import Decision, Guard
from corsguard.engine.cache import BoundedCache
from corsguard.engine.headers import READ_NAMES, is_merged

__all__ = ["Decided", "Fields", "Message", "answer_fields", "put_on", "read", "value_of"]

Field = tuple[bytes, bytes]
Fields = Iterable[Field]
Message = MutableMapping[str, Any]
Decided = tuple[tuple[str, str], ...]

_READ_NAMES = frozenset(name.encode() for name in READ_NAMES)

# The fields of a decision, encoded. Decisions are remembered, and so are their very tuples.
_remembered: BoundedCache[int, tuple[Decided, Sequence[Field]]] = BoundedCache()
# As corsguard.engine.headers.UNTOUCHED.
_untouched: BoundedCache[bytes, None] = BoundedCache()


def value_of(name: bytes, fields: Fields) -> bytes | None:
    """Return the value of one of the request's fields, several lines of it joined; None without."""
    lines = [value for key, value in fields if key == name]
    return b",".join(lines) if lines else None


def read(fields: Fields) -> dict[bytes, bytes]:
    """Return the request's fields by name: at least all that decisions depend on.

    Several lines of one name are joined with a comma (RFC 9110, 5.3): once, and only of the names
    that anyone reads, so that the cost grows no faster than the request.
    """
    lines = [*fields]
    table = dict(lines)
    if len(table) == len(lines):
        return table
    values: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        if name in _READ_NAMES:
            values.setdefault(name, []).append(value)
    return {name: b",".join(several) for name, several in values.items()}


def put_on(guard: Guard, decided: Decided, start: Message, scope: Mapping[str, Any]) -> Message:
    """Return a new `http.response.start`, with the fields of a decision put in.

    `scope` is that of the request.
    """
    given = [*start.get("headers", ())]  # ASGI: any iterable, which may give them once
    start = {**start}
    for name, _ in given:
        if name not in _untouched and _is_merged(name):
            texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in given]
            fields = guard.merge(decided, texts, scope["path"])
            start["headers"] = [_encode(field) for field in fields]
            return start
    given.extend(_encoded(decided))
    start["headers"] = given
    return start


def answer_fields(decision: Decision) -> list[Field]:
    """All fields of an answer without the application."""
    fields = [*_encoded(decision.headers)]
    if decision.status != 204:
        fields += _encoded(decision.content_headers)
    return fields


def _encoded(decided: Decided) -> Sequence[Field]:
    known = _remembered.get(id(decided))
    if known is not None and known[0] is decided:
        return known[1]
    fields = tuple(map(_encode, decided))
    _remembered.keep(id(decided), (decided, fields))  # it is kept, so no other gets its id
    return fields


def _is_merged(name: bytes) -> bool:
    if is_merged(name.decode("latin-1")):
        return True
    _untouched.keep(name, None)
    return False


def _encode(field: tuple[str, str]) -> Field:
    name, value = field
    return name.lower().encode("latin-1"), value.encode("latin-1")
