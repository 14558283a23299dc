"""The shadow mode of the Django middleware, around django-cors-headers."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path
from support.django_requests import APP, EVIL, Ask
from support.shadow import list_rows

from corsguard import CORSRequest, Guard, Policy
from corsguard_django import CORSMiddleware, cors_policy
from corsguard_django.channels import CORSMiddleware as ChannelsMiddleware
from corsguard_django.checks import check_configuration

OURS = "corsguard_django.CORSMiddleware"
THEIRS = "corsheaders.middleware.CorsMiddleware"
USERS = Policy(allow_origins=[EVIL], allow_credentials=True)
NOTHING = {"routes": {"/": None}, "shadow": True}
PREFLIGHT = {"Access_Control_Request_Method": "PUT"}


def api(_: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(["one", "two"]), status=299)


def fail(_: HttpRequest) -> HttpResponse:
    raise ValueError("of the application")


@cors_policy(USERS)
def own(_: HttpRequest) -> HttpResponse:
    return HttpResponse("own")


URLS: Any = ModuleType("shadow_urls")
URLS.urlpatterns = [path("api", api), path("fail", fail), path("own", own, name="own")]


def configure(setting: Any = None, *middleware: str) -> Any:
    return override_settings(
        CORSGUARD=setting,
        MIDDLEWARE=[*middleware, THEIRS],
        ROOT_URLCONF=URLS,
        CORS_ALLOW_ALL_ORIGINS=True,
        CORS_ALLOW_CREDENTIALS=True,
        INSTALLED_APPS=["corsheaders", "corsguard_django"],
    )


def read(response: Any) -> tuple[Any, ...]:
    body = b"" if response.streaming else response.content
    return response.status_code, [*response.headers.items()], response.streaming, body


@pytest.mark.parametrize(
    "setting", [NOTHING, {"allow_origins": [APP], "enforce": True, "shadow": True}]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("where", ["/api", "/own", "/fail", "/missing"])
def test_everything_passes_as_it_is(ask: Ask, setting: Any, method: str, where: str) -> None:
    for origin in ({}, {"Origin": APP}, {"Origin": EVIL}):
        for more in ({}, {"Cookie": "a=b"}, PREFLIGHT):
            with configure():
                expected = read(ask(method, where, **origin, **more))
            with configure(setting, OURS):
                assert read(ask(method, where, **origin, **more)) == expected


def test_differences_are_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with configure({"routes": {"/api": {"allow_origins": [APP]}}, "shadow": True}, OURS):
        ask("GET", "/api", Origin=EVIL, Cookie="a=b")
        ask("OPTIONS", "/api", Origin=EVIL, **PREFLIGHT)
        ask("GET", "/own", Origin=EVIL, Cookie="a=b")
        ask("GET", "/own", Origin=APP)

    assert list_rows(caplog) == [
        ("served-with-cookies", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("would-refuse", EVIL, "/api", "ORIGIN_NOT_ALLOWED", 1),
        ("served-with-cookies", EVIL, "own", "ALLOWED", 1),
        ("would-refuse", APP, "own", "ORIGIN_NOT_ALLOWED", 1),
    ]


def test_callables_are_asked(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    async def allow(origin: str, _: CORSRequest) -> bool:
        return origin == APP

    guard = Guard(Policy(allow_origins=[allow], allow_credentials=True))
    guard.shadow = True
    with configure(guard, OURS):
        ask("GET", "/api", Origin=APP, Cookie="a=b")
        ask("GET", "/api", Origin=EVIL)

    assert [row[:2] for row in list_rows(caplog)] == [
        ("served-with-cookies", APP),
        ("would-refuse", EVIL),
    ]


@pytest.mark.parametrize("is_async", [False, True])
def test_changed_setting_is_compared_from_the_next_request(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Access-Control-Allow-Origin": APP}

    def answer(_: HttpRequest) -> HttpResponse:
        return HttpResponse(headers=headers)

    async def answer_async(_: HttpRequest) -> HttpResponse:
        return HttpResponse(headers=headers)

    def send(middleware: Any) -> None:
        request = RequestFactory().get("/api", headers={"Origin": APP})
        response = middleware(request)
        if is_async:

            async def wait() -> None:
                await response

            asyncio.run(wait())

    with configure({**NOTHING, "routes": {"/": {"allow_origins": [APP]}}}, OURS):
        middleware = CORSMiddleware(answer_async if is_async else answer)
        for _ in range(2):
            send(middleware)
        assert list_rows(caplog) == []
        with override_settings(CORSGUARD=NOTHING):
            for _ in range(10):
                send(middleware)

    assert [row[-1] for row in list_rows(caplog)] == [1, 10]


def test_error_of_the_comparison_is_logged(
    ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_error(*_: object) -> None:
        raise LookupError("in a converter")

    monkeypatch.setattr("corsguard_django.views.Views.resolve", raise_error)
    with configure(NOTHING, OURS):
        assert ask("GET", "/api", Origin=APP).status_code == 299

    assert "the shadow mode failed: LookupError: in a converter" in caplog.text


def test_wrong_value_does_not_start(ask: Ask) -> None:
    with (
        configure({"allow_origins": [APP], "shadow": "yes"}, OURS),
        pytest.raises(ImproperlyConfigured, match="shadow"),
    ):
        ask("GET", "/api")


@pytest.mark.parametrize(
    ("middleware", "expected"),
    [
        ((OURS,), ["corsguard.shadow"]),
        ((THEIRS, OURS), ["corsguard.shadow", "corsguard.corsheaders"]),
    ],
)
def test_checks_of_the_shadow_mode(middleware: tuple[str, ...], expected: list[str]) -> None:
    guard = Guard({"/": None})
    guard.shadow = True
    for setting in (NOTHING, guard):
        with configure(setting, *middleware):
            found = [str(each.id) for each in check_configuration()]
        assert [each for each in found if each in expected] == expected
        assert ("corsguard.corsheaders" in found) is (len(expected) == 2)


def test_middleware_around_channels_passes_everything_on() -> None:
    seen: list[Any] = []

    async def application(*given: Any) -> None:
        seen.append(given)

    with configure({**NOTHING, "enforce": True}, OURS):
        around: Any = ChannelsMiddleware(application)
        asyncio.run(around({"type": "websocket"}, 1, 2))

    assert seen == [({"type": "websocket"}, 1, 2)]
