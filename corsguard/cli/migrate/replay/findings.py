"""The findings of a replay: each exchange whose outcome differs, and the cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from corsguard.browser import BlockReason
from corsguard.cli.migrate.replay.exchanges import Exchange
from corsguard.cli.migrate.replay.judge import Verdict
from corsguard.cli.migrate.replay.origins import Trust
from corsguard.fetch_spec import SAFELISTED_METHODS

__all__ = ["Cause", "Change", "Finding", "find_changes"]


class Change(StrEnum):
    """The kinds of changes, the most important first."""

    BLOCKED = "blocked"
    """A listed origin could read a response, and no longer can."""
    HIDDEN = "hidden"
    """A listed origin could read a response header, and no longer can."""
    CLOSED = "closed"
    """Another origin could read a response, and no longer can."""
    HANGS = "hangs"
    """A regular expression takes so long that one request blocks the service."""
    OPENED = "opened"
    """An origin can read a response that it could not read before."""
    ALLOWED = "allowed"
    """A listed origin can send a method or a header that it could not send before."""
    READABLE = "readable"
    """A listed origin can read a response header that it could not read before."""

    @property
    def is_loss(self) -> bool:
        """True if a page that a configuration means to allow may stop working."""
        return self in {Change.BLOCKED, Change.HIDDEN}


class Cause(StrEnum):
    """The fields of a policy that block a request or hide a header."""

    ORIGIN = "origin"
    CREDENTIALS = "credentials"
    METHOD = "method"
    HEADER = "header"
    EXPOSED = "exposed"
    OTHER = "other"


_LOSSES = frozenset({Change.BLOCKED, Change.CLOSED})
_CAUSES: dict[BlockReason | None, Cause] = {
    BlockReason.ALLOW_ORIGIN_MISSING: Cause.ORIGIN,
    BlockReason.ALLOW_ORIGIN_MISMATCH: Cause.ORIGIN,
    BlockReason.ALLOW_ORIGIN_WILDCARD: Cause.CREDENTIALS,
    BlockReason.ALLOW_CREDENTIALS_NOT_TRUE: Cause.CREDENTIALS,
    BlockReason.METHOD_NOT_ALLOWED: Cause.METHOD,
    BlockReason.HEADER_NOT_ALLOWED: Cause.HEADER,
}


class Finding(NamedTuple):
    """One change of one exchange."""

    change: Change
    cause: Cause
    exchange: Exchange
    subject: str = ""
    """The method or the header; empty where the cause concerns every request."""
    text: str = ""
    """The finding of the browser, where no field of a policy is the cause."""


def find_changes(
    exchanges: Sequence[Exchange], before: Iterable[Verdict], after: Iterable[Verdict]
) -> list[Finding]:
    """Return the changes from one verdict on each exchange to the other.

    Where any site is allowed, what an untrusted origin gains or loses like any other site is no
    change of its own.
    """
    found = [
        finding
        for exchange, old, new in zip(exchanges, before, after, strict=True)
        for finding in _compare(exchange, old, new)
    ]
    of_anyone = {
        _build_key(finding) for finding in found if finding.exchange.case.trust is Trust.ANYONE
    }
    return [
        finding
        for finding in found
        if finding.exchange.case.trust not in {Trust.NEAR, Trust.UNTRUSTED}
        or _build_key(finding) not in of_anyone
    ]


def _build_key(finding: Finding) -> tuple[object, ...]:
    is_gain = finding.change in {Change.OPENED, Change.ALLOWED, Change.READABLE}
    exchange = finding.exchange
    return is_gain, finding.cause, finding.subject, exchange.path, exchange.has_credentials


def _compare(exchange: Exchange, old: Verdict, new: Verdict) -> Iterator[Finding]:
    if old.can_read and new.can_read:
        if exchange.is_listed:
            yield from _compare_headers(exchange, old, new)
    elif old.can_read:
        change = Change.BLOCKED if exchange.is_listed else Change.CLOSED
        yield _build_finding(change, exchange, new)
    elif new.can_read:
        finding = _build_finding(Change.ALLOWED, exchange, old)
        is_opened = finding.cause in {Cause.ORIGIN, Cause.CREDENTIALS} or not exchange.is_listed
        yield finding._replace(change=Change.OPENED) if is_opened else finding


def _compare_headers(exchange: Exchange, old: Verdict, new: Verdict) -> Iterator[Finding]:
    for name in exchange.response_headers:
        was, is_now = (name.lower() in each.readable_headers for each in (old, new))
        if was != is_now:
            change = Change.HIDDEN if was else Change.READABLE
            yield Finding(change, Cause.EXPOSED, exchange, name)


def _build_finding(change: Change, exchange: Exchange, blocked: Verdict) -> Finding:
    """Return the finding of an exchange; `blocked` is the verdict that says why it is blocked."""
    cause = _CAUSES.get(blocked.reason, Cause.OTHER)
    text = ""
    if cause is Cause.OTHER:
        text = blocked.text
        if blocked.has_preflight:  # the preflight failed as a whole: name what needs it
            is_safe = exchange.method in SAFELISTED_METHODS
            cause = Cause.HEADER if is_safe else Cause.METHOD
    subject = {Cause.METHOD: exchange.method, Cause.HEADER: _find_header(exchange)}.get(cause, "")
    return Finding(change, cause, exchange, subject, text if change in _LOSSES else "")


def _find_header(exchange: Exchange) -> str:
    """Return the request header that an exchange is about: the last one, if there is one."""
    return exchange.headers[-1][0] if exchange.headers else ""
