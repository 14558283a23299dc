"""The judge of a replay: the model of the browser in front of an application."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from corsguard.browser import Answer, BlockReason, Browser, Cookie, Request, Sent
from corsguard.browser.messages import Fields
from corsguard.browser.transport import AppTransport, open_transport
from corsguard.browser.url import URL
from corsguard.cli.migrate.replay.exchanges import Exchange

__all__ = ["HOST", "Verdict", "judge"]

HOST = "testserver"
"""The host that the application is served at, as in the tests of most frameworks."""

_SERVER = f"https://{HOST}"
# SameSite=None and Secure, so that the browser sends it with requests of other sites.
_SESSION = Cookie("session", "1", HOST, secure=True, same_site="None")


class Verdict(NamedTuple):
    """The outcome of an exchange for the page."""

    can_read: bool
    """True if the script gets the response."""
    readable_headers: frozenset[str] = frozenset()
    """The names of the response headers that the script may read, in lower case."""
    reason: BlockReason | None = None
    """Why it is blocked; None where it is not."""
    detail: str = ""
    """The offending method, header or value."""
    text: str = ""
    """The finding of the step that failed, in one sentence."""
    has_preflight: bool = False
    """True if the browser sent a preflight first."""


def judge(app: Any, exchanges: Iterable[Exchange]) -> list[Verdict]:
    """Return the verdict on each exchange with a WSGI or ASGI application.

    Each is sent by a new browser, which has cached nothing. Raises TypeError where the interface
    of app can't be detected.
    """
    url = URL.parse(_SERVER)
    network = _Network(open_transport(app, url.origin, raise_app_exceptions=False))
    with _silence_logging():
        return [network.judge(exchange) for exchange in exchanges]


@contextmanager
def _silence_logging() -> Iterator[None]:
    """Log nothing for a while: applications log each refusal, and these are on purpose."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


class _Network:
    """The network in front of an application.

    It asks the application about a preflight once. The browsers share no state, but
    a preflight has no cookie, so they send the same one with credentials and without.
    """

    def __init__(self, transport: AppTransport) -> None:
        self._transport = transport
        self._preflights: dict[tuple[str, Fields], Answer] = {}
        """URL and header fields -> response"""
        self._response_headers: tuple[str, ...] = ()

    def judge(self, exchange: Exchange) -> Verdict:
        """Return the verdict on one exchange."""
        self._response_headers = exchange.response_headers
        browser = Browser(exchange.origin, cookies=[_SESSION])
        played = browser.play(
            Request(
                f"{_SERVER}{exchange.path}",
                exchange.method,
                exchange.headers,
                exchange.body,
                "include" if exchange.has_credentials else "omit",
            ),
            self._send,
        )
        has_preflight = played.preflights > 0
        if played.response is not None:
            names = frozenset(played.response.headers)
            return Verdict(True, names, has_preflight=has_preflight)
        refusal = played.refusal
        assert refusal is not None  # noqa: S101  # an exchange has one or the other
        reason, detail, text = refusal.reason, refusal.detail, refusal.step.text
        return Verdict(False, frozenset(), reason, detail, text, has_preflight)

    def _send(self, sent: Sent) -> Answer:
        if sent.method != "OPTIONS":
            answer = self._transport(sent)
            present = {name.lower() for name, _ in answer.headers}
            added = [(name, "1") for name in self._response_headers if name.lower() not in present]
            return answer._replace(headers=(*answer.headers, *added))
        key = sent.url, sent.headers
        if key not in self._preflights:
            self._preflights[key] = self._transport(sent)
        return self._preflights[key]
