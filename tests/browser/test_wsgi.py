"""Browser.on a WSGI application (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from corsguard import Policy
from corsguard.browser import Blocked, BlockReason, Browser
from corsguard_wsgi import CORSMiddleware

PAGE = "https://app.example.com"
SERVICE = "https://api.example.com:8443"
Start = Callable[..., Callable[[bytes], object]]


class Service:
    """An application that records the environ, and echoes the request."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}
        self.body = b""

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        self.environ = environ
        length = environ.get("CONTENT_LENGTH")
        self.body = environ["wsgi.input"].read(*([int(length)] if length else []))
        headers = [("Content-Type", "text/plain"), ("Access-Control-Allow-Origin", "*")]
        start_response("200 OK", headers)
        return [b"hello"]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def browser(service: Service) -> Browser:
    return Browser.on(service, page=PAGE, url=SERVICE)


def test_environ_matches_that_of_a_server(service: Service, browser: Browser) -> None:
    response = browser.fetch("/items/%C3%A4?q=%20a", method="POST", body="ä")
    assert (response.status, response.text, response.url) == (
        200,
        "hello",
        f"{SERVICE}/items/%C3%A4?q=%20a",
    )
    environ = service.environ
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/items/ä"
    assert environ["QUERY_STRING"] == "q=%20a"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("api.example.com", "8443")
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "api.example.com:8443"
    assert environ["HTTP_ORIGIN"] == PAGE
    assert environ["CONTENT_TYPE"] == "text/plain;charset=UTF-8"
    assert (environ["CONTENT_LENGTH"], service.body) == ("2", "ä".encode())


def test_header_lines_are_joined_in_environ(service: Service, browser: Browser) -> None:
    browser.fetch("/", headers=[("Accept", "a/b"), ("accept", "c/d")])
    assert service.environ["HTTP_ACCEPT"] == "a/b,c/d"


def test_streamed_body_has_no_content_length(service: Service) -> None:
    browser = Browser.on(service, page="https://testserver")
    browser.fetch("/", method="POST", body=b"ab", streamed=True)
    assert "CONTENT_LENGTH" not in service.environ
    assert service.body == b"ab"


def test_default_url_is_testserver(service: Service) -> None:
    response = Browser.on(service, page=PAGE).fetch("items")
    assert response.url == "https://testserver/items"


def test_other_origin_is_unreachable(browser: Browser) -> None:
    with pytest.raises(Blocked, match=r"nothing is served at https://other\.example") as blocked:
        browser.fetch("https://other.example/")
    assert blocked.value.reason is BlockReason.UNREACHABLE


def test_head_response_has_no_body(browser: Browser) -> None:
    assert browser.fetch("/", method="HEAD").body == b""


class Closing:
    """A body that records whether it is closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = chunks
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed += 1


def build_app(body: Iterable[bytes]) -> Any:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("Access-Control-Allow-Origin", "*")])
        return body

    return app


def test_body_is_closed_once() -> None:
    body = Closing([b"a", b"b"])
    assert Browser.on(build_app(body), page=PAGE).fetch("/").body == b"ab"
    assert body.closed == 1


def test_body_that_raises_is_closed() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise LookupError("in the body")

    body = Closing(chunks())
    with pytest.raises(LookupError, match="in the body"):
        Browser.on(build_app(body), page=PAGE).fetch("/")
    assert body.closed == 1


def test_generator_may_start_its_response_late() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterator[bytes]:
        start_response("201 Created", [("Access-Control-Allow-Origin", "*")])
        yield b"late"

    response = Browser.on(app, page=PAGE).fetch("/")
    assert (response.status, response.body) == (201, b"late")


def test_written_bytes_precede_the_returned_body() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("Access-Control-Allow-Origin", "*")])(b"written, ")
        return [b"returned"]

    assert Browser.on(app, page=PAGE).fetch("/").text == "written, returned"


def test_restarted_response_replaces_the_first() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        headers = [("Access-Control-Allow-Origin", "*")]
        start_response("200 OK", [])
        start_response("500 Internal Server Error", headers, (None, None, None))
        return []

    assert Browser.on(app, page=PAGE).fetch("/").status == 500


def test_app_exception_is_raised_by_fetch() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        raise LookupError("in the application")

    with pytest.raises(LookupError, match="in the application"):
        Browser.on(app, page=PAGE).fetch("/")


def test_app_without_start_response_raises_runtime_error() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        return []

    with pytest.raises(RuntimeError, match="did not call start_response"):
        Browser.on(app, page=PAGE).fetch("/")


def test_invalid_app_raises_type_error() -> None:
    with pytest.raises(TypeError, match="it can't be called"):
        Browser.on("app:app", page=PAGE)


def test_environ_passes_the_wsgiref_validator() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        environ["wsgi.input"].read(1)
        headers = [("Content-Type", "text/plain"), ("Access-Control-Allow-Origin", "*")]
        start_response("200 OK", headers)
        return [b"valid"]

    checked = Browser.on(validator(app), page=PAGE)
    assert checked.fetch("/a b", method="POST", body=b"1").text == "valid"


def test_preflight_is_answered_by_the_middleware_once(service: Service) -> None:
    policy = Policy(allow_origins=[PAGE], allow_methods=["PUT"], allow_credentials=True)
    browser = Browser.on(CORSMiddleware(service, policy), page=PAGE, engine="chromium")
    for _ in range(2):
        browser.fetch("/items/1", method="PUT", body=b"1", credentials="include")
    assert browser.preflights == 1
    with pytest.raises(Blocked, match="METHOD_NOT_ALLOWED: DELETE is not in"):
        browser.fetch("/items/1", method="DELETE", credentials="include")


def test_cookies_persist_between_fetches() -> None:
    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("Set-Cookie", "sid=1; Path=/")])
        return [environ.get("HTTP_COOKIE", "").encode()]

    browser = Browser.on(app, page="https://testserver")
    assert [browser.fetch("/").text for _ in range(2)] == ["", "sid=1"]
