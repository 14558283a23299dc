"""Header fields as ASGI has them: pairs of bytes, the names in lower case."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from corsguard import CORSRequest, Decision
from corsguard.engine.cache import BoundedCache
from corsguard.engine.request import collect_fields
from corsguard.engine.response_headers import is_merged

if TYPE_CHECKING:
    from corsguard.guard.runtime import GuardRuntime

__all__ = [
    "Decided",
    "Message",
    "build_request",
    "list_answer_fields",
    "put_on",
]

Field = tuple[bytes, bytes]
Message = MutableMapping[str, Any]
Decided = tuple[tuple[str, str], ...]

# The fields of a decision, encoded. Decisions are remembered, and so are their very tuples.
_remembered: BoundedCache[int, tuple[Decided, Sequence[Field]]] = BoundedCache()
# As corsguard.engine.response_headers.UNTOUCHED.
_untouched: BoundedCache[bytes, bool] = BoundedCache()


def build_request(scope: Mapping[str, Any], path: str) -> CORSRequest:
    """Build a request from a scope and the path that the router reads."""
    fields = collect_fields(scope["headers"])

    def read(name: str) -> str | None:
        value = fields.get(name.encode())
        return None if value is None else value.decode("latin-1")

    method, has_cookie = scope.get("method", "GET"), bool(fields.get(b"cookie"))
    request = CORSRequest.from_headers(path, read("origin"), method, read, has_cookie)
    if scope["type"] == "websocket":
        # RFC 8441, 5: over HTTP/2 a handshake has no Upgrade, and it is one all the same.
        return request._replace(upgrade="websocket")
    return request


def put_on(
    adapter: GuardRuntime, decided: Decided, start: Message, scope: Mapping[str, Any]
) -> Message:
    """Return a new `http.response.start`, with the fields of a decision put in.

    `scope` is that of the request.
    """
    given = [*start.get("headers", ())]  # ASGI: any iterable, which may give them once
    start = {**start}
    for name, _ in given:
        if name not in _untouched and _is_merged(name):
            texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in given]
            fields = adapter.merge(decided, texts, scope["path"])
            start["headers"] = [_encode(field) for field in fields]
            return start
    known = _remembered.get(id(decided))  # as in _encoded, without the call
    given += known[1] if known is not None and known[0] is decided else _encoded(decided)
    start["headers"] = given
    return start


def list_answer_fields(decision: Decision) -> list[Field]:
    """Return all fields of a response without the application."""
    fields = [*_encoded(decision.headers)]
    if decision.status != 204:
        fields += _encoded(decision.content_headers)
    return fields


def _encoded(decided: Decided) -> Sequence[Field]:
    known = _remembered.get(id(decided))
    if known is not None and known[0] is decided:
        return known[1]
    fields = tuple(map(_encode, decided))
    _remembered.store(id(decided), (decided, fields))  # it is kept, so no other gets its id
    return fields


def _is_merged(name: bytes) -> bool:
    if is_merged(name.decode("latin-1")):
        return True
    _untouched.store(name, True)
    return False


def _encode(field: tuple[str, str]) -> Field:
    name, value = field
    return name.lower().encode("latin-1"), value.encode("latin-1")
