"""The API of the demo: a small WSGI application without CORS, behind a guard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from importlib.resources import files
from threading import Event
from typing import TYPE_CHECKING

from corsguard import Guard, Policy
from corsguard.cli.demo.api_page import build_api_page
from corsguard.cli.demo.journal import Journal, read_call_id

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    Headers = list[tuple[str, str]]
    Response = tuple[HTTPStatus, Headers, Iterable[bytes]]
    View = Callable[[WSGIEnvironment], Response]

__all__ = ["Api"]

_JOURNAL = "/journal"
"""The path of the journal. Requests to it are not recorded."""
_ICON = "/favicon.ico"
_ITEMS = ("apple", "banana", "cherry")
_COOKIE = "corsguard-demo=signed-in"
_MAX_BODY = 10_000
_CHUNKS = 6
_SECONDS_BETWEEN_CHUNKS = 0.25


class Api:
    """The API behind corsguard, with a journal that any page may read."""

    def __init__(self, guard: Guard, frontend: str) -> None:
        # Imported here, since the core imports no adapter.
        from corsguard_wsgi import CORSMiddleware

        self._frontend = frontend
        self._journal = Journal()
        self._stopping = Event()
        self._app = self._journal.wrap(CORSMiddleware(self._respond, guard))
        # Beside the guard, whose policy the user edits: no policy hides the journal from a page.
        self._journal_app = CORSMiddleware(self._respond, Policy(allow_origins=["*"]))
        self._views: dict[tuple[str, str], View] = {
            ("GET", "/"): self._introduce,
            ("GET", _ICON): _show_icon,
            ("GET", "/items"): _list_items,
            ("POST", "/items"): _create_item,
            ("PUT", "/items/1"): _replace_item,
            ("PATCH", "/items/1"): _replace_item,
            ("DELETE", "/items/1"): _delete_item,
            ("GET", "/me"): _show_bearer,
            ("GET", "/sign-in"): _sign_in,
            ("GET", "/profile"): _show_profile,
            ("GET", "/broken"): _fail,
            ("GET", "/stream"): self._stream,
            ("GET", _JOURNAL): self._read_journal,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app = self._journal_app if environ["PATH_INFO"] == _JOURNAL else self._app
        return app(environ, start_response)

    def stop(self) -> None:
        """End the responses that are still being streamed."""
        self._stopping.set()

    def _respond(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        key = ("GET" if method == "HEAD" else method, environ["PATH_INFO"])
        status, headers, body = self._views.get(key, _not_found)(environ)
        start_response(f"{status.value} {status.phrase}", headers)
        return () if method == "HEAD" else body

    def _introduce(self, environ: WSGIEnvironment) -> Response:
        """Return what this server is: a page for a browser, else JSON."""
        vary = ("Vary", "Accept")
        if "text/html" not in environ.get("HTTP_ACCEPT", ""):
            paths = sorted({path for _, path in self._views} - {_ICON})
            document = {"about": "the API of corsguard demo", "playground": self._frontend}
            return _build_json_response({**document, "paths": paths}, extra=[vary])
        headers, body = build_api_page(self._frontend)
        return HTTPStatus.OK, [*headers, ("Content-Length", str(len(body))), vary], (body,)

    def _read_journal(self, environ: WSGIEnvironment) -> Response:
        call = read_call_id(environ)
        if call is None:
            return _build_json_response(
                {"error": "the query has no valid call id"}, HTTPStatus.BAD_REQUEST
            )
        return _build_json_response(self._journal.list_exchanges(call))

    def _stream(self, _environ: WSGIEnvironment) -> Response:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        return HTTPStatus.OK, headers, self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        for number in range(1, _CHUNKS + 1):
            yield f"part {number} of {_CHUNKS}\n".encode()
            if number < _CHUNKS and self._stopping.wait(_SECONDS_BETWEEN_CHUNKS):
                return


def _show_icon(_environ: WSGIEnvironment) -> Response:
    icon = files("corsguard.cli.demo").joinpath("page", "icon.svg").read_bytes()
    headers = [("Content-Type", "image/svg+xml"), ("Content-Length", str(len(icon)))]
    return HTTPStatus.OK, headers, (icon,)


def _list_items(environ: WSGIEnvironment) -> Response:
    extra = [("X-Total-Count", str(len(_ITEMS))), ("X-Build", "2024.1")]
    trace = environ.get("HTTP_X_DEMO_TRACE")
    return _build_json_response(
        {"items": _ITEMS} if trace is None else {"trace": trace}, extra=extra
    )


def _create_item(environ: WSGIEnvironment) -> Response:
    return _build_json_response({"id": 4, "received": _describe_body(environ)}, HTTPStatus.CREATED)


def _replace_item(environ: WSGIEnvironment) -> Response:
    return _build_json_response({"id": 1, "received": _describe_body(environ)})


def _delete_item(_environ: WSGIEnvironment) -> Response:
    return HTTPStatus.NO_CONTENT, [], ()


def _show_bearer(environ: WSGIEnvironment) -> Response:
    if environ.get("HTTP_AUTHORIZATION") != "Bearer demo-token":
        return _build_json_response({"error": "who are you?"}, HTTPStatus.UNAUTHORIZED)
    return _build_json_response({"you": "bearer of the demo token"})


def _sign_in(_environ: WSGIEnvironment) -> Response:
    cookie = f"{_COOKIE}; Path=/; HttpOnly; SameSite=Lax"
    return _build_json_response({"signed_in": True}, extra=[("Set-Cookie", cookie)])


def _show_profile(environ: WSGIEnvironment) -> Response:
    if _COOKIE not in environ.get("HTTP_COOKIE", ""):
        return _build_json_response({"error": "no session cookie"}, HTTPStatus.UNAUTHORIZED)
    return _build_json_response({"you": "signed in by a cookie"})


def _fail(_environ: WSGIEnvironment) -> Response:
    return _build_json_response(
        {"error": "the database is on fire"}, HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _not_found(_environ: WSGIEnvironment) -> Response:
    return _build_json_response({"error": "there is nothing here"}, HTTPStatus.NOT_FOUND)


def _describe_body(environ: WSGIEnvironment) -> str:
    """Return the size of the body in words; at most _MAX_BODY bytes are read."""
    length = environ.get("CONTENT_LENGTH", "")
    limit = min(int(length), _MAX_BODY) if length.isdecimal() else 0
    return f"{len(environ['wsgi.input'].read(limit))} bytes"


def _build_json_response(
    document: object, status: HTTPStatus = HTTPStatus.OK, extra: Iterable[tuple[str, str]] = ()
) -> Response:
    body = json.dumps(document).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        *extra,
    ]
    return status, headers, (body,)
