"""The ASGI adapter, asked with any scope."""

from __future__ import annotations

import asyncio
from typing import Any

from tools.fuzz.checks import Case, always, cases, check_answer, watch_the_log
from tools.fuzz.inputs import Request

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware

FIELDS = [(b"vary", b"Accept-Encoding"), (b"access-control-expose-headers", b"X-App")]


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept", "headers": []})
        return
    await send({"type": "http.response.start", "status": 200, "headers": FIELDS})
    await send({"type": "http.response.body", "body": b"application"})


async def always_async(origin: str) -> bool:
    return always(origin)


watch_the_log()
CASES = [
    *cases(),
    Case(
        Guard(Policy(allow_origins=[always_async])),
        lambda origin: origin not in {"null", "file://"},
    ),
]
APPS = [(case, CORSMiddleware(application, case.guard)) for case in CASES]
LOOP = asyncio.new_event_loop()


def asgi(data: bytes) -> None:
    """Check the responses to any scope, WebSocket handshakes included."""
    request = Request.of(data)
    case, app = APPS[request.variant % len(APPS)]
    websocket = bool(request.variant & 0x80)
    scope: dict[str, Any] = {
        "type": "websocket" if websocket else "http",
        "path": request.path.decode("utf-8", "surrogateescape"),
        "root_path": "/api" if request.variant & 0x40 else "",
        "headers": request.headers,
        "extensions": {"websocket.http.response": {}} if request.variant & 0x20 else None,
    }
    if not websocket:
        scope["method"] = request.method.decode("latin-1")
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect" if websocket else "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    LOOP.run_until_complete(app(scope, receive, send))
    first, *rest = sent
    if first["type"] == "websocket.close":
        assert (first["code"], rest) == (1008, [])
        return
    if first["type"] == "websocket.accept":
        assert rest == []
        return
    [body] = rest
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in first["headers"]]
    assert all(name == name.lower() for name, _ in fields)
    assert first["status"] in ({403} if websocket else {200, 204, 403})
    own = first["status"] == 200
    assert body["body"] == b"application" if own else body["body"] != b"application"
    check_answer(case, request, fields, None if own else body["body"])
