"""Pages of some origins for real browsers to show, empty ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from support.e2e.sockets import by_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


class Pages(NamedTuple):
    """One server with two origins: one of the same site as an API on localhost, and another."""

    listed: str
    stranger: str


# Cookies know no ports: those of one API on localhost would be sent to the next.
SIGNED_OUT = [
    ("Set-Cookie", f"{name}=; Path={path}; Max-Age=0")
    for name in ("session", "sessionid")
    for path in ("/", "/api")
]


def blank(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *SIGNED_OUT])
    return [b"<!doctype html><title>page</title><link rel=icon href='data:,'><body>"]


@contextmanager
def pages(port: int = 0) -> Iterator[Pages]:
    with by_wsgi(blank, port) as url:
        yield Pages(url, url.replace("localhost", "127.0.0.1"))
