"""The cost of a request grows no faster than its header lines and those of its response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import pytest
import support.django_project  # noqa: F401  # the settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path as django_path
from flask import Flask
from flask import Response as FlaskResponse
from starlette.applications import Starlette
from starlette.routing import Route
from support.asgi_exchange import exchange, scope_of, websocket_scope
from support.stacks.wsgi import environ_of
from support.steps import count_steps
from werkzeug.test import run_wsgi_app

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware as ASGIMiddleware
from corsguard_flask import CORSGuard, cors_policy
from corsguard_starlette import CORSGuard as StarletteGuard
from corsguard_wsgi import CORSMiddleware as WSGIMiddleware

Fields = list[tuple[str, str]]
Send = Callable[[str, Fields], object]
"""Send a request with this method and these header lines."""

APP, EVIL = "https://app.example.com", "https://evil.example"
LINES = 320  # beyond the longest origin, and beyond what a cache holds
WITH_COOKIES = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
PLAIN = Policy(allow_origins=[APP], allow_headers=["X-A"], expose_headers=["X-Total"])
GUARDS: dict[str, Callable[[], Guard]] = {
    "everywhere": lambda: Guard(PLAIN),
    "enforced": lambda: Guard({"/": WITH_COOKIES, "/other": None}, enforce=True),
    "callable": lambda: Guard(Policy(allow_origins=[lambda origin: origin == APP])),
}
PREFLIGHT = [("Access-Control-Request-Method", "PUT")]
ASKED = "Access-Control-Request-Headers"
NAME = "x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"  # as many of these are more than any page sends


class Kind(NamedTuple):
    name: str
    lines: Callable[[int], Fields]
    method: str = "POST"


def repeated(name: str) -> Kind:
    return Kind(f"lines of {name}", lambda lines: [(name, "a")] * lines)


REQUESTS = [
    Kind("unrelated lines", lambda lines: [("X-A", "a")] * lines),
    Kind("lines of many names", lambda lines: [(f"X-{n:06}", "a") for n in range(lines)]),
    *map(repeated, ("Origin", "Cookie", "Host", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Upgrade")),
    Kind("lines beside a preflight", lambda lines: PREFLIGHT + [("X-A", "a")] * lines, "OPTIONS"),
    Kind("lines of methods", lambda lines: PREFLIGHT * lines, "OPTIONS"),
    Kind("lines of names", lambda lines: PREFLIGHT + [(ASKED, NAME)] * lines, "OPTIONS"),
    Kind("a line of names", lambda n: [*PREFLIGHT, (ASKED, f"{NAME}," * n)], "OPTIONS"),
]


def names(count: int) -> list[str]:
    """Return so many names of one length, which differ from those of another count."""
    return [f"X-{count:04}-{number:04}" for number in range(count)]


RESPONSES = [
    Kind("lines of many names", lambda lines: [(name, "a") for name in names(lines)]),
    Kind("cookies", lambda lines: [("Set-Cookie", "a=b")] * lines),
    Kind("lines of Vary", lambda lines: [("Vary", name) for name in names(lines)]),
    Kind("a line of Vary", lambda count: [("Vary", ", ".join(names(count)))]),
    Kind("lines of Allow-Origin", lambda lines: [("Access-Control-Allow-Origin", "*")] * lines),
    Kind(
        "lines of Expose-Headers",
        lambda lines: [("Access-Control-Expose-Headers", name) for name in names(lines)],
    ),
]


class Stack(NamedTuple):
    name: str
    serve: Callable[[Guard, Fields], Any]
    """Return a context that yields a `Send`; the application's response has these fields."""


def to_wsgi(app: Any) -> Send:
    def send(method: str, headers: Fields) -> object:
        return run_wsgi_app(app, environ_of(method, "/items", headers))

    return send


@contextmanager
def wsgi(guard: Guard, fields: Fields) -> Iterator[Send]:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", fields)
        return [b""]

    yield to_wsgi(WSGIMiddleware(app, guard))


@contextmanager
def flask(guard: Guard, fields: Fields, *, views: bool = False) -> Iterator[Send]:
    app = Flask(__name__)
    CORSGuard(app, guard)

    def items() -> FlaskResponse:
        return FlaskResponse("", headers=fields)

    app.add_url_rule("/items", view_func=items, methods=["GET", "POST", "PUT"])
    if views:
        app.add_url_rule("/own", "own", cors_policy(PLAIN)(lambda: ""))
    yield to_wsgi(app)


@contextmanager
def django(guard: Guard, fields: Fields, *, runs_async: bool = False) -> Iterator[Send]:
    def answer() -> HttpResponse:
        response = HttpResponse()
        for name, value in fields:  # Django has no two fields of one name
            response[name] = f"{response[name]}, {value}" if name in response else value
        return response

    def view(request: HttpRequest) -> HttpResponse:
        return answer()

    async def view_async(request: HttpRequest) -> HttpResponse:
        return answer()

    urls = (django_path("items", view_async if runs_async else view),)
    with override_settings(CORSGUARD=guard, ROOT_URLCONF=urls):
        yield to_asgi(ASGIHandler()) if runs_async else to_wsgi(WSGIHandler())


def to_asgi(app: Any, scope: Callable[..., Any] = scope_of) -> Send:
    def send(method: str, headers: Fields) -> object:
        return asyncio.run(exchange(app, scope(method, "/items", headers)))

    return send


def asgi_app(fields: Fields) -> Any:
    raw = [(name.lower().encode(), value.encode()) for name, value in fields]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": b""})

    return app


@contextmanager
def asgi(guard: Guard, fields: Fields) -> Iterator[Send]:
    yield to_asgi(ASGIMiddleware(asgi_app(fields), guard))


@contextmanager
def starlette(guard: Guard, fields: Fields, *, views: bool = False) -> Iterator[Send]:
    class Answering:
        """An endpoint that is an ASGI application."""

        def __init__(self) -> None:
            self.app = asgi_app(fields)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

    routes = [Route("/items", Answering(), methods=["GET", "POST", "PUT"])]
    if views:
        routes.append(Route("/own", cors_policy(PLAIN)(Answering())))
    app = Starlette(routes=routes)
    StarletteGuard(app, guard)
    yield to_asgi(app)


@contextmanager
def websocket(guard: Guard, fields: Fields) -> Iterator[Send]:
    def scope(method: str, path: str, headers: Fields) -> Any:
        return websocket_scope(headers, path=path)

    yield to_asgi(ASGIMiddleware(asgi_app(fields), guard), scope)


STACKS = [
    Stack("wsgi", wsgi),
    Stack("asgi", asgi),
    Stack("websocket", websocket),
    Stack("flask", flask),
    Stack("flask-views", partial(flask, views=True)),
    Stack("starlette", starlette),
    Stack("starlette-views", partial(starlette, views=True)),
    Stack("django", django),
    Stack("django-async", partial(django, runs_async=True)),
]
EVERYWHERE = [
    pytest.param(stack, guard, id=f"{stack.name}-{name}")
    for stack, (name, guard) in product(STACKS, GUARDS.items())
]


def costs(stack: Stack, guard: Guard, method: str, sent: Fields, fields: Fields) -> list[int]:
    """Return the steps of a first request to a new instance, and of a second one."""
    with stack.serve(guard, fields) as send:
        return [count_steps(lambda: send(method, sent)) for _ in range(2)]


def is_linear(few: list[int], many: list[int]) -> bool:
    """Return True if twice the lines cost at most twice as much, apart from caches."""
    return all(other <= 2.2 * one for one, other in zip(few, many, strict=True))


@pytest.mark.parametrize(("stack", "guard"), EVERYWHERE)
@pytest.mark.slow
def test_request_with_twice_the_lines_costs_at_most_twice(
    stack: Stack, guard: Callable[[], Guard]
) -> None:
    def cost(kind: Kind, origin: str, lines: int) -> list[int]:
        return costs(stack, guard(), kind.method, [("Origin", origin), *kind.lines(lines)], [])

    cost(REQUESTS[0], APP, 1)  # the first time, something is imported
    growing_faster = [
        (kind.name, origin)
        for kind, origin in product(REQUESTS, (APP, EVIL))
        if not is_linear(cost(kind, origin, LINES), cost(kind, origin, 2 * LINES))
    ]
    assert growing_faster == []


@pytest.mark.parametrize(("stack", "guard"), EVERYWHERE)
@pytest.mark.slow
def test_response_with_twice_the_lines_costs_at_most_twice(
    stack: Stack, guard: Callable[[], Guard]
) -> None:
    def cost(kind: Kind, lines: int) -> list[int]:
        return costs(stack, guard(), "GET", [("Origin", APP)], kind.lines(lines))

    cost(RESPONSES[0], 1)
    growing_faster = [
        kind.name for kind in RESPONSES if not is_linear(cost(kind, LINES), cost(kind, 2 * LINES))
    ]
    assert growing_faster == []


JOINING = """
def join(lines):
    table = {"a": ""}
    for line in range(lines):
        table["a"] = table["a"] + ",a"
"""


def test_is_linear_detects_quadratic_steps() -> None:
    ours: dict[str, Any] = {"__name__": "corsguard.joining"}
    others: dict[str, Any] = {"__name__": "joining"}
    for module in (ours, others):
        exec(JOINING, module)
    few, many = (count_steps(lambda lines=lines: ours["join"](lines)) for lines in (100, 200))  # type: ignore[misc]
    assert not is_linear([few], [many])
    assert count_steps(lambda: others["join"](100)) == 0
