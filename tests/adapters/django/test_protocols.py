"""The system checks of what ASGI_APPLICATION serves besides Django."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from adapters.django.asking import APP
from adapters.django.routers import (
    Inner,
    Router,
    URLRouter,
    Validator,
    by_function,
    events,
    re_route,
    route,
    socket,
)
from django.core.checks import CheckMessage, run_checks
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

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


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Router(http=ASGIHandler(), websocket=socket), [SOCKET]),
        (lambda: Router(http=ASGIHandler(), websocket=Inner(Validator(socket))), [SOCKET]),
        (lambda: Router(websocket=URLRouter(route("ws", socket))), [SOCKET]),
        (
            lambda: Router(
                websocket=URLRouter(route("a", CORSMiddleware(socket)), route("b", socket))
            ),
            [SOCKET],
        ),
        (lambda: Router(webtransport=socket), ["corsguard.asgi-webtransport"]),
        (lambda: Inner(Router(http=ASGIHandler(), websocket=socket)), [SOCKET]),
        (lambda: Router(http=events, websocket=socket), [SOCKET, HTTP]),
        (lambda: Router(http=URLRouter(route("e", events), re_route("", ASGIHandler()))), [HTTP]),
        (lambda: Router(http=by_function()), [HTTP]),
        (lambda: Router(http=Router(http=events)), [HTTP]),
        (lambda: CORSMiddleware(Router(http=events, websocket=socket)), []),
        (lambda: Inner(CORSMiddleware(Router(http=events, websocket=socket))), []),
        (lambda: PlainMiddleware(Router(http=events, websocket=socket), POLICY), []),
        (lambda: Router(http=Inner(ASGIHandler()), websocket=CORSMiddleware(socket)), []),
        (lambda: Router(websocket=Inner(Validator(CORSMiddleware(socket)))), []),
        (lambda: Router(http=URLRouter(re_route("", ASGIHandler())), lifespan=socket), []),
        (lambda: Router(websocket=ASGIHandler()), []),  # which accepts none
        (lambda: Router(), []),
        (ASGIHandler, []),
        (lambda: Inner(ASGIHandler()), []),
        (by_function, ["corsguard.asgi-unknown"]),
        (lambda: CORSMiddleware(by_function()), []),
    ],
)
def test_what_is_served_outside_of_corsguard_is_found(make: Any, expected: list[str]) -> None:
    messages = found(make())
    assert [message.id for message in messages] == expected
    for message in messages:
        assert message.is_serious() is (message.id != "corsguard.asgi-unknown")
        assert "application = CORSMiddleware(application)" in str(message.hint)
        assert "corsguard_django.channels" in str(message.hint)


def test_application_around_itself_ends_the_search() -> None:
    circle = Inner(None)
    circle.inner = circle
    assert [each.id for each in found(circle)] == ["corsguard.asgi-unknown"]


def test_without_enforce_only_http_is_an_error() -> None:
    changed = {"CORSGUARD": POLICY}
    assert [each.id for each in found(Router(http=events, websocket=socket), **changed)] == [HTTP]
    assert found(by_function(), **changed) == []


@pytest.mark.parametrize("where", ["no.such.module", f"{__name__}.nothing", "", None])
def test_application_that_can_not_be_imported_is_left_to_the_server(where: str | None) -> None:
    with override_settings(ASGI_APPLICATION=where):
        assert run_checks(tags=["corsguard"]) == []
