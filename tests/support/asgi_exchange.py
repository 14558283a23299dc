"""One request to an ASGI application, without a server, and all that it sends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

from corsguard import Decision

Message = MutableMapping[str, Any]
RawFields = list[tuple[bytes, bytes]]
App = Callable[[Any, Any, Any], Awaitable[None]]

APP = "https://app.example.com"
EVIL = "https://evil.example"
CONNECT: Message = {"type": "websocket.connect"}
REQUEST: Message = {"type": "http.request", "body": b"", "more_body": False}


class Exchange(NamedTuple):
    sent: list[Message]
    error: BaseException | None
    """What the server is left with to log."""

    @property
    def start(self) -> Message:
        [start] = [message for message in self.sent if message["type"] == "http.response.start"]
        return start

    @property
    def status(self) -> int:
        status: int = self.start["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(
            message.get("body", b"")
            for message in self.sent
            if message["type"] == "http.response.body"
        )

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [(name.decode(), value.decode("latin-1")) for name, value in self.start["headers"]]

    @property
    def cors(self) -> dict[str, str]:
        """The fields of the CORS protocol and `Vary`, of which there is one line each."""
        names = [name for name, _ in self.fields if name.lower() == "vary" or "access" in name]
        assert len(names) == len(set(names))
        return {name: value for name, value in self.fields if name in names}


def scope_of(
    method: str = "GET",
    path: str = "/items",
    headers: Iterable[tuple[str, str]] = (),
    **others: Any,
) -> Message:
    """What a server makes of a request, to `api.example.com` where it names no other."""
    fields = raw(headers)
    if b"host" not in dict(fields):
        fields.append((b"host", b"api.example.com"))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": fields,
        "client": ("192.0.2.1", 50000),
        "server": ("api.example.com", 443),
        **others,
    }


def websocket_scope(headers: Iterable[tuple[str, str]] = (), **others: Any) -> Message:
    scope = scope_of(headers=headers, type="websocket", scheme="wss", subprotocols=[], **others)
    del scope["method"]
    return scope


def raw(headers: Iterable[tuple[str, str]]) -> RawFields:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


async def exchange(app: App, scope: Message, *received: Message) -> Exchange:
    """The whole of a request: the client stays connected until it has got all of its answer."""
    kind = scope["type"]
    waiting = list(received or (CONNECT if kind == "websocket" else REQUEST,))
    sent: list[Message] = []
    answered = asyncio.Event()

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await answered.wait()
        return {"type": f"{kind}.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        body = message["type"].endswith(".body") and not message.get("more_body")
        if body or message["type"] == "websocket.close":
            answered.set()

    try:
        await app(scope, receive, send)
    except Exception as error:
        return Exchange(sent, error)
    return Exchange(sent, None)


def ask(app: App, scope: Message, *received: Message) -> Exchange:
    return asyncio.run(exchange(app, scope, *received))


def get(app: App, path: str = "/items", origin: str | None = APP, **others: Any) -> Exchange:
    headers = [] if origin is None else [("Origin", origin)]
    return ask(app, scope_of("GET", path, headers, **others))


class Answering:
    """An application that answers `ok`, and keeps what it was called with."""

    def __init__(self, headers: Any = ((b"content-type", b"text/plain"),)) -> None:
        self.headers = headers
        self.calls: list[tuple[Message, Any, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls.append((scope, receive, send))
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "headers": []})
            return
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"ok"})

    @property
    def decision(self) -> Decision:
        [(scope, _, _)] = self.calls
        decision: Decision = scope["corsguard.decision"]
        return decision
