"""uvicorn and hypercorn over real sockets: HTTP/1.1, and HTTP/2 with hypercorn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse
from support.asgi_exchange import APP, EVIL, App
from support.servers.threaded import Run, by_hypercorn, by_uvicorn, serving
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from corsguard import Guard, Policy
from corsguard_asgi import CORSMiddleware
from corsguard_starlette import CORSGuard, cors_policy

POLICY = Policy(
    allow_origins=[APP],
    allow_credentials=True,
    allow_methods=["PUT"],
    allow_headers=["Content-Type"],
)
GUARD = Guard(POLICY, enforce=True)
ALLOWED = {
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "vary": "Origin",
}


class BrokenError(Exception):
    pass


async def bare(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})
        return
    if scope["path"] == "/crash":
        raise BrokenError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for chunk in (b"one ", b"two"):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body"})


def fastapi() -> FastAPI:
    app = FastAPI()

    @app.api_route("/", methods=["GET", "DELETE"])
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter((b"one ", b"two")))

    @app.get("/crash")
    def crash() -> None:
        raise BrokenError

    return app


def added() -> App:
    app = fastapi()
    app.add_middleware(CORSMiddleware, policy=GUARD)
    return app


def guarded() -> App:
    app = fastapi()
    CORSGuard(app, GUARD)
    app.add_api_route("/own", cors_policy(allow_origins=[EVIL])(lambda: "own"))
    return app


APPS: dict[str, App] = {
    "bare": CORSMiddleware(bare, GUARD),
    "fastapi": CORSMiddleware(fastapi(), GUARD),
    "fastapi-added": added(),
    "fastapi-guard": guarded(),
}
VERSIONS = [("HTTP/1.1", by_uvicorn), ("HTTP/1.1", by_hypercorn), ("HTTP/2", by_hypercorn)]


class Client(NamedTuple):
    http: httpx.Client
    version: str
    own_origin: str

    def ask(self, method: str, path: str, *headers: tuple[str, str]) -> httpx.Response:
        response = self.http.request(method, path, headers=[*headers])
        assert response.http_version == self.version
        return response


@contextmanager
def served(app: App, version: str, run: Run, kept_alive: int = 1) -> Iterator[Client]:
    http_2 = version == "HTTP/2"
    limits = httpx.Limits(max_keepalive_connections=kept_alive)
    with (
        serving(run, app) as url,
        httpx.Client(
            base_url=url, http1=not http_2, http2=http_2, timeout=10, limits=limits
        ) as http,
    ):
        yield Client(http, version, url)


def cors(response: httpx.Response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name == "vary" or name.startswith("access-control-")
    }


EVERYWHERE = pytest.mark.parametrize(
    ("version", "run"), VERSIONS, ids=lambda value: getattr(value, "__name__", value)
)
EVERY_APP = pytest.mark.parametrize("app", APPS.values(), ids=APPS.keys())


@EVERYWHERE
@EVERY_APP
def test_server_answers_every_kind_of_request(
    app: App, version: str, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    asked = ("Access-Control-Request-Method", "PUT")
    with served(app, version, run) as client:
        answer = client.ask("GET", "/", ("Origin", APP))
        assert (answer.status_code, answer.text, cors(answer)) == (200, "one two", ALLOWED)
        refused = client.ask("GET", "/", ("Origin", EVIL))
        assert (refused.status_code, cors(refused)) == (200, {"vary": "Origin"})
        plain = client.ask("GET", "/")
        assert (plain.status_code, cors(plain)) == (200, {"vary": "Origin"})
        twice = client.ask("GET", "/", ("Origin", APP), ("Origin", APP))
        assert cors(twice) == {"vary": "Origin"}

        preflight = client.ask("OPTIONS", "/", ("Origin", APP), asked)
        assert (preflight.status_code, preflight.content) == (204, b"")
        assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT"
        assert "content-length" not in preflight.headers
        assert client.ask("OPTIONS", "/", ("Origin", EVIL), asked).status_code == 403

        forged = client.ask("DELETE", "/", ("Origin", EVIL))
        assert (forged.status_code, forged.text[:11]) == (403, "corsguard: ")
        # Over HTTP/2 the server makes `host` of `:authority`.
        assert client.ask("DELETE", "/", ("Origin", client.own_origin)).status_code == 200
    assert errors_in(caplog) == []


@EVERYWHERE
@EVERY_APP
def test_500_has_cors_headers_and_one_log_line(
    app: App, version: str, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    # After an exception uvicorn closes the connection.
    with served(app, version, run, kept_alive=0) as client:
        for _ in range(2):
            answer = client.ask("GET", "/crash", ("Origin", APP))
            assert (answer.status_code, cors(answer)) == (500, ALLOWED)
            assert answer.text == "Internal Server Error"
    assert errors_in(caplog) == [BrokenError, BrokenError]


def errors_in(caplog: pytest.LogCaptureFixture) -> list[type[BaseException] | None]:
    """The exceptions that the server has written to its log, once it has stopped."""
    return [
        record.exc_info[0] if record.exc_info else None
        for record in caplog.records
        if record.levelname == "ERROR"
    ]


@pytest.mark.parametrize("run", [by_uvicorn, by_hypercorn])
def test_websocket_handshake_is_accepted_or_refused(run: Run) -> None:
    with serving(run, APPS["bare"]) as url:
        where = url.replace("http:", "ws:")
        with connect(where, additional_headers={"Origin": APP}) as accepted:
            assert list(accepted) == []
        with pytest.raises(InvalidStatus) as refused:
            connect(where, additional_headers={"Origin": EVIL})
        assert refused.value.response.status_code == 403
        assert refused.value.response.body.startswith(b"corsguard: cross-origin refused")
