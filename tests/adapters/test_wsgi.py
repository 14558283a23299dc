"""The WSGI middleware and PEP 3333."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from wsgiref.util import FileWrapper

import pytest
from support.application import PLAIN, CrashError, Fields, reply_to
from support.stacks.wsgi import STACKS, application, environ_of
from support.table import APP, EVIL, origin, preflight
from support.wsgi_server import POLICY, environ_from_app, run, send_and_read

from corsguard import Guard, Policy
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS = "Access-Control-Allow-Origin: https://app.example.com\r\nVary: Origin\r\n"


def ignore_response(
    status: str, headers: Fields, exc_info: object = None, /
) -> Callable[[bytes], object]:
    return io.BytesIO().write


class Body:
    """An iterable that counts how often it is closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed += 1


def answering(body: Iterable[bytes]) -> WSGIApplication:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        return body

    return app


def test_exc_info_before_the_headers_replaces_the_response() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN, ("X-Total", "1")])
        try:
            reply_to("GET", "/crash")
        except CrashError:
            start_response("500 Internal Server Error", [PLAIN], sys.exc_info())
        return [b"sorry"]

    sent = send_and_read(app)
    assert sent.startswith("Status: 500 Internal Server Error\r\n")
    assert HEADERS in sent
    assert sent.endswith("\r\n\r\nsorry")
    assert "X-Total" not in sent


def test_exc_info_after_the_headers_is_raised_again() -> None:
    raised: list[tuple[Exception, Exception]] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"begun"
        try:
            reply_to("GET", "/crash")
        except CrashError as error:
            try:
                start_response("500 Internal Server Error", [PLAIN], sys.exc_info())
            except CrashError as again:
                raised.append((error, again))
                raise

    server = run(CORSMiddleware(app, POLICY), environ_from_app())
    [(error, again)] = raised
    assert again is error
    assert "CrashError" in server.errors.getvalue()
    sent = server.sent.getvalue().decode()
    assert sent.startswith("Status: 200 OK\r\n")
    assert HEADERS in sent
    assert sent.endswith("\r\n\r\nbegun")


def test_second_start_response_is_rejected_by_the_server() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        start_response("200 OK", [PLAIN])
        return []

    server = run(CORSMiddleware(app, POLICY), environ_from_app())
    assert "Headers already set" in server.errors.getvalue()


def test_write_callable_is_the_servers() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [PLAIN])
        write(b"written ")
        return [b"returned"]

    sent = send_and_read(app)
    assert HEADERS in sent
    assert sent.endswith("\r\n\r\nwritten returned")


def test_generator_starts_its_response_on_first_iteration() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        yield b"late"

    sent = send_and_read(app)
    assert HEADERS in sent
    assert sent.endswith("\r\n\r\nlate")


def test_exc_info_may_be_a_keyword() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN], exc_info=None)  # type: ignore[call-arg]
        return [b"named"]

    assert send_and_read(app).endswith(f"{HEADERS}Content-Length: 5\r\n\r\nnamed")


def test_body_is_closed_once() -> None:
    body = Body([b"one ", b"two"])
    assert send_and_read(answering(body)).endswith("\r\n\r\none two")
    assert body.closed == 1


def test_body_that_raises_is_closed_once() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"begun"
        raise CrashError

    body = Body(chunks())
    run(CORSMiddleware(answering(body), POLICY), environ_from_app())
    assert body.closed == 1


def test_body_is_passed_on_unchanged() -> None:
    body = Body([b"one"])
    assert CORSMiddleware(answering(body), POLICY)(environ_from_app(), ignore_response) is body


def test_first_chunk_arrives_before_the_second_is_produced() -> None:
    made: list[bytes] = []

    def chunks() -> Iterator[bytes]:
        for chunk in (b"one", b"two"):
            made.append(chunk)
            yield chunk

    body = iter(CORSMiddleware(answering(chunks()), POLICY)(environ_from_app(), ignore_response))
    assert made == []
    assert next(body) == b"one"
    assert made == [b"one"]


def test_file_wrapper_of_the_server_is_passed_on() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [PLAIN])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"a file"))
        return wrapped

    environ = environ_from_app() | {"wsgi.file_wrapper": FileWrapper}
    assert isinstance(CORSMiddleware(app, POLICY)(environ, ignore_response), FileWrapper)
    assert send_and_read(app).endswith("\r\n\r\na file")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_status_and_headers_are_native_strings(method: str) -> None:
    started: list[tuple[str, Fields]] = []

    def start_response(
        status: str, headers: Fields, exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return io.BytesIO().write

    guard = Guard(Policy(allow_origins=[APP], allow_headers=["X-A"]), enforce=True)
    app = CORSMiddleware(application, guard)
    app(environ_of("OPTIONS", "/", preflight(APP, method, "x-a")), start_response)
    app(environ_of(method, "/", origin(APP)), start_response)
    app(environ_of(method, "/", origin(EVIL)), start_response)
    for status, headers in started:
        assert type(headers) is list
        assert {type(text) for text in (status, *sum(headers, ()))} == {str}


def test_headers_changed_by_the_server_stay_its_own() -> None:
    """Return a new list for each request, as PEP 3333 says."""

    def start_response(
        status: str, headers: Fields, exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        seen.append(list(headers))
        headers.clear()
        return io.BytesIO().write

    seen: list[Fields] = []
    app = CORSMiddleware(application, POLICY)
    for environ in (environ_of("OPTIONS", "/", preflight(APP, "GET")), environ_from_app()):
        app(dict(environ), start_response)
        app(dict(environ), start_response)
    assert seen[0] == seen[1] != []
    assert seen[2] == seen[3] != []


def test_other_headers_keep_their_order_lines_and_bytes() -> None:
    headers = [("Set-Cookie", "a=1"), ("x-name", "caf\xe9 \xff"), PLAIN, ("Set-Cookie", "b=2")]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [b""]

    sent = "".join(f"{name}: {value}\r\n" for name, value in headers)
    assert send_and_read(app).startswith(f"Status: 200 OK\r\n{sent}{HEADERS}")
    assert len(headers) == 4


def test_exception_of_a_bare_application_passes_through() -> None:
    for stack in STACKS:
        client = stack.build(Guard(POLICY))
        if not stack.catches:
            with pytest.raises(CrashError):
                client.send("GET", "/crash", origin(APP))


def test_preflight_response_has_no_content_length() -> None:
    sent = send_and_read(application, environ_of("OPTIONS", "/", preflight(APP, "GET")))
    assert sent == (
        "Status: 204 No Content\r\n"
        "Access-Control-Allow-Origin: https://app.example.com\r\n"
        "Access-Control-Max-Age: 7200\r\n"
        "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"
        "\r\n"
    )
