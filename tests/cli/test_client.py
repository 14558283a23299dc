"""What a server may do instead of answering: one clear line for each, and no waiting for ever."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from support.audit.serving import PATIENCE, Say, saying, unserved, wsgi

from corsguard.browser.messages import Answer, Fields, SendError, Sent
from corsguard.cli.client import Client, Limits

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CERTIFICATE = str(Path(__file__).parents[1] / "support/audit/certificate.pem")
PATIENT = Limits(seconds=PATIENCE, seconds_to_connect=PATIENCE)
OK = b"HTTP/1.1 200 OK\r\n"


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Fields = (),
    limits: Limits = PATIENT,
    verify: bool | str = True,
) -> Answer:
    with Client(url, limits=limits, verify=verify) as client:
        return client.send(Sent(method, url, headers))


def failure(url: str, limits: Limits = PATIENT, verify: bool | str = True) -> str:
    with pytest.raises(SendError) as raised:
        ask(url, limits=limits, verify=verify)
    message = str(raised.value)
    assert "\n" not in message
    return message


def sends(*parts: bytes) -> Say:
    """Sends this, and closes the connection."""

    def say(connection: socket.socket, request: bytes, over: Event) -> None:
        for part in parts:
            connection.sendall(part)

    return say


def waits(*parts: bytes) -> Say:
    """Sends this, and keeps the connection."""

    def say(connection: socket.socket, request: bytes, over: Event) -> None:
        sends(*parts)(connection, request, over)
        over.wait()

    return say


def drips(start: bytes, drop: bytes) -> Say:
    """Sends drop after drop, without end."""

    def say(connection: socket.socket, request: bytes, over: Event) -> None:
        connection.sendall(start)
        while not over.wait(0.01):
            connection.sendall(drop)

    return say


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (sends(), "it closed the connection before it sent a response"),
        (sends(b"garbage\r\n\r\n"), "its response is not HTTP"),
        (sends(OK, b"no colon\r\n\r\n"), "its response is not HTTP"),
        (sends(OK, b"X: ", b"a" * 200_000), "its header fields are too large"),
        (
            sends(OK, b"Content-Length: 9\r\n\r\nabc"),
            "it closed the connection in the middle of the body",
        ),
        (
            sends(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "its response is not HTTP",
        ),
    ],
)
def test_response_that_is_not_http_is_an_error(say: Say, message: str) -> None:
    with saying(say) as url:
        assert failure(url) == f"127.0.0.1: {message}"


@pytest.mark.parametrize(
    ("say", "seconds", "what"),
    [
        (waits(), 0.3, "no response"),
        (drips(OK, b"X: a\r\n"), 0.3, "no response"),
    ],
)
def test_exchange_that_does_not_end_is_an_error(say: Say, seconds: float, what: str) -> None:
    with saying(say) as url:
        message = failure(url, PATIENT._replace(seconds=seconds))
    assert message == f"127.0.0.1: {what} within {seconds} s"


@pytest.mark.parametrize(
    "say",
    [
        drips(OK + b"\r\n", b"a"),
        drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        waits(OK, b"Content-Length: 9\r\n\r\naaa"),
        waits(OK, b"Content-Type: text/plain\r\n\r\n"),
    ],
    ids=["drips", "drips in chunks", "stops", "sends none"],
)
def test_body_that_does_not_end_is_cut(say: Say) -> None:
    with saying(say) as url:
        answer = ask(url, limits=PATIENT._replace(seconds_for_body=0.1))
    assert answer.status == 200
    assert set(answer.body) <= {ord("a")}


def test_body_has_no_more_time_than_the_exchange() -> None:
    with saying(drips(OK + b"\r\n", b"a")) as url:
        # The answer must have begun by then, on a busy machine too.
        answer = ask(url, limits=PATIENT._replace(seconds=3, seconds_for_body=PATIENCE))
    assert answer.status == 200


@pytest.mark.parametrize("kind", [b"text/event-stream", b"Text/Event-Stream; charset=utf-8"])
def test_body_of_an_event_stream_is_not_read(kind: bytes) -> None:
    with saying(waits(OK, b"Content-Type: ", kind, b"\r\n\r\ndata: 1\n\n")) as url:
        answer = ask(url, limits=PATIENT._replace(seconds_for_body=PATIENCE))
    assert (answer.status, answer.body) == (200, b"")


def test_connection_that_breaks_is_an_error() -> None:
    def reset(connection: socket.socket, request: bytes, over: Event) -> None:
        linger = b"\1\0\0\0\0\0\0\0"  # on, for no time: the close is a reset
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with saying(reset) as url:
        assert failure(url) == "127.0.0.1: connection reset by peer"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_without_a_server_refuses_connections(host: str) -> None:
    with unserved() as port:
        assert failure(f"http://{host}:{port}/") == f"{host}: connection refused"


def test_host_that_does_not_exist_is_an_error() -> None:
    assert failure("http://nobody.invalid/") == "nobody.invalid: the host does not exist"


@pytest.mark.parametrize("url", ["ftp://a.example/", "a.example", "http:///items", "/items"])
def test_url_of_another_scheme_is_an_error(url: str) -> None:
    assert failure(url) == f"{url} is not an http or https URL"


@pytest.mark.parametrize("user", ["ada", "ada:secret"])
def test_url_with_a_user_is_an_error_that_hides_it(user: str) -> None:
    message = failure(f"http://{user}@a.example/")
    assert message == "the URL contains a user: send an Authorization header instead"


@pytest.mark.parametrize("url", ["http://[/", "http://a.example:x/", "http://\x00/"])
def test_invalid_url_is_an_error(url: str) -> None:
    assert failure(url) == f"{url} is not a URL"


def test_certificate_is_checked() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    with saying(sends(OK, b"\r\nabc"), tls) as url:
        assert re.fullmatch(
            "127.0.0.1: TLS fails: self.signed certificate(?: in certificate chain)?", failure(url)
        )


@pytest.mark.parametrize("verify", [False, CERTIFICATE])
def test_certificate_in_the_given_file_is_trusted(verify: bool | str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    with saying(sends(OK, b"Content-Length: 3\r\n\r\nabc"), tls) as url:
        assert ask(url, verify=verify).body == b"abc"


@pytest.mark.parametrize(
    ("say", "limits", "message"),
    [
        (sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), PATIENT, "TLS fails: wrong version number"),
        (waits(), PATIENT._replace(seconds_to_connect=0.2), "no connection within 0.2 s"),
    ],
)
def test_server_without_tls_is_an_error(say: Say, limits: Limits, message: str) -> None:
    with saying(say) as url:
        assert failure(url.replace("http:", "https:"), limits) == f"127.0.0.1: {message}"


@pytest.mark.parametrize(
    ("file", "why"),
    [("nothing.pem", "no such file or directory"), (__file__, "no certificate or crl found")],
)
def test_file_without_certificates_is_an_error(file: str, why: str) -> None:
    message = failure("https://127.0.0.1/", verify=file)
    assert message == f"{file} has no certificates to trust: {why}"


def test_long_body_is_cut() -> None:
    with saying(sends(OK + b"\r\n", b"a" * 100_000)) as url:
        assert ask(url) == Answer(200, (), b"a" * 65_536)


def test_fast_body_without_end_is_cut() -> None:
    with saying(drips(OK + b"\r\n", b"a" * 50_000)) as url:
        limits = PATIENT._replace(seconds_for_body=PATIENCE)
        assert ask(url, limits=limits) == Answer(200, (), b"a" * 65_536)


def test_url_with_an_empty_user_has_none() -> None:
    with saying(sends(OK, b"Content-Length: 0\r\n\r\n")) as url:
        assert ask(url.replace("http://", "http://:@")).status == 200


def test_response_has_every_header_line_and_no_redirect() -> None:
    head = b"HTTP/1.1 302 Found\r\nX-A: 1\r\nx-a: \xe9\r\nLocation: http://[\r\n"
    with saying(sends(head, b"Content-Length: 0\r\n\r\n")) as url:
        assert ask(url) == Answer(
            302,
            (("X-A", "1"), ("x-a", "\xe9"), ("Location", "http://["), ("Content-Length", "0")),
            b"",
        )


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("", "/"),
        ("?q=1", "/?q=1"),
        ("/a/../b//c/%2e%2e/%41", "/a/../b//c/%2e%2e/%41"),
        ("//a", "//a"),
        ("/caf\xe9?q=\xe9#there", "/caf%C3%A9?q=%C3%A9"),
    ],
)
def test_path_is_sent_unchanged(target: str, sent: str) -> None:
    lines: list[bytes] = []

    def say(connection: socket.socket, request: bytes, over: Event) -> None:
        lines.append(request.partition(b"\r\n")[0])
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")

    with saying(say) as url:
        ask(url.removesuffix("/") + target)
    assert lines == [f"GET {sent} HTTP/1.1".encode()]


def test_request_has_the_given_fields_only() -> None:
    seen: list[dict[str, str]] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append({name: environ[name] for name in environ if name.startswith("HTTP_")})
        start_response("200 OK", [("Set-Cookie", "a=1")])
        return []

    with wsgi(app) as url, Client(url) as client:
        client.send(Sent("GET", url, (("Origin", "null"), ("X-A", "\xe9"))))
        client.send(Sent("GET", url, (("User-Agent", "a browser"),)))
    host = url.split("/")[2]
    assert seen == [
        {
            "HTTP_HOST": host,
            "HTTP_ORIGIN": "null",
            "HTTP_X_A": "\xe9",
            "HTTP_USER_AGENT": "corsguard",
        },
        {"HTTP_HOST": host, "HTTP_USER_AGENT": "a browser"},
    ]


def test_invalid_header_is_an_error() -> None:
    with saying(sends(OK)) as url, pytest.raises(SendError) as raised:
        ask(url, headers=(("X-A", "a\r\nX-B: b"),))
    assert str(raised.value) == "127.0.0.1: the request can't be sent"


def test_request_to_another_host_is_an_error() -> None:
    with Client("http://127.0.0.1/") as client, pytest.raises(SendError) as raised:
        client.send(Sent("GET", "http://elsewhere.example/", ()))
    assert str(raised.value) == "nothing is sent to elsewhere.example, only to 127.0.0.1"


def test_unsafe_method_is_sent_only_if_given() -> None:
    with saying(sends(OK, b"Content-Length: 0\r\n\r\n")) as url:
        with pytest.raises(SendError) as raised:
            ask(url, method="DELETE")
        assert str(raised.value) == "DELETE is not sent: it may change data"
        with Client(url, methods=["PUT"]) as client:
            assert client.send(Sent("PUT", url, (), b"abc")).status == 200


class Time:
    """A clock that advances only by `sleep` and by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_requests_are_spaced_by_the_rate() -> None:
    time = Time()
    limits = PATIENT._replace(per_second=4)
    with (
        saying(sends(OK, b"Content-Length: 0\r\n\r\n")) as url,
        Client(url, limits=limits, clock=time.clock, sleep=time.sleep) as client,
    ):
        for passed, slept in [(0, []), (0, [0.25]), (0.125, [0.125]), (0, [0.25]), (0.5, [])]:
            time.now += passed
            client.send(Sent("GET", url, ()))
            assert time.slept == slept
            time.slept.clear()


def test_requests_over_the_limit_are_an_error() -> None:
    limits = PATIENT._replace(per_second=1_000, requests=3)
    with saying(sends(OK, b"Content-Length: 0\r\n\r\n")) as url, Client(url, limits=limits) as one:
        for _ in range(3):
            one.send(Sent("GET", url, ()))
        with pytest.raises(SendError) as raised:
            one.send(Sent("GET", url, ()))
    assert str(raised.value) == "the limit of 3 requests is reached"
