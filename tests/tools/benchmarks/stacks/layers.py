"""The stacks: each framework bare, with corsguard, with its peer and with the floor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tools.benchmarks.rounds import Cell
from tools.benchmarks.workload import Origins, PageRequest

from corsguard import Guard

BARE = "bare"
CORSGUARD = "corsguard"
BY_ROUTE = "corsguard, by route"
ENFORCED = "corsguard, enforced"
STARLETTE_ADAPTER = "corsguard_starlette"
FLOOR = "floor"

JSON = b'[{"id": 1}]'


class Layer(NamedTuple):
    """A framework's application, with a CORS layer or bare."""

    batch: Callable[[PageRequest, int], Callable[[], None]]
    prepare: Callable[[], None] = lambda: None

    def cell(self, asked: PageRequest) -> Cell:
        return Cell(lambda count: self.batch(asked, count), self.prepare)


def by_route(origins: Origins) -> Guard:
    """Build a guard of two routes, of which the second covers the requests."""
    return Guard({"/": None, "/items": origins.policy})


def enforced(origins: Origins) -> Guard:
    return Guard(origins.policy, enforce=True)


class Stack(NamedTuple):
    """One framework: how to make its layers, for what a policy lists."""

    name: str
    peer: str
    layers: Mapping[str, Callable[[Origins], Layer]]
    lacks: str = ""
    """What of the policy the peer can't express."""
    lacks_subdomains: bool = False


def wsgi(app: Any, prepare: Callable[[], None] = lambda: None) -> Layer:
    """Build the layer of a WSGI application, called as a server does (PEP 3333)."""

    def batch(asked: PageRequest, count: int) -> Callable[[], None]:
        environs = asked.environs(count)

        def run() -> None:
            for environ in environs:
                body = app(environ, _start_response)
                for _ in body:
                    pass
                if hasattr(body, "close"):
                    body.close()

        return run

    return Layer(batch, prepare)


def asgi(app: Any) -> Layer:
    """Build the layer of an ASGI application that never waits, so no event loop is timed."""

    def batch(asked: PageRequest, count: int) -> Callable[[], None]:
        scopes = asked.scopes(count)

        def run() -> None:
            for scope in scopes:
                try:
                    app(scope, _receive, _send).send(None)
                except StopIteration:
                    continue
                raise RuntimeError("the application waits")

        return run

    return Layer(batch)


def _start_response(status: str, headers: object, exc_info: object = None) -> None:
    pass


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b""}


async def _send(message: object) -> None:
    pass
