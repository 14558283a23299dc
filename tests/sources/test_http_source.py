"""A policy from a web server: conditional requests, failures, redirects and credentials."""

from __future__ import annotations

import gzip
import logging
import os
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.certificates import write_certificate

from corsguard import Guard
from corsguard.sources import SourceEmptyError, SourceError, http_source
from corsguard.sources.document_text import MAX_BYTES
from corsguard.sources.http_source import HTTPSource
from corsguard.sources.signature import load_signing_key, sign

Respond = Callable[[BaseHTTPRequestHandler], object]


class Server:
    """A web server whose response is a function, and the header fields of its requests."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[dict[str, str]] = []
        self.respond: Respond = text_response("a = 1")
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fields = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(fields | {":path": self.path})
                server.respond(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def url(self, user: str = "", path: str = "/policy.toml") -> str:
        return f"{self._scheme}://{user}127.0.0.1:{self._server.server_port}{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def text_response(text: str | bytes, status: int = 200, **fields: Any) -> Respond:
    """Respond with a text. Underscores in the names of fields become hyphens."""
    body = text.encode() if isinstance(text, str) else text

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def trickle(start: bytes) -> Respond:
    """Respond with a byte now and then, for ever."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(start)
            while True:
                handler.wfile.write(b"a")
                time.sleep(0.02)
        except OSError:  # the client has gone
            handler.close_connection = True

    return respond


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("CORSGUARD_SOURCE_TOKEN", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def secure_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    certificate, key = write_certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    running = Server(context)
    yield running
    running.stop()


def load_error(source: HTTPSource) -> str:
    with pytest.raises(SourceError) as caught:
        source.load()
    assert caught.value.__cause__ is None
    text = str(caught.value)
    assert "\n" not in text
    return text


# Documents


def test_document_has_the_entity_tag_as_version(server: Server) -> None:
    server.respond = text_response("a = 1", ETag='W/"v7"')

    assert HTTPSource(server.url()).load() == ("v7", "a = 1")


@pytest.mark.parametrize("fields", [{}, {"ETag": '"' + "x" * 65 + '"'}, {"ETag": '"\xe9"'}])
def test_version_without_readable_tag_is_a_checksum(server: Server, fields: dict[str, Any]) -> None:
    server.respond = text_response("a = 1", **fields)
    source = HTTPSource(server.url())

    first = source.load()
    server.respond = text_response("a = 2", **fields)
    second = source.load()

    assert len(first.version) == len(second.version) == 12
    assert first.version != second.version


def test_version_is_the_signed_number(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 32)
    text = sign("a = 1\n", 12, load_signing_key(tmp_path / "key"))
    server.respond = text_response(text, ETag='"v7"')

    assert HTTPSource(server.url()).load() == ("12", text)


def test_compressed_document_is_read(server: Server) -> None:
    server.respond = text_response(gzip.compress(b"a = 1"), Content_Encoding="gzip")

    assert HTTPSource(server.url()).load().text == "a = 1"


@pytest.mark.parametrize(
    ("field", "value", "condition"),
    [
        ("ETag", '"v1"', "if-none-match"),
        ("Last-Modified", "Fri, 27 Nov 2026 18:00:00 GMT", "if-modified-since"),
    ],
)
def test_unchanged_document_is_not_sent_again(
    server: Server, field: str, value: str, condition: str
) -> None:
    fields: dict[str, Any] = {field: value}
    server.respond = text_response("a = 1", **fields)
    source = HTTPSource(server.url())
    first = source.load()
    server.respond = text_response("", status=304)
    second = source.load()
    server.respond = text_response("a = 2")
    third = source.load()
    source.load()

    assert first == second
    assert third.text == "a = 2"
    sent = [request.get(condition) for request in server.requests]
    assert sent == [None, value, value, None]


def test_304_without_condition_is_an_error(server: Server) -> None:
    server.respond = text_response("", status=304)

    assert load_error(HTTPSource(server.url())) == f"{server.url()} answers 304 Not Modified"


@pytest.mark.parametrize("status", [204, 206, 404, 500])
def test_other_status_is_an_error(server: Server, status: int) -> None:
    server.respond = text_response("" if status == 204 else "a = 1", status=status)

    assert f"{server.url()} answers {status} " in load_error(HTTPSource(server.url()))


def test_error_leaves_the_document_cached(server: Server) -> None:
    server.respond = text_response("a = 1", ETag='"v1"')
    source = HTTPSource(server.url())
    first = source.load()

    server.respond = text_response("x", status=500)
    load_error(source)
    server.respond = text_response("", status=304)

    assert source.load() == first


def test_blank_document_is_no_document(server: Server) -> None:
    server.respond = text_response(" ")

    with pytest.raises(SourceEmptyError, match=r"/policy\.toml is empty$"):
        HTTPSource(server.url()).load()


# Failures


def test_huge_document_is_not_read_whole(server: Server) -> None:
    sent: list[int] = []

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(2 * MAX_BYTES >> 20):
                handler.wfile.write(b"#" * 2**20)
                sent.append(1)
        except OSError:  # the client has gone
            handler.close_connection = True

    server.respond = respond

    assert load_error(HTTPSource(server.url())).endswith("has more than 64 MiB")
    assert len(sent) < 2 * MAX_BYTES >> 20


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["header", "body"]
)
def test_trickling_response_ends_at_the_deadline(
    server: Server, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "_TOTAL_SECONDS", 0.5)
    server.respond = trickle(start)
    begin = time.monotonic()

    assert load_error(HTTPSource(server.url())).endswith("took longer than 0.5 s")
    assert time.monotonic() - begin < 4


def test_hanging_server_is_an_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_source, "_OPERATION_SECONDS", 0.2)
    ended = threading.Event()
    server.respond = lambda _: ended.wait(30)

    assert "can't be read: " in load_error(HTTPSource(server.url()))
    ended.set()


def test_stopped_server_is_an_error() -> None:
    server = Server()
    server.stop()

    assert load_error(HTTPSource(server.url())).endswith("Connection refused")


def test_url_that_httpx_refuses_is_an_error() -> None:
    assert "can't be read: " in load_error(HTTPSource("http://127.0.0.1:1/\x7f"))


# Redirects


def test_redirect_to_the_same_origin_over_https_is_followed(secure_server: Server) -> None:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/new":
            text_response("a = 2")(handler)
        else:
            text_response("", status=308, Location="/new")(handler)

    secure_server.respond = respond

    assert HTTPSource(secure_server.url("ada:pw@")).load().text == "a = 2"
    assert [request[":path"] for request in secure_server.requests] == ["/policy.toml", "/new"]


@pytest.mark.parametrize(
    "location", ["https://evil.example/x", "http://127.0.0.1/", "//127.0.0.1:1/", "ftp://x", ""]
)
def test_redirect_elsewhere_is_refused(secure_server: Server, location: str) -> None:
    secure_server.respond = text_response("", status=302, Location=location)

    assert " is not a valid URL" in (text := load_error(HTTPSource(secure_server.url()))) or (
        text == f"{secure_server.url()} redirects to {location}: use that URL if you trust it"
    )
    assert len(secure_server.requests) == 1


def test_redirect_without_tls_is_refused(server: Server) -> None:
    server.respond = text_response("", status=302, Location="/other")

    assert "redirects to /other: use that URL" in load_error(HTTPSource(server.url()))


def test_redirects_without_end_are_an_error(secure_server: Server) -> None:
    secure_server.respond = text_response("", status=302, Location="/policy.toml")

    assert load_error(HTTPSource(secure_server.url())).endswith("redirects more than 5 times")


def test_certificate_of_unknown_authority_is_an_error(
    secure_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    assert "CERTIFICATE_VERIFY_FAILED" in load_error(HTTPSource(secure_server.url()))


# Plain http


@pytest.mark.parametrize(
    "url", ["http://config.example/p.toml", "http://127.0.0.1.evil.example/", "http://x.localhost/"]
)
def test_plain_http_to_another_host_is_refused(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        HTTPSource(url)

    assert str(caught.value) == (
        f"{url} can be changed by anybody on the way: use https, or sign the documents and "
        "configure the key"
    )
    HTTPSource(url, is_signed=True)


@pytest.mark.parametrize("url", ["http://localhost/", "http://[::1]:80/", "http://127.9.9.9/"])
def test_plain_http_to_this_host_is_accepted(url: str) -> None:
    assert repr(HTTPSource(url)) == f"HTTPSource({url!r})"


@pytest.mark.parametrize("user", ["", "ada:pw@"])
def test_credentials_over_plain_http_are_refused(
    user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not user:
        monkeypatch.setenv("CORSGUARD_SOURCE_TOKEN", "t0ken")

    with pytest.raises(SourceError, match="would get the credentials unencrypted: use https"):
        HTTPSource(f"http://{user}config.example/", is_signed=True)


@pytest.mark.parametrize("url", ["https:///x", "https://a:b", "ftp://a", "http://[::1", "/x"])
def test_malformed_url_is_an_error(url: str) -> None:
    with pytest.raises(SourceError, match="is not a valid URL of http or https"):
        HTTPSource(url)


def test_guard_with_a_key_follows_plain_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text("k" * 32)
    text = sign('allow_origins = ["https://a.example"]', 1, load_signing_key(tmp_path / "key"))
    proxy = Server()  # stands in for the network
    proxy.respond = text_response(text)
    monkeypatch.setenv("http_proxy", proxy.url(path=""))
    guard = Guard(None)

    with pytest.raises(SourceError, match="can be changed by anybody on the way"):
        guard.follow("http://config.example/p.toml")
    guard.follow("http://config.example/p.toml", key=tmp_path / "key")
    guard.unfollow()
    proxy.stop()

    assert guard.decide("/", "https://a.example", "GET", {}).allowed


# Credentials


def test_user_of_the_url_is_sent_as_basic(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSGUARD_SOURCE_TOKEN", "t0ken")

    HTTPSource(server.url("ada:p%40ss%3A@")).load()

    assert server.requests[0]["authorization"] == "Basic YWRhOnBAc3M6"


def test_token_of_the_environment_is_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORSGUARD_SOURCE_TOKEN", "t0ken\n")

    HTTPSource(server.url()).load()

    assert server.requests[0]["authorization"] == "Bearer t0ken"


def test_credentials_are_in_no_message_and_no_log(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.url("ada:s3cret@", "/policy.toml?signature=s3cret")
    monkeypatch.setenv("CORSGUARD_SOURCE_TOKEN", "s3cret")
    sources = [HTTPSource(url), HTTPSource(server.url())]
    texts = [repr(sources[0])]
    for respond in (
        text_response("a = 1"),
        text_response("", status=500),
        text_response("", status=302, Location="https://ada:r3direct@x.example/?key=r3direct"),
        text_response("", status=302, Location="ftp://ada:r3direct@x.example/"),
    ):
        server.respond = respond
        for source in sources:
            try:
                source.load()
            except SourceError as error:
                texts.append(str(error))
    with pytest.raises(SourceError) as caught:
        HTTPSource("https://ada:s3cret@/x")
    texts.append(str(caught.value))

    assert len(texts) == 8
    shown = "\n".join(texts)
    assert "s3cret" not in shown
    assert "r3direct" not in shown
    logged = "\n".join(line for line in caplog.messages if "Location" not in line)
    assert "s3cret" not in logged  # httpcore logs the fields of a response at DEBUG
    assert "HTTP Request" not in logged


def test_token_that_can_not_be_sent_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORSGUARD_SOURCE_TOKEN", "a\nb")

    text = load_error(HTTPSource(server.url()))

    assert text == "CORSGUARD_SOURCE_TOKEN is not a token: it must be printable ASCII"
    assert server.requests == []


# Environment


def test_proxy_is_used_for_other_hosts_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Server()
    monkeypatch.setenv("http_proxy", proxy.url(path=""))

    HTTPSource(server.url()).load()
    there = HTTPSource("http://config.example/p.toml", is_signed=True).load()
    monkeypatch.setenv("no_proxy", "config.example")
    load_error(HTTPSource("http://config.example/p.toml", is_signed=True))
    proxy.stop()

    assert there.text == "a = 1"
    assert [request[":path"] for request in proxy.requests] == ["http://config.example/p.toml"]
    assert len(server.requests) == 1


def test_watch_returns_at_once(server: Server) -> None:
    source = HTTPSource(server.url())

    source.watch(pytest.fail)
    source.close()

    assert source.load().text == "a = 1"


def test_forked_child_loads(secure_server: Server) -> None:
    source = HTTPSource(secure_server.url())
    source.load()
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        os._exit(0 if source.load().text == "a = 1" else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_missing_httpx_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = sys.modules
    monkeypatch.setitem(modules, "httpx", None)

    with pytest.raises(ImportError, match=r'HTTPSource needs: pip install "corsguard\[http\]"$'):
        HTTPSource("https://config.example/")
