"""corsguard around Channels: `enforce` covers what is served beside Django."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.middleware import BaseMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.testing import ApplicationCommunicator, WebsocketCommunicator
from django.core.asgi import get_asgi_application
from django.core.checks import CheckMessage, run_checks
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path, re_path
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from support.asgi_exchange import ask, scope_of
from support.django_requests import APP, EVIL

from corsguard import Guard, Policy
from corsguard_django import cors_exempt
from corsguard_django.channels import CORSMiddleware

HOST = "api.example.com"
OWN = f"https://{HOST}"
POLICY = Policy(allow_origins=[APP], allow_credentials=True, allow_methods=["PUT"])
CONNECTED: list[str] = []


class Chat(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        CONNECTED.append(self.scope["path"])
        await self.accept()


class Events(AsyncHttpConsumer):
    async def handle(self, body: bytes) -> None:
        await self.send_response(200, b"events", headers=[(b"Content-Type", b"text/plain")])


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("view")


@cors_exempt
def exempt(request: HttpRequest) -> HttpResponse:
    return HttpResponse("exempt")


urlpatterns = [path("view", view), path("exempt", exempt)]
SOCKETS = URLRouter([path("ws/chat", Chat.as_asgi())])
LAZY: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    """Return an application for ASGI_APPLICATION, made in the settings of the test."""
    try:
        return LAZY[name]
    except KeyError:
        raise AttributeError(name) from None


class Token(BaseMiddleware):
    """A middleware of a project."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await super().__call__({**scope, "token": ""}, receive, send)


class Mux:
    """A class of a project that answers handshakes and some paths by itself."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await SOCKETS(scope, receive, send)
        elif scope["path"] == "/upload":
            await Events.as_asgi()(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def timed(scope: Any, receive: Any, send: Any) -> None:
    await LAZY["django"](scope, receive, send)


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    CONNECTED.clear()
    guard = Guard(POLICY, enforce=True)
    with override_settings(
        CORSGUARD=guard,
        ROOT_URLCONF=__name__,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    ):
        django = get_asgi_application()
        events = URLRouter([path("events", Events.as_asgi()), re_path("", django)])
        authenticated = AuthMiddlewareStack(SOCKETS)
        validated = AllowedHostsOriginValidator(authenticated)
        LAZY.clear()
        LAZY.update(
            bare=ProtocolTypeRouter({"http": django, "websocket": authenticated}),
            validated=ProtocolTypeRouter({"http": django, "websocket": validated}),
            around=CORSMiddleware(ProtocolTypeRouter({"http": django, "websocket": authenticated})),
            branch=ProtocolTypeRouter({"http": django, "websocket": CORSMiddleware(validated)}),
            inside=ProtocolTypeRouter(
                {"http": django, "websocket": AuthMiddlewareStack(CORSMiddleware(SOCKETS))}
            ),
            some=ProtocolTypeRouter(
                {
                    "http": django,
                    "websocket": URLRouter(
                        [
                            path("a", CORSMiddleware(Chat.as_asgi())),
                            path("b", Chat.as_asgi()),
                        ]
                    ),
                }
            ),
            events=ProtocolTypeRouter({"http": events}),
            all=CORSMiddleware(ProtocolTypeRouter({"http": events, "websocket": authenticated})),
            django=django,
            sentry=SentryAsgiMiddleware(ProtocolTypeRouter({"http": SentryAsgiMiddleware(django)})),
            token=ProtocolTypeRouter({"http": django, "websocket": Token(SOCKETS)}),
            by_function=ProtocolTypeRouter({"http": timed}),
            mux=Mux(django),
            around_mux=CORSMiddleware(Mux(django)),
        )
        yield


def connects(application: str, origin: str | None) -> bool:
    headers = [(b"host", HOST.encode()), (b"cookie", b"sessionid=1")]
    if origin:
        headers.append((b"origin", origin.encode()))

    async def connect() -> bool:
        socket = WebsocketCommunicator(LAZY[application], "/ws/chat", headers=headers)
        connected, code = await socket.connect()
        if connected:
            await socket.disconnect()
        else:
            assert code == 1008
        return bool(connected)

    return asyncio.run(connect())


@pytest.mark.parametrize("application", ["around", "inside", "all", "around_mux"])
@pytest.mark.parametrize(
    ("origin", "expected"), [(EVIL, False), (APP, True), (OWN, True), (None, True)]
)
def test_handshake_that_no_policy_allows_is_refused(
    application: str, origin: str | None, expected: bool
) -> None:
    assert connects(application, origin) is expected
    assert bool(CONNECTED) is expected


@pytest.mark.parametrize(("origin", "expected"), [(EVIL, False), (OWN, True)])
def test_handshake_also_passes_the_validator_of_channels(origin: str, expected: bool) -> None:
    assert connects("branch", origin) is expected
    assert bool(CONNECTED) is expected


def test_handshake_outside_corsguard_is_accepted() -> None:
    assert connects("bare", EVIL)


def test_handshake_refusal_is_a_response_with_the_extension() -> None:
    scope = {
        "type": "websocket",
        "path": "/ws/chat",
        "headers": [(b"host", HOST.encode()), (b"origin", EVIL.encode())],
        "extensions": {"websocket.http.response": {}},
    }

    async def refuse() -> tuple[Any, Any]:
        socket = ApplicationCommunicator(LAZY["around"], scope)
        await socket.send_input({"type": "websocket.connect"})
        return await socket.receive_output(), await socket.receive_output()

    start, body = asyncio.run(refuse())
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert body["body"].startswith(b"corsguard: ")


def fetch(application: str, method: str, where: str, **headers: str) -> tuple[int, Any, bytes]:
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    answer = ask(LAZY[application], scope_of(method, where, fields))
    lines = [(name.lower(), value) for name, value in answer.fields]
    assert len(dict(lines)) == len(lines)  # no field is there twice
    cors = {
        name.removeprefix("access-control-"): value
        for name, value in lines
        if name.startswith(("access-control-", "vary"))
    }
    return answer.status, cors, answer.body


@pytest.mark.parametrize("application", ["around", "all"])
def test_http_of_django_is_decided_by_django_middleware(application: str) -> None:
    status, cors, body = fetch(application, "GET", "/view", Origin=APP)
    assert (status, body) == (200, b"view")
    assert cors == {"allow-origin": APP, "allow-credentials": "true", "vary": "Origin"}
    status, cors, body = fetch(application, "GET", "/exempt", Origin=APP)
    assert (status, cors, body) == (200, {}, b"exempt")
    asked = {"Access_Control_Request_Method": "PUT", "Origin": APP}
    assert fetch(application, "OPTIONS", "/exempt", **asked)[:2] == (200, {})
    assert fetch(application, "OPTIONS", "/view", **asked)[0] == 204


def test_http_outside_django_has_cors_headers() -> None:
    status, cors, body = fetch("all", "GET", "/events", Origin=APP)
    assert (status, body, cors["allow-origin"]) == (200, b"events", APP)
    asked = {"Access_Control_Request_Method": "PUT", "Origin": APP}
    assert fetch("all", "OPTIONS", "/events", **asked)[0] == 204
    assert fetch("all", "POST", "/events", Origin=EVIL)[0] == 403


def test_http_of_an_unknown_class_has_cors_headers() -> None:
    assert fetch("around_mux", "POST", "/upload", Origin=EVIL)[0] == 403
    status, cors, _ = fetch("around_mux", "POST", "/upload", Origin=APP)
    assert (status, cors["allow-origin"]) == (200, APP)
    assert fetch("around_mux", "GET", "/exempt", Origin=APP) == (200, {}, b"exempt")


def test_request_is_decided_once() -> None:
    guard = Guard(POLICY, enforce=True)
    reported: list[str] = []
    guard.subscribe(lambda decision, facts: reported.append(f"{facts.method} {facts.path}"))
    with override_settings(CORSGUARD=guard):
        fetch("all", "GET", "/view", Origin=APP)
        fetch("all", "GET", "/events", Origin=APP)
        fetch("all", "PUT", "/view", Origin=APP)
        connects("all", APP)
    assert reported == ["GET /view", "GET /events", "PUT /view", "GET /ws/chat"]


def found(application: str, **changed: Any) -> list[CheckMessage]:
    with override_settings(ASGI_APPLICATION=f"{__name__}.{application}", **changed):
        return [message for message in run_checks(tags=["corsguard"]) if ".asgi" in str(message.id)]


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        ("bare", ["corsguard.asgi-websocket"]),
        ("validated", ["corsguard.asgi-websocket"]),
        ("some", ["corsguard.asgi-websocket"]),
        ("events", ["corsguard.asgi-http"]),
        ("around", []),
        ("branch", []),
        ("inside", []),
        ("all", []),
        ("django", []),
        ("sentry", []),
        ("around_mux", []),
        ("token", ["corsguard.asgi-unknown"]),
        ("by_function", ["corsguard.asgi-unknown"]),
        ("mux", ["corsguard.asgi-unknown"]),
    ],
)
def test_protocol_outside_corsguard_is_an_error(application: str, expected: list[str]) -> None:
    messages = found(application)
    assert [message.id for message in messages] == expected
    # The validator of Channels refuses pages too, by a list of its own.
    is_sure = application != "validated" and "corsguard.asgi-unknown" not in expected
    assert all(message.is_serious() is is_sure for message in messages)
    assert all("CORSMiddleware(application)" in str(message.hint) for message in messages)


def test_handshakes_without_enforce_are_not_checked() -> None:
    assert found("bare", CORSGUARD=POLICY) == []
    assert [m.id for m in found("events", CORSGUARD=POLICY)] == ["corsguard.asgi-http"]
    [message] = found("by_function", CORSGUARD=POLICY)
    assert (message.id, message.is_serious()) == ("corsguard.asgi-unknown", False)
