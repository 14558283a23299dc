"""The contract of every adapter: one request, and the response that it must get.

A `Stack` serves the application of `application.py` behind an adapter. The rows of `rows/`
apply to every stack; `check` runs one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from support.application import Fields, reply_to

from corsguard import Decision, Guard, Reason

APP = "https://app.example.com"
EVIL = "https://evil.example"
HOST = "api.example.com"
PREFLIGHT_VARY = "Access-Control-Request-Method, Access-Control-Request-Headers"


class Answer(NamedTuple):
    """The response to a client, and whether the application was called."""

    status: int
    headers: Fields
    body: bytes
    called: bool
    """True if the application was called."""
    decision: Decision | None
    """The decision that the adapter left for the application."""


class Client(Protocol):
    def send(self, method: str, path: str, headers: Fields) -> Answer:
        """Send one request; `path` is decoded, `headers` are sent line by line."""


class Stack(Protocol):
    """One way to serve the application behind an adapter."""

    @property
    def name(self) -> str: ...

    @property
    def catches(self) -> bool:
        """Return True if something inside the adapter turns an exception into a 500."""

    def build(self, guard: Guard) -> Client: ...


class Row(NamedTuple):
    name: str
    """What it shows."""
    guard: Callable[[], Guard]
    reason: Reason
    method: str = "GET"
    path: str = "/items"
    headers: Sequence[tuple[str, str]] = ()
    status: int | None = None
    """204 or 403, answered without the application; None where the application answers."""
    cors: Mapping[str, str] = MappingProxyType({})
    """All `Access-Control-*` and `Vary` fields of the answer: no others may be there."""
    host: str = HOST

    def __str__(self) -> str:
        return self.name


def cors(**fields: str) -> dict[str, str]:
    """Return response header fields, named as the fields of a policy are."""
    return {_field_name(field): value for field, value in fields.items()}


def origin(value: str, *others: tuple[str, str]) -> Fields:
    return [("Origin", value), *others]


def preflight(value: str, method: str = "PUT", names: str | None = None) -> Fields:
    fields = origin(value, ("Access-Control-Request-Method", method))
    return fields if names is None else [*fields, ("Access-Control-Request-Headers", names)]


def check(row: Row, stack: Stack) -> None:
    """Assert that the stack answers a request as the row says."""
    answer = stack.build(row.guard()).send(row.method, row.path, [("Host", row.host), *row.headers])
    assert answer.decision is not None
    assert answer.decision.reason is row.reason
    assert cors_fields(answer.headers) == row.cors
    if row.status is None:
        _check_application_answered(row, answer)
    else:
        assert (answer.status, answer.called) == (row.status, False)
        assert row.status in {204, 403}
        (_check_no_content if row.status == 204 else _check_refusal)(answer)


def by_name(fields: Fields) -> dict[str, str]:
    """Return fields by lower-case name, several lines of one name joined (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


def cors_fields(fields: Fields) -> dict[str, str]:
    """Return the `Vary` and `Access-Control-*` fields by lower-case name."""
    return {name: value for name, value in by_name(fields).items() if _is_cors(name)}


def _check_application_answered(row: Row, answer: Answer) -> None:
    """Assert that the application's response came through unchanged."""
    assert answer.called
    if row.path == "/crash":
        assert answer.status == 500
        return
    reply = reply_to(row.method, row.path)
    assert answer.status == reply.status
    assert answer.body == b"".join(reply.chunks)
    fields = by_name(answer.headers)
    for name, value in by_name(reply.headers).items():
        assert _is_cors(name) or fields[name] == value


def _check_no_content(answer: Answer) -> None:
    """Assert 204 without body, Content-Length and Content-Type (RFC 9110, 8.3)."""
    assert answer.body == b""
    assert not {"content-length", "content-type"} & set(by_name(answer.headers))


def _check_refusal(answer: Answer) -> None:
    """Assert that a 403 is one line of text with `corsguard:` and the reason in words."""
    assert answer.decision is not None
    fields = by_name(answer.headers)
    assert fields["content-type"] == "text/plain; charset=utf-8"
    assert fields["content-length"] == str(len(answer.body))
    line, end = answer.body[:-1].decode("ascii"), answer.body[-1:]
    assert end == b"\n"
    assert line.isprintable()
    reason = answer.decision.reason.replace("_", " ").lower()
    assert line.replace("-", " ").startswith(f"corsguard: {reason}")


def _is_cors(name: str) -> bool:
    return name == "vary" or name.startswith("access-control-")


def _field_name(field: str) -> str:
    name = field.replace("_", "-")
    return name if name == "vary" else f"access-control-{name}"
