"""The journal of the demo: what the API answered to each call of a page, for the page to show."""

from __future__ import annotations

import re
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from corsguard import Decision
from corsguard.engine.decision import DECISION
from corsguard.escaping import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["JOURNAL", "Journal", "call_id"]

JOURNAL = "/journal"
"""The path where the API lets pages read it; reading it is no call to remember."""
_CALL_ID = re.compile(r"[A-Za-z0-9-]{1,40}")
_MOST_CALLS = 256
_MOST_EXCHANGES = 8

Exchange = dict[str, object]


class Journal:
    """Remembers the exchanges of the last calls, each by the id that the page made up for it."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, list[Exchange]] = OrderedDict()
        self._lock = Lock()

    def of(self, call: str) -> list[Exchange]:
        """The exchanges of a call, in their order; none if it is unknown or forgotten."""
        with self._lock:
            return list(self._calls.get(call, ()))

    def keeping(self, app: WSGIApplication) -> WSGIApplication:
        """The application, with what it answers to each call kept here.

        It stands in front of the CORS middleware, so it sees the headers that the browser gets.
        """

        def keeper(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            def start(
                status: str, headers: list[tuple[str, str]], exc_info: Any = None
            ) -> Callable[[bytes], object]:
                call = call_id(environ)
                if call is not None and environ["PATH_INFO"] != JOURNAL:
                    self._keep(call, _exchange(environ, status, headers))
                return start_response(status, headers, exc_info)

            return app(environ, start)

        return keeper

    def _keep(self, call: str, exchange: Exchange) -> None:
        with self._lock:
            exchanges = self._calls.setdefault(call, [])
            if len(exchanges) < _MOST_EXCHANGES:
                exchanges.append(exchange)
            if len(self._calls) > _MOST_CALLS:
                self._calls.popitem(last=False)


def call_id(environ: WSGIEnvironment) -> str | None:
    """The id in the query, None if there is none or it is not what a page would make up."""
    given = parse_qs(environ.get("QUERY_STRING", "")).get("call", [""])[0]
    return given if _CALL_ID.fullmatch(given) else None


def _exchange(environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]]) -> Exchange:
    decision: Decision = environ[DECISION]
    return {
        "kind": decision.kind,
        "method": escape_text(environ["REQUEST_METHOD"], 20),
        "status": int(status[:3]),
        "headers": list(headers),
        "cookie": "HTTP_COOKIE" in environ,
        "reason": decision.reason,
        "words": decision.reason.words,
        "detail": decision.detail,
    }
