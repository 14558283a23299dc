"""Decision: the answer to one request, and the reason for it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from corsguard.policy.predicates import Fault

__all__ = ["DECISION", "Decision", "Kind", "Reason"]

DECISION = "corsguard.decision"
"""The key under which an adapter leaves the decision: in an environ, a scope, or Django's META."""


class Kind(StrEnum):
    """What a request is, to the CORS protocol (Fetch, "HTTP requests" of it)."""

    NOT_CORS = "NOT_CORS"
    ACTUAL = "ACTUAL"
    PREFLIGHT = "PREFLIGHT"


class Reason(StrEnum):
    """Why a request was answered as it was."""

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
        """Whether a page that sent such a request does not get what it asked for."""
        return self in _REFUSALS

    @property
    def words(self) -> str:
        """The reason as a sentence that holds nothing of the request."""
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


class Decision(NamedTuple):
    """The answer to one request."""

    kind: Kind
    reason: Reason
    detail: str
    """The offending origin, method or header, escaped and cut, and what of the policy is nearest
    to it; empty where nothing offends."""
    status: int | None
    """None: call the application. 204 or 403: answer with it now."""
    headers: tuple[tuple[str, str], ...]
    """The header fields that the CORS protocol puts on the response."""
    faults: tuple[Fault, ...] = ()

    @property
    def allowed(self) -> bool:
        """False exactly when the reason is a refusal."""
        return self.reason not in _REFUSALS

    @property
    def body(self) -> bytes:
        """The content of an answer with `status`: one line of text with 403, nothing with 204."""
        return _BODIES[self.reason] if self.status == 403 else b""

    @property
    def content_headers(self) -> tuple[tuple[str, str], ...]:
        """The fields that tell of that content; 204 has no Content-Length (RFC 9110, 8.6)."""
        return _CONTENT_HEADERS[self.reason] if self.status == 403 else ()

    @property
    def answer_headers(self) -> list[tuple[str, str]]:
        """All fields of an answer with `status`."""
        return [*self.headers, *self.content_headers]
