"""The WSGI middleware behind a real server, over sockets, and while it is reconfigured."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from support.application import PLAIN, Fields
from support.http_client import Client
from support.stacks.wsgi import application, environ_of, through_validator
from support.table import APP, HOST, PREFLIGHT_VARY, origin, preflight

from corsguard import Guard, Policy
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"], allow_headers=["X-A"])
PATIENCE = 10  # seconds, where something is broken


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """A thread for each request, and none outlives a test."""


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def serve(app: WSGIApplication, policy: Policy | Guard = POLICY) -> Iterator[int]:
    """Yield the port at which the application answers."""
    guarded = CORSMiddleware(app, policy)
    with make_server(
        "127.0.0.1", 0, guarded, server_class=ThreadingServer, handler_class=QuietHandler
    ) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def client(port: int) -> Client:
    return Client(f"http://127.0.0.1:{port}")


@contextmanager
def connect(port: int, *lines: str) -> Iterator[socket.socket]:
    """Yield a socket on which a request was sent, line by line."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1"))
        yield client


def read_until(client: socket.socket, end: bytes) -> bytes:
    receive_all = b""
    while end not in receive_all:
        receive_all += (more := client.recv(65_536))
        assert more, f"the connection ended before {end!r}"
    return receive_all


def receive_all(port: int, *lines: str) -> str:
    """Return everything that the server sends until it closes the connection."""
    with connect(port, *lines) as client, client.makefile("rb") as answer:
        return answer.read().decode("latin-1")


def test_preflight_over_a_socket_is_answered() -> None:
    with serve(application) as port:
        answer = client(port).send("OPTIONS", "/items", fields=preflight(APP, "PUT", "x-a"))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers.keys() - answer.cors.keys() == {"date", "server"}
    assert answer.cors == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "GET, HEAD, POST, PUT",
        "access-control-allow-headers": "X-A",
        "access-control-max-age": "7200",
        "vary": f"Origin, {PREFLIGHT_VARY}",
    }


def test_head_response_has_headers_and_no_content() -> None:
    with serve(application) as port:
        answer = receive_all(port, "HEAD /items HTTP/1.1", f"Host: {HOST}", f"Origin: {APP}")
    head, content = answer.split("\r\n\r\n")
    assert content == ""
    assert f"Access-Control-Allow-Origin: {APP}\r\nVary: Origin" in head


def test_two_origin_lines_over_a_socket_are_invalid() -> None:
    with serve(application) as port:
        answer = receive_all(
            port,
            "OPTIONS /items HTTP/1.1",
            f"Origin: {APP}",
            f"Origin: {APP}",
            "Access-Control-Request-Method: PUT",
        )
    assert answer.startswith("HTTP/1.0 403 Forbidden\r\n")
    assert "\r\n\r\ncorsguard: origin invalid" in answer


def test_http_1_0_without_host_is_not_same_origin() -> None:
    with serve(application, Guard(POLICY, enforce=True)) as port:
        own = f"http://127.0.0.1:{port}"
        with_host = receive_all(port, "POST / HTTP/1.0", f"Host: {own[7:]}", f"Origin: {own}")
        without = receive_all(port, "POST / HTTP/1.0", f"Origin: {own}")
    assert with_host.startswith("HTTP/1.0 200 OK\r\n")
    assert without.startswith("HTTP/1.0 403 Forbidden\r\n")


def test_escaped_path_is_decoded_once() -> None:
    with serve(application, Guard({"/caf\xe9": POLICY})) as port:
        assert "vary" in client(port).send("GET", "/caf%C3%A9/x").headers
        assert "vary" not in client(port).send("GET", "/caf%25C3%25A9/x").headers
        assert "vary" not in client(port).send("GET", "/caf%C3%A9/%2e%2e/x").headers


def test_stream_arrives_while_it_is_produced() -> None:
    first_has_arrived = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"one"
        assert first_has_arrived.wait(PATIENCE)
        yield b"two"

    with serve(app) as port, connect(port, "GET / HTTP/1.1", f"Origin: {APP}") as client:
        head = read_until(client, b"one")
        first_has_arrived.set()
        assert read_until(client, b"two") == b"two"
    assert f"Access-Control-Allow-Origin: {APP}\r\n".encode() in head


def test_body_is_closed_once_when_the_client_disconnects() -> None:
    closed = threading.Semaphore(0)

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"more " * 10_000

        def close(self) -> None:
            closed.release()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        return Endless()

    with serve(app) as port:
        with connect(port, "GET / HTTP/1.1", f"Origin: {APP}") as client:
            read_until(client, b"more")
        assert closed.acquire(timeout=PATIENCE)
    assert not closed.acquire(blocking=False)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
def test_response_during_reconfigure_follows_one_policy() -> None:
    policies = [
        Policy(allow_origins=[APP], allow_methods=["PUT"], allow_headers=["X-A"], max_age=1),
        Policy(allow_origins=["*"], allow_methods=["PATCH"], expose_headers=["X-B"], max_age=2),
    ]
    app = CORSMiddleware(application, policies[0])
    requests = [("OPTIONS", preflight(APP, "PUT")), ("GET", origin(APP)), ("GET", [])]

    def answers() -> list[Fields]:
        return [
            through_validator(app, environ_of(method, "/items", headers))[1]
            for method, headers in requests
        ]

    def expected_of(policy: Policy) -> list[Fields]:
        app.guard.reconfigure(policy)
        return answers()

    expected = [expected_of(policy) for policy in policies]
    allowed = [list(either) for either in zip(*expected, strict=True)]
    wrong: list[Fields] = []
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            for answer, either in zip(answers(), allowed, strict=True):
                if answer not in either:
                    wrong.append(answer)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(200):
            app.guard.reconfigure(policies[turn % 2])
            assert answers() == expected[turn % 2]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
