"""Hostile environs, and what an application answers to them (PEP 3333)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.fuzz.inputs import Request

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

OURS = "corsguard.decision"


class Answer(NamedTuple):
    status: int
    fields: list[tuple[str, str]]
    body: bytes


def environ_of(request: Request) -> WSGIEnvironment:
    """Build the environ of a request: bytes as latin-1."""
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method.decode("latin-1"),
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": "api.example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        if b"_" in name:
            continue  # servers drop them, as they would pass for those with a hyphen
        key = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def ask(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Return the whole response of an application."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return bytearray().extend

    chunks: Iterable[bytes] = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    [(status, fields)] = started
    return Answer(int(status[:3]), fields, body)
