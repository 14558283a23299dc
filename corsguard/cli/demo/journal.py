"""The journal of the demo: the API's responses to each call of a page, which the page shows."""

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
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Journal", "read_call_id"]

_CALL_ID = re.compile(r"[A-Za-z0-9-]{1,40}")
_MAX_CALLS = 256
_MAX_EXCHANGES = 8
_MAX_HEADERS = 40
_MAX_TEXT = 200
"""Characters of a path or of the value of a header."""
_SHOWN = re.compile(
    "ORIGIN|AUTHORIZATION|COOKIE|ACCESS_CONTROL_REQUEST_[A-Z_]+|SEC_FETCH_[A-Z_]+|X_[A-Z0-9_]+"
)
"""The request headers that are recorded, as the environment of WSGI names them."""
_SECRETS = frozenset({"AUTHORIZATION", "COOKIE"})

Exchange = dict[str, object]


class Journal:
    """The exchanges of the last calls, by the id that the page chose for each call."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, list[Exchange]] = OrderedDict()  # call id -> exchanges
        self._lock = Lock()

    def list_exchanges(self, call: str) -> list[Exchange]:
        """Return the exchanges of a call in order; empty if the call is not recorded."""
        with self._lock:
            return list(self._calls.get(call, ()))

    def wrap(self, app: WSGIApplication) -> WSGIApplication:
        """Return the application with its responses recorded here.

        It goes around the CORS middleware, so it sees the headers that the browser gets.
        """

        def record(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            def start(
                status: str, headers: list[tuple[str, str]], exc_info: Any = None
            ) -> Callable[[bytes], object]:
                call = read_call_id(environ)
                if call is not None:
                    self._add(call, _describe_exchange(environ, status, headers))
                return start_response(status, headers, exc_info)

            return app(environ, start)

        return record

    def _add(self, call: str, exchange: Exchange) -> None:
        with self._lock:
            exchanges = self._calls.setdefault(call, [])
            if len(exchanges) < _MAX_EXCHANGES:
                exchanges.append(exchange)
            if len(self._calls) > _MAX_CALLS:
                self._calls.popitem(last=False)


def read_call_id(environ: WSGIEnvironment) -> str | None:
    """Return the id of the call in the query; None if it is missing or malformed."""
    given = parse_qs(environ.get("QUERY_STRING", "")).get("call", [""])[0]
    return given if _CALL_ID.fullmatch(given) else None


def _describe_exchange(
    environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]]
) -> Exchange:
    decision: Decision = environ[DECISION]
    return {
        "kind": decision.kind,
        "method": escape_text(environ["REQUEST_METHOD"], 20),
        "path": escape_text(environ["PATH_INFO"], _MAX_TEXT),
        "status": int(status[:3]),
        "request_headers": list(_list_request_headers(environ))[:_MAX_HEADERS],
        "headers": list(headers),
        "cookie": "HTTP_COOKIE" in environ,
        "reason": decision.reason,
        "words": decision.reason.words,
        "detail": decision.detail,
    }


def _list_request_headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    """Yield the request headers that matter for CORS. Any page may read them, so no secrets."""
    for key, value in environ.items():
        name = key if key == "CONTENT_TYPE" else key.removeprefix("HTTP_")
        if (key == "CONTENT_TYPE" and value) or (key != name and _SHOWN.fullmatch(name)):
            shown = "present" if name in _SECRETS else escape_text(value, _MAX_TEXT)
            yield name.replace("_", "-").title()[:_MAX_TEXT], shown
