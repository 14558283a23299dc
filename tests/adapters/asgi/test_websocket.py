"""WebSocket handshakes: refused before they are accepted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from support.asgi_exchange import (
    APP,
    CONNECT,
    EVIL,
    Answering,
    Exchange,
    Message,
    ask,
    websocket_scope,
)

from corsguard import Guard, Policy, Reason
from corsguard_asgi import CORSMiddleware

POLICY = Policy(allow_origins=[APP])
DENIAL: dict[str, object] = {"websocket.http.response": {}}
ACCEPTED: list[Message] = [{"type": "websocket.accept", "headers": []}]


def connect(app: Any, guard: Guard, *headers: tuple[str, str], **others: Any) -> Exchange:
    return ask(CORSMiddleware(app, guard), websocket_scope(headers, **others))


def enforced() -> Guard:
    return Guard(POLICY, enforce=True)


def test_refused_handshake_is_closed() -> None:
    app = Answering()
    answer = connect(app, enforced(), ("Origin", EVIL))
    assert answer.sent == [{"type": "websocket.close", "code": 1008}]
    assert (answer.error, app.calls) == (None, [])


def test_refused_handshake_with_the_extension_is_a_403() -> None:
    app = Answering()
    answer = connect(app, enforced(), ("Origin", EVIL), extensions=DENIAL)
    [start, body] = answer.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 403)
    assert (b"vary", b"Origin") in start["headers"]
    assert (b"content-type", b"text/plain; charset=utf-8") in start["headers"]
    assert body["type"] == "websocket.http.response.body"
    assert body["body"].startswith(b"corsguard: cross-origin refused")
    assert app.calls == []


@pytest.mark.parametrize("extensions", [None, {}, {"tls": {}}])
def test_refused_handshake_with_other_extensions_is_closed(extensions: Any) -> None:
    answer = connect(Answering(), enforced(), ("Origin", EVIL), extensions=extensions)
    assert [message["type"] for message in answer.sent] == ["websocket.close"]


def test_nothing_is_sent_before_the_connect_event() -> None:
    order: list[str] = []

    async def receive() -> Message:
        order.append("received")
        return CONNECT

    async def send(message: Message) -> None:
        order.append(message["type"])

    scope = websocket_scope([("Origin", EVIL)])
    asyncio.run(CORSMiddleware(Answering(), enforced())(scope, receive, send))
    assert order == ["received", "websocket.close"]


def test_nothing_is_sent_to_a_disconnected_client() -> None:
    scope = websocket_scope([("Origin", EVIL)], extensions=DENIAL)
    gone: Message = {"type": "websocket.disconnect", "code": 1006}
    assert ask(CORSMiddleware(Answering(), enforced()), scope, gone).sent == []


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([("Origin", APP)], Reason.ALLOWED),
        ([("Origin", "https://api.example.com")], Reason.SAME_ORIGIN),
        ([("Origin", EVIL), ("Sec-Fetch-Site", "same-origin")], Reason.SAME_ORIGIN),
        ([], Reason.NOT_CORS),
    ],
)
def test_other_handshakes_pass_unchanged(headers: Any, reason: Reason) -> None:
    app = Answering()
    assert connect(app, enforced(), *headers).sent == ACCEPTED
    assert app.decision.reason is reason


def test_handshake_with_a_cookie_needs_allow_credentials() -> None:
    cookie = ("Cookie", "session=1")
    refused = connect(Answering(), enforced(), ("Origin", APP), cookie)
    assert [message["type"] for message in refused.sent] == ["websocket.close"]
    policy = Policy(allow_origins=[APP], allow_credentials=True)
    passed = connect(Answering(), Guard(policy, enforce=True), ("Origin", APP), cookie)
    assert passed.sent == ACCEPTED


@pytest.mark.parametrize("upgrade", [[], [("Upgrade", "websocket")]])
def test_http_2_handshake_without_upgrade_is_refused(upgrade: Any) -> None:
    answer = connect(Answering(), enforced(), ("Origin", EVIL), *upgrade, http_version="2")
    assert [message["type"] for message in answer.sent] == ["websocket.close"]


def test_handshake_under_report_is_accepted() -> None:
    app = Answering()
    assert connect(app, Guard(POLICY, enforce="report"), ("Origin", EVIL)).sent == ACCEPTED
    assert app.decision.reason is Reason.CROSS_ORIGIN_REFUSED


def test_handshake_of_an_exempt_path_is_accepted() -> None:
    guard = Guard(POLICY, enforce=True, enforce_exempt=["/items"])
    assert connect(Answering(), guard, ("Origin", EVIL)).sent == ACCEPTED


def test_handshake_without_enforce_is_accepted() -> None:
    assert connect(Answering(), Guard(POLICY), ("Origin", EVIL)).sent == ACCEPTED


@pytest.mark.parametrize("root_path", ["", "/svc"])
def test_handshake_policy_is_that_of_the_path_without_root_path(root_path: str) -> None:
    async def accept(websocket: WebSocket) -> None:
        await websocket.accept()

    app = CORSMiddleware(
        Starlette(routes=[WebSocketRoute("/ws", accept)]), Guard({"/ws": POLICY}, enforce=True)
    )
    scope = websocket_scope([("Origin", APP)], path=f"{root_path}/ws", root_path=root_path)
    assert [message["type"] for message in ask(app, scope).sent] == ["websocket.accept"]


def test_unknown_application_under_a_root_path_has_no_route() -> None:
    guard = Guard({"/": POLICY}, enforce=True)
    scope = websocket_scope([("Origin", APP)], path="/svc/ws", root_path="/svc")
    refused = ask(CORSMiddleware(Answering(), guard), scope)
    assert [message["type"] for message in refused.sent] == ["websocket.close"]


def test_exception_of_a_websocket_application_is_only_raised() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise LookupError

    answer = connect(app, enforced(), ("Origin", APP))
    assert (answer.sent, type(answer.error)) == ([], LookupError)
