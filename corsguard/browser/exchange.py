"""The exchange between a page and a server, step by step, and its outcome."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

from corsguard.browser.clauses import Clause
from corsguard.browser.messages import Answer, Request, Response, Sent

__all__ = ["BlockReason", "Blocked", "Caveat", "EngineName", "Exchange", "Hop", "Refusal", "Step"]

EngineName = Literal["standard", "chromium", "firefox", "webkit"]


class BlockReason(StrEnum):
    """The reasons why a browser blocks a request or hides its response."""

    URL_INVALID = "URL_INVALID"
    URL_WITH_CREDENTIALS = "URL_WITH_CREDENTIALS"
    METHOD_INVALID = "METHOD_INVALID"
    METHOD_FORBIDDEN = "METHOD_FORBIDDEN"
    HEADER_INVALID = "HEADER_INVALID"
    BODY_NOT_ALLOWED = "BODY_NOT_ALLOWED"
    NO_CORS_METHOD = "NO_CORS_METHOD"
    NO_CORS_STREAM = "NO_CORS_STREAM"
    NO_CORS_REDIRECT_MODE = "NO_CORS_REDIRECT_MODE"
    SAME_ORIGIN_ONLY = "SAME_ORIGIN_ONLY"
    SCHEME_NOT_HTTP = "SCHEME_NOT_HTTP"
    PORT_BLOCKED = "PORT_BLOCKED"
    UNREACHABLE = "UNREACHABLE"
    PREFLIGHT_REDIRECTED = "PREFLIGHT_REDIRECTED"
    PREFLIGHT_STATUS = "PREFLIGHT_STATUS"
    ALLOW_METHODS_INVALID = "ALLOW_METHODS_INVALID"
    ALLOW_HEADERS_INVALID = "ALLOW_HEADERS_INVALID"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    HEADER_NOT_ALLOWED = "HEADER_NOT_ALLOWED"
    ALLOW_ORIGIN_MISSING = "ALLOW_ORIGIN_MISSING"
    ALLOW_ORIGIN_MULTIPLE = "ALLOW_ORIGIN_MULTIPLE"
    ALLOW_ORIGIN_INVALID = "ALLOW_ORIGIN_INVALID"
    ALLOW_ORIGIN_MISMATCH = "ALLOW_ORIGIN_MISMATCH"
    ALLOW_ORIGIN_WILDCARD = "ALLOW_ORIGIN_WILDCARD"
    ALLOW_CREDENTIALS_NOT_TRUE = "ALLOW_CREDENTIALS_NOT_TRUE"
    RESOURCE_POLICY = "RESOURCE_POLICY"
    REDIRECT_MODE_ERROR = "REDIRECT_MODE_ERROR"
    REDIRECT_INVALID = "REDIRECT_INVALID"
    REDIRECT_SCHEME = "REDIRECT_SCHEME"
    REDIRECT_LIMIT = "REDIRECT_LIMIT"
    REDIRECT_WITH_CREDENTIALS = "REDIRECT_WITH_CREDENTIALS"
    REDIRECT_STREAM = "REDIRECT_STREAM"


class Step(NamedTuple):
    """One step of the standard's algorithm."""

    name: str
    clause: Clause
    passed: bool
    text: str
    """The finding, in one sentence."""


class Hop(NamedTuple):
    """One request over the network, and its response."""

    purpose: Literal["preflight", "request"]
    sent: Sent
    answer: Answer | None
    """None where no response arrived."""


class Refusal(NamedTuple):
    """The reason why the script gets no response, and the fix."""

    reason: BlockReason
    step: Step
    detail: str
    """The offending value, method or header, as it was sent; empty where there is none."""
    fix: str
    """The suggested fix, in one sentence."""
    in_preflight: bool = False
    """True if the preflight failed, not the request itself."""


class Caveat(NamedTuple):
    """A feature outside CORS that may break the request all the same."""

    code: str
    text: str


class Exchange(NamedTuple):
    """The whole exchange for one request of a script."""

    page: str
    engine: EngineName
    request: Request
    steps: tuple[Step, ...]
    hops: tuple[Hop, ...]
    response: Response | None
    """The response as the script sees it; None where the request was blocked."""
    refusal: Refusal | None
    console: str
    """The message in Chromium's console; empty where it prints none."""
    caveats: tuple[Caveat, ...]

    @property
    def outcome(self) -> Response | Blocked:
        """The response as the script sees it, or the exception in its place."""
        return self.response if self.response is not None else Blocked(self)

    @property
    def allowed(self) -> bool:
        """True if the script gets a response."""
        return self.response is not None

    @property
    def preflights(self) -> int:
        """The number of preflights that were sent."""
        return sum(hop.purpose == "preflight" for hop in self.hops)


class Blocked(Exception):
    """The script gets a TypeError instead of a response."""

    def __init__(self, exchange: Exchange) -> None:
        if exchange.refusal is None:
            raise ValueError("the exchange was not blocked")
        super().__init__(exchange)
        self.exchange = exchange
        self.refusal: Refusal = exchange.refusal

    @property
    def reason(self) -> BlockReason:
        """The reason, from a closed set."""
        return self.refusal.reason

    @property
    def step(self) -> Step:
        """The step that failed."""
        return self.refusal.step

    @property
    def clause(self) -> Clause:
        """The clause of the standard that blocks the request."""
        return self.refusal.step.clause

    @property
    def fix(self) -> str:
        """The suggested fix, in one sentence."""
        return self.refusal.fix

    @property
    def console(self) -> str:
        """The message in Chromium's console; empty where it prints none."""
        return self.exchange.console

    def __str__(self) -> str:
        lines = [
            f"{self.reason}: {self.step.text}",
            f"  step:    {self.step.name} ({self.clause.words})",
            f"  fix:     {self.fix}",
        ]
        if self.console:
            lines.append(f"  console: {self.console}")
        return "\n".join(lines)
