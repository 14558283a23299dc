"""The requests whose instructions are counted: run under callgrind by `instruction_counts`.

callgrind starts a new count before each call of `getpgid`, which nothing else here calls. So one
process counts every kind of request, and what it does at start is in none of the counts. Only the
adapters are imported, as everything takes some fifty times as long under callgrind.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tools.benchmarks.floors import asgi_floor, wsgi_floor
from tools.benchmarks.workload import OWN, TEN, UNTRUSTED, PageRequest

from corsguard import Guard
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_wsgi import CORSMiddleware

REQUESTS = 200
"""How many of each kind are counted."""
MARK = "getpgid"
"""The function of libc before whose calls callgrind starts a new count."""
FLOOR = "floor"

Run = Callable[[], None]

_FIELDS = [("Content-Type", "application/json"), ("Content-Length", "2")]
_FIELDS_BYTES = [(name.lower().encode(), value.encode()) for name, value in _FIELDS]
_NO_ORIGIN, _ALLOWED, _REFUSED = PageRequest(None), PageRequest(TEN.last), PageRequest(UNTRUSTED)
_SAME_ORIGIN = PageRequest(OWN, method="POST")


def list_runs() -> dict[str, Run]:
    """Return what is counted, by name: each run is of so many fresh requests.

    The fast path by its branches, on WSGI and on ASGI, which share none of its code; the routed and
    the enforced one, which the README recommends; and the slow path as a whole, which is that of a
    new origin.
    """
    by_route = Guard({"/": None, "/items": TEN.policy})
    enforced = Guard(TEN.policy, enforce=True)
    wsgi = CORSMiddleware(_wsgi_app, TEN.policy)
    return {
        f"WSGI, {FLOOR}": _run_wsgi(wsgi_floor(_wsgi_app, TEN.listed), _ALLOWED),
        "WSGI, no Origin": _run_wsgi(wsgi, _NO_ORIGIN),
        "WSGI, allowed": _run_wsgi(wsgi, _ALLOWED),
        "WSGI, refused": _run_wsgi(wsgi, _REFUSED),
        "WSGI, by route, allowed": _run_wsgi(CORSMiddleware(_wsgi_app, by_route), _ALLOWED),
        "WSGI, enforced, same-origin POST": _run_wsgi(
            CORSMiddleware(_wsgi_app, enforced), _SAME_ORIGIN
        ),
        "WSGI, a new refused origin each time": _run_wsgi(wsgi, *_list_new_origins()),
        f"ASGI, {FLOOR}": _run_asgi(asgi_floor(_asgi_app, TEN.listed), _ALLOWED),
        "ASGI, allowed": _run_asgi(ASGIMiddleware(_asgi_app, TEN.policy), _ALLOWED),
        "ASGI, by route, refused": _run_asgi(ASGIMiddleware(_asgi_app, by_route), _REFUSED),
    }


def _list_new_origins() -> Iterator[PageRequest]:
    for number in range(REQUESTS):
        yield PageRequest(f"https://new{number}.example")


def _run_wsgi(app: Any, *asked: PageRequest) -> Run:
    _warm_up(lambda environs: _call_wsgi(app, environs), PageRequest.environs, asked[0])
    environs = _build(PageRequest.environs, asked)
    return lambda: _call_wsgi(app, environs)


def _run_asgi(app: Any, *asked: PageRequest) -> Run:
    _warm_up(lambda scopes: _call_asgi(app, scopes), PageRequest.scopes, asked[0])
    scopes = _build(PageRequest.scopes, asked)
    return lambda: _call_asgi(app, scopes)


def _build(
    build: Callable[[PageRequest, int], list[dict[str, Any]]], asked: Iterable[PageRequest]
) -> list[dict[str, Any]]:
    several = [*asked]
    return [request for each in several for request in build(each, REQUESTS // len(several))]


def _warm_up(
    call: Callable[[list[dict[str, Any]]], None],
    build: Callable[[PageRequest, int], list[dict[str, Any]]],
    asked: PageRequest,
) -> None:
    """Fill the caches, and let the interpreter specialise the code that the requests run.

    Also that of origins which have not been seen, a hundred of which are logged.
    """
    for number in range(REQUESTS):
        other = asked._replace(origin=f"https://warm{number}.example")
        call(build(other, 1) + build(asked, 1))


def _call_wsgi(app: Any, environs: list[dict[str, Any]]) -> None:
    for environ in environs:
        app(environ, _start_response)


def _call_asgi(app: Any, scopes: list[dict[str, Any]]) -> None:
    for scope in scopes:
        try:
            app(scope, _receive, _send).send(None)
        except StopIteration:
            continue


def _start_response(status: str, headers: object, exc_info: object = None) -> None:
    pass


def _wsgi_app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", _FIELDS)
    return [b"{}"]


async def _receive() -> None:
    pass


async def _send(message: object) -> None:
    pass


async def _asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _FIELDS_BYTES})
    await send({"type": "http.response.body", "body": b"{}"})


def main() -> None:
    """Run each kind of request between two marks."""
    import logging

    logging.getLogger("corsguard").addHandler(logging.NullHandler())
    logging.getLogger("corsguard").propagate = False
    runs = list_runs()
    gc.collect()
    gc.disable()  # it runs after so many objects, whoever made them
    mark = os.getpgid
    for run in runs.values():
        mark(0)
        run()
    mark(0)
    sys.stdout.write("\n".join(runs))


if __name__ == "__main__":
    main()
