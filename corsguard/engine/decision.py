"""The decision on a request, and the reason for it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from corsguard.policy.predicates import Fault

__all__ = ["DECISION", "Decision", "Kind", "LazyDetail", "Reason"]

DECISION = "corsguard.decision"
"""The key under which an adapter leaves the decision: in an environ, a scope, or Django's META."""


class Kind(StrEnum):
    """The kinds of request that the CORS protocol knows (Fetch, "HTTP requests")."""

    NOT_CORS = "NOT_CORS"
    ACTUAL = "ACTUAL"
    PREFLIGHT = "PREFLIGHT"


class Reason(StrEnum):
    """The reasons for a decision."""

    NO_POLICY = "NO_POLICY"
    NOT_CORS = "NOT_CORS"
    SAME_ORIGIN = "SAME_ORIGIN"
    ORIGIN_INVALID = "ORIGIN_INVALID"
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    HEADERS_NOT_ALLOWED = "HEADERS_NOT_ALLOWED"
    CREDENTIALS_NOT_ALLOWED = "CREDENTIALS_NOT_ALLOWED"
    ALLOWED = "ALLOWED"
    CROSS_ORIGIN_REFUSED = "CROSS_ORIGIN_REFUSED"

    @property
    def refusal(self) -> bool:
        """True if a page that sends such a request does not get what it asked for."""
        return self in _REFUSALS

    @property
    def words(self) -> str:
        """The reason as a sentence that contains nothing of the request."""
        return _WORDS[self]


_REFUSALS = (
    Reason.ORIGIN_INVALID,
    Reason.ORIGIN_NOT_ALLOWED,
    Reason.METHOD_NOT_ALLOWED,
    Reason.HEADERS_NOT_ALLOWED,
    Reason.CREDENTIALS_NOT_ALLOWED,
    Reason.CROSS_ORIGIN_REFUSED,
)
_WORDS = {
    Reason.NO_POLICY: "no policy: CORS is not offered on this path",
    Reason.NOT_CORS: "not CORS: the request has no Origin",
    Reason.SAME_ORIGIN: "same origin: the page is this service's own",
    Reason.ORIGIN_INVALID: "origin invalid: the Origin header is not one serialised origin",
    Reason.ORIGIN_NOT_ALLOWED: "origin not allowed: the policy does not list it",
    Reason.METHOD_NOT_ALLOWED: "method not allowed: the policy does not list it",
    Reason.HEADERS_NOT_ALLOWED: "headers not allowed: the policy does not list all of them",
    Reason.CREDENTIALS_NOT_ALLOWED: "credentials not allowed: the policy does not allow cookies",
    Reason.ALLOWED: "allowed",
    Reason.CROSS_ORIGIN_REFUSED: "cross-origin refused: no policy lets another site do this here",
}
_BODIES = {reason: f"corsguard: {words}\n".encode() for reason, words in _WORDS.items()}
_CONTENT_HEADERS = {
    reason: (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))))
    for reason, body in _BODIES.items()
}


class LazyDetail(NamedTuple):
    """The detail of a decision, composed when somebody reads it."""

    describe: Callable[..., str]
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return self.describe(*self.arguments)


class _Fields(NamedTuple):
    kind: Kind
    reason: Reason
    lazy_detail: str | LazyDetail
    status: int | None
    headers: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...] = ()


class Decision(_Fields):
    """The decision on one request.

    `kind` says what the request is, and `reason` why it is answered as it is. `status` is None
    where the application answers, else 204 or 403: answer with it now. `headers` are the fields
    that the CORS protocol puts on the response. `faults` are the callables of the policy that
    failed.
    """

    __slots__ = ()

    @property
    def detail(self) -> str:
        """The offending origin, method or header, escaped and cut, and the nearest listed origin.

        Empty if nothing offends.
        """
        return str(self.lazy_detail)

    @property
    def allowed(self) -> bool:
        """False exactly when the reason is a refusal."""
        return self.reason not in _REFUSALS

    @property
    def body(self) -> bytes:
        """The content of a response with `status`: one line of text with 403, nothing with 204."""
        return _BODIES[self.reason] if self.status == 403 else b""

    @property
    def content_headers(self) -> tuple[tuple[str, str], ...]:
        """The fields that describe that content; 204 has no Content-Length (RFC 9110, 8.6)."""
        return _CONTENT_HEADERS[self.reason] if self.status == 403 else ()

    @property
    def answer_headers(self) -> list[tuple[str, str]]:
        """All fields of a response with `status`."""
        if self.status == 403:
            return [*self.headers, *_CONTENT_HEADERS[self.reason]]
        return [*self.headers]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return self._key() == other._key() and (
            self.lazy_detail == other.lazy_detail or self.detail == other.detail
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self.kind, self.reason, self.status, self.headers, self.faults

    def __reduce__(self) -> tuple[Any, ...]:
        # A lazy detail refers to all origins of a policy: what is pickled is its text.
        return Decision, (self.kind, self.reason, self.detail, *self[3:])

    def __repr__(self) -> str:
        fields = {**self._asdict(), "lazy_detail": self.detail}
        shown = ", ".join(f"{name.removeprefix('lazy_')}={fields[name]!r}" for name in fields)
        return f"Decision({shown})"
