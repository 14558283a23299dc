"""The interface of an application, detected from the parameters of any callable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial, wraps
from typing import Any

import pytest

from corsguard.browser import Browser, assert_cors

PAGE = "https://app.example.com"
HEADERS = [("Access-Control-Allow-Origin", "*")]
RAW = [(b"access-control-allow-origin", b"*")]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": RAW})
        await send({"type": "http.response.body", "body": b"asgi"})


def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", HEADERS)
    return [b"wsgi"]


class Dynamic:
    """An application whose instances choose their `__call__`, as Sentry's ASGI middleware does."""

    __slots__ = ("__call__",)

    def __init__(self, called: Callable[..., Any]) -> None:
        self.__call__ = called


class Called:
    """An application whose `__call__` is not a coroutine function."""

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        return asgi(scope, receive, send)


class Methods:
    def wsgi(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return wsgi(environ, start_response)

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        await asgi(scope, receive, send)

    @staticmethod
    def static(environ: Any, start_response: Any) -> Iterable[bytes]:
        return wsgi(environ, start_response)


class Response:
    """A WSGI application that is a class (PEP 3333)."""

    def __init__(self, environ: Any, start_response: Any) -> None:
        self.start = start_response

    def __iter__(self) -> Iterator[bytes]:
        self.start("200 OK", HEADERS)
        yield b"wsgi"


class Endpoint:
    """An ASGI application that is a class, such as Starlette's endpoints."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self.given = scope, receive, send

    def __await__(self) -> Any:
        return asgi(*self.given).__await__()


class Consumer:
    """An application of ASGI 2, which is called twice."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await asgi(self.scope, receive, send)


def decorated(app: Any) -> Any:
    @wraps(app)
    def wrapper(*args: Any, **options: Any) -> Any:
        return app(*args, **options)

    return wrapper


def configured(settings: str, environ: Any, start_response: Any) -> Iterable[bytes]:
    return wsgi(environ, start_response)


def twice(scope: Any) -> Any:
    return partial(asgi, scope)


def optional(environ: Any, start_response: Any, extra: Any = None) -> Iterable[bytes]:
    return wsgi(environ, start_response)


async def any_async(*args: Any) -> None:
    await asgi(*args)


def any_sync(*args: Any) -> Any:
    return wsgi(*args)


ASGI = [
    asgi,
    lambda scope, receive, send: asgi(scope, receive, send),
    partial(asgi),
    partial(lambda settings, scope, receive, send: asgi(scope, receive, send), "settings"),
    decorated(asgi),
    Called(),
    decorated(Called()),
    Dynamic(asgi),
    Dynamic(twice),
    Methods().asgi,
    Endpoint,
    Consumer,
    twice,
    any_async,
    partial(any_async),
]
WSGI = [
    wsgi,
    partial(wsgi),
    partial(configured, "settings"),
    partial(partial(configured), "settings"),
    decorated(wsgi),
    Dynamic(wsgi),
    Methods().wsgi,
    Methods.static,
    Response,
    optional,
    any_sync,
]


@pytest.mark.parametrize(
    ("app", "text"), [*[(app, "asgi") for app in ASGI], *[(app, "wsgi") for app in WSGI]]
)
def test_interface_is_detected_from_the_parameters(app: Any, text: str) -> None:
    assert Browser.on(app, page=PAGE).fetch("/").text == text


class Middleware:
    def __init__(self, app: Any, settings: Any) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (lambda: wsgi, r"takes \(\), which is neither"),
        (lambda request: None, r"takes \(request\), which is neither"),
        (lambda a, b, c, d: None, r"takes \(a, b, c, d\), which is neither"),
        (Middleware, r"takes \(app: 'Any', settings: 'Any'\) -> 'None', which is neither"),
        (Dynamic(type), "the parameters of"),
    ],
)
def test_ambiguous_parameters_raise_type_error(app: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words) as raised:
        Browser.on(app, page=PAGE)
    assert 'interface="asgi"' in str(raised.value)
    with pytest.raises(TypeError, match="interface="):
        assert_cors(app, page=PAGE)


class Unknown:
    """An application whose signature Python can't read."""

    __signature__ = "nothing"

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, *args: Any) -> Any:
        return self.app(*args)


@pytest.mark.parametrize(("app", "interface"), [(asgi, "asgi"), (wsgi, "wsgi")])
def test_explicit_interface_is_used(app: Any, interface: Any) -> None:
    for given in (Unknown(app), lambda *args: app(*args)):
        assert Browser.on(given, page=PAGE, interface=interface).fetch("/").text == interface
        assert assert_cors(given, page=PAGE, interface=interface)


def test_app_whose_attributes_raise_is_read_by_its_call() -> None:
    class Proxy:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("outside of a request")

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return wsgi(environ, start_response)

    assert Browser.on(Proxy(), page=PAGE).fetch("/").text == "wsgi"


def test_unknown_interface_raises_value_error() -> None:
    with pytest.raises(ValueError, match="interface='http' is not one of asgi, wsgi"):
        Browser.on(wsgi, page=PAGE, interface="http")  # type: ignore[arg-type]


def test_uncallable_app_raises_type_error() -> None:
    with pytest.raises(TypeError, match="it can't be called"):
        Browser.on("app:app", page=PAGE, interface="asgi")


def test_coroutine_as_wsgi_body_suggests_asgi() -> None:
    browser = Browser.on(lambda *args: any_async(*args), page=PAGE)
    with pytest.raises(TypeError, match='returned a coroutine: write interface="asgi"'):
        browser.fetch("/")
