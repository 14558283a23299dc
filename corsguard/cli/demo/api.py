"""The API of the demo: a small WSGI application that knows nothing of CORS, and its policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from threading import Event
from typing import TYPE_CHECKING

from corsguard import Guard, Policy
from corsguard.cli.demo.journal import JOURNAL, Journal, call_id
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    Headers = list[tuple[str, str]]
    Answer = tuple[HTTPStatus, Headers, Iterable[bytes]]
    View = Callable[[WSGIEnvironment], Answer]

__all__ = ["Api"]

_ITEMS = ("apple", "banana", "cherry")
_COOKIE = "corsguard-demo=signed-in"
_LONGEST_BODY = 10_000
_CHUNKS = 6
_SECONDS_BETWEEN_CHUNKS = 0.25


class Api:
    """The API behind corsguard, with a journal that any page may read, as its routes say."""

    def __init__(self, frontend: str) -> None:
        self.policy = Policy(
            allow_origins=[frontend],
            allow_credentials=True,
            allow_methods=["PUT", "DELETE"],
            allow_headers=["Content-Type", "Authorization", "X-Demo-Trace"],
            expose_headers=["X-Total-Count"],
        )
        self.guard = Guard({"/": self.policy, JOURNAL: Policy(allow_origins=["*"])})
        self._journal = Journal()
        self._stopping = Event()
        self._app = self._journal.keeping(CORSMiddleware(self._answer, self.guard))
        self._views: dict[tuple[str, str], View] = {
            ("GET", "/items"): _list_items,
            ("POST", "/items"): _create_item,
            ("PUT", "/items/1"): _replace_item,
            ("PATCH", "/items/1"): _replace_item,
            ("DELETE", "/items/1"): _delete_item,
            ("GET", "/me"): _me,
            ("GET", "/sign-in"): _sign_in,
            ("GET", "/profile"): _profile,
            ("GET", "/broken"): _broken,
            ("GET", "/stream"): self._stream,
            ("GET", JOURNAL): self._read_journal,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)

    def stop(self) -> None:
        """End the answers that are still being streamed."""
        self._stopping.set()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        wanted = ("GET" if method == "HEAD" else method, environ["PATH_INFO"])
        status, headers, body = self._views.get(wanted, _not_found)(environ)
        start_response(f"{status.value} {status.phrase}", headers)
        return () if method == "HEAD" else body

    def _read_journal(self, environ: WSGIEnvironment) -> Answer:
        call = call_id(environ)
        if call is None:
            return _json({"error": "the query has no valid call id"}, HTTPStatus.BAD_REQUEST)
        return _json(self._journal.of(call))

    def _stream(self, _environ: WSGIEnvironment) -> Answer:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        return HTTPStatus.OK, headers, self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        for number in range(1, _CHUNKS + 1):
            yield f"part {number} of {_CHUNKS}\n".encode()
            if number < _CHUNKS and self._stopping.wait(_SECONDS_BETWEEN_CHUNKS):
                return


def _list_items(environ: WSGIEnvironment) -> Answer:
    extra = [("X-Total-Count", str(len(_ITEMS))), ("X-Build", "2024.1")]
    trace = environ.get("HTTP_X_DEMO_TRACE")
    return _json({"items": _ITEMS} if trace is None else {"trace": trace}, extra=extra)


def _create_item(environ: WSGIEnvironment) -> Answer:
    return _json({"id": 4, "received": _received(environ)}, HTTPStatus.CREATED)


def _replace_item(environ: WSGIEnvironment) -> Answer:
    return _json({"id": 1, "received": _received(environ)})


def _delete_item(_environ: WSGIEnvironment) -> Answer:
    return HTTPStatus.NO_CONTENT, [], ()


def _me(environ: WSGIEnvironment) -> Answer:
    if environ.get("HTTP_AUTHORIZATION") != "Bearer demo-token":
        return _json({"error": "who are you?"}, HTTPStatus.UNAUTHORIZED)
    return _json({"you": "bearer of the demo token"})


def _sign_in(_environ: WSGIEnvironment) -> Answer:
    cookie = f"{_COOKIE}; Path=/; HttpOnly; SameSite=Lax"
    return _json({"signed_in": True}, extra=[("Set-Cookie", cookie)])


def _profile(environ: WSGIEnvironment) -> Answer:
    if _COOKIE not in environ.get("HTTP_COOKIE", ""):
        return _json({"error": "no session cookie"}, HTTPStatus.UNAUTHORIZED)
    return _json({"you": "signed in by a cookie"})


def _broken(_environ: WSGIEnvironment) -> Answer:
    return _json({"error": "the database is on fire"}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _not_found(_environ: WSGIEnvironment) -> Answer:
    return _json({"error": "there is nothing here"}, HTTPStatus.NOT_FOUND)


def _received(environ: WSGIEnvironment) -> str:
    """What came as the body, in words; only so much of it is read."""
    length = environ.get("CONTENT_LENGTH", "")
    limit = min(int(length), _LONGEST_BODY) if length.isdecimal() else 0
    return f"{len(environ['wsgi.input'].read(limit))} bytes"


def _json(
    document: object, status: HTTPStatus = HTTPStatus.OK, extra: Iterable[tuple[str, str]] = ()
) -> Answer:
    body = json.dumps(document).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *extra,
    ]
    return status, headers, (body,)
