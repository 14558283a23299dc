"""The system checks of what ASGI_APPLICATION serves besides Django."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings
from support.django_requests import APP
from support.django_routers import (
    REACHED,
    Inner,
    Mux,
    OwnHandler,
    OwnRouter,
    Router,
    URLRouter,
    Validator,
    by_function,
    consumer,
    re_route,
    route,
    socket,
)

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware as PlainMiddleware
from corsguard_django.channels import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
urlpatterns: list[Any] = []


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    with override_settings(CORSGUARD=Guard(POLICY, enforce=True), ROOT_URLCONF=__name__):
        yield


MADE: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    """Return an application for ASGI_APPLICATION, made in the settings of the test."""
    try:
        return MADE[name]
    except KeyError:
        raise AttributeError(name) from None


def found(application: Any, **changed: Any) -> list[CheckMessage]:
    MADE["made"] = application
    with override_settings(ASGI_APPLICATION=f"{__name__}.made", **changed):
        return [each for each in run_checks(tags=["corsguard"]) if ".asgi-" in str(each.id)]


SOCKET, HTTP = "corsguard.asgi-websocket", "corsguard.asgi-http"
UNKNOWN = "corsguard.asgi-unknown"


def around(application: Any) -> Any:
    async def timed(scope: Any, receive: Any, send: Any) -> None:
        await application(scope, receive, send)

    return timed


def around_unset() -> Any:
    """Return a function whose closure has nothing in it yet."""

    application: Any

    async def timed(scope: Any, receive: Any, send: Any) -> None:
        await application(scope, receive, send)

    made = timed
    if REACHED is None:
        application = socket
    return made


async def around_global(scope: Any, receive: Any, send: Any) -> None:
    await COVERED(scope, receive, send)


with override_settings(CORSGUARD=POLICY, ROOT_URLCONF=__name__):
    COVERED = CORSMiddleware(socket)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Router(http=ASGIHandler(), websocket=socket), [SOCKET]),
        (lambda: Router(websocket=URLRouter(route("ws", socket))), [SOCKET]),
        (
            lambda: Router(
                websocket=URLRouter(route("a", CORSMiddleware(socket)), route("b", socket))
            ),
            [SOCKET],
        ),
        (lambda: Router(webtransport=socket), ["corsguard.asgi-webtransport"]),
        (lambda: Inner(Router(http=ASGIHandler(), websocket=socket)), [SOCKET]),
        (lambda: Router(http=consumer(), websocket=socket), [SOCKET, HTTP]),
        (
            lambda: Router(http=URLRouter(route("e", consumer()), re_route("", ASGIHandler()))),
            [HTTP],
        ),
        (lambda: Router(http=by_function()), [UNKNOWN]),
        (lambda: Router(http=Mux(ASGIHandler())), [UNKNOWN]),
        (lambda: Router(http=OwnHandler()), [UNKNOWN]),
        (lambda: Router(websocket=Mux(CORSMiddleware(socket))), [UNKNOWN]),
        (lambda: Router(websocket=around(CORSMiddleware(socket))), [UNKNOWN]),
        (lambda: Router(websocket=around_global), [UNKNOWN]),
        (lambda: Router(websocket=around_unset()), [SOCKET]),
        (lambda: Router(http=Mux(ASGIHandler()), websocket=Mux(socket)), [UNKNOWN]),
        (lambda: Router(websocket=URLRouter()), []),
        (lambda: Mux(ASGIHandler()), [UNKNOWN]),
        (OwnHandler, [UNKNOWN]),
        (lambda: OwnRouter(http=ASGIHandler()), [UNKNOWN]),
        (lambda: Mux(CORSMiddleware(ASGIHandler())), [UNKNOWN]),
        (lambda: CORSMiddleware(Mux(ASGIHandler())), []),
        (lambda: Router(http=Router(http=consumer())), [HTTP]),
        (lambda: CORSMiddleware(Router(http=consumer(), websocket=socket)), []),
        (lambda: Inner(CORSMiddleware(Router(http=consumer(), websocket=socket))), []),
        (lambda: PlainMiddleware(Router(http=consumer(), websocket=socket), POLICY), []),
        (lambda: Router(http=Inner(ASGIHandler()), websocket=CORSMiddleware(socket)), []),
        (lambda: Router(websocket=Inner(Validator(CORSMiddleware(socket)))), []),
        (lambda: Router(http=URLRouter(re_route("", ASGIHandler())), lifespan=socket), []),
        (lambda: Router(websocket=ASGIHandler()), []),  # which accepts none
        (lambda: Router(), []),
        (ASGIHandler, []),
        (lambda: Inner(ASGIHandler()), []),
        (by_function, [UNKNOWN]),
        (lambda: CORSMiddleware(by_function()), []),
    ],
)
def test_protocol_outside_corsguard_is_reported(make: Any, expected: list[str]) -> None:
    messages = found(make())
    assert [message.id for message in messages] == expected
    for message in messages:
        assert message.is_serious() is (message.id != UNKNOWN)
        assert "application = CORSMiddleware(application)" in str(message.hint)
        assert "corsguard_django.channels" in str(message.hint)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Validator(socket), [SOCKET]),
        (lambda: Inner(Validator(Inner(URLRouter(route("ws", consumer()))))), [SOCKET]),
        (lambda: URLRouter(route("a", Validator(socket)), route("b", Inner(None))), [UNKNOWN]),
        (lambda: Validator(Mux(socket)), [SOCKET]),
        (lambda: Mux(Validator(socket)), [UNKNOWN]),
        (lambda: Validator(CORSMiddleware(socket)), []),
    ],
)
def test_validator_of_channels_is_a_warning(make: Any, expected: list[str]) -> None:
    messages = found(Router(http=ASGIHandler(), websocket=make()))
    assert [message.id for message in messages] == expected
    for message in messages:
        assert not message.is_serious()
        assert "ALLOWED_HOSTS" in message.msg or message.id == UNKNOWN
        assert "application = CORSMiddleware(application)" in str(message.hint)


def test_function_around_django_without_enforce_is_no_error() -> None:
    [message] = found(Router(http=around(ASGIHandler())), CORSGUARD=POLICY)
    assert (message.id, message.is_serious()) == (UNKNOWN, False)
    assert found(Router(websocket=Mux(socket)), CORSGUARD=POLICY) == []


def test_application_around_itself_ends_the_search() -> None:
    circle = Inner(None)
    circle.inner = circle
    assert [each.id for each in found(circle)] == ["corsguard.asgi-unknown"]


def test_handshakes_without_enforce_are_not_checked() -> None:
    changed = {"CORSGUARD": POLICY}
    assert [each.id for each in found(Router(http=consumer(), websocket=socket), **changed)] == [
        HTTP
    ]
    assert found(by_function(), **changed) == []


@pytest.mark.parametrize("where", ["no.such.module", f"{__name__}.nothing", "", None])
def test_application_that_fails_to_import_is_not_reported(where: str | None) -> None:
    with override_settings(ASGI_APPLICATION=where):
        assert run_checks(tags=["corsguard"]) == []
