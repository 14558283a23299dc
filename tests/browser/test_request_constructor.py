"""new Request(): what a script may ask for at all."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CONSTRUCTOR,
    HTTP_FETCH,
    OWN,
    PAGE,
    allowing,
    answer,
    headers_of,
    play,
    preflighted,
    refused,
    seen,
    told,
    wire,
)

from corsguard.browser import BlockReason


def test_a_request_is_made_with_the_defaults_of_fetch() -> None:
    exchange = play(allowing())
    assert told(exchange, CONSTRUCTOR) == [f"GET {API}"]
    assert wire(exchange) == ["GET"]
    assert exchange.hops[0].sent.body is None


@pytest.mark.parametrize("url", ["http://", "https://a b/", "https://api.example.com:99999/"])
def test_a_url_that_can_not_be_parsed_is_refused(url: str) -> None:
    refusal = refused(play(url=url), BlockReason.URL_INVALID, CONSTRUCTOR)
    assert refusal.detail == url


def test_a_relative_url_is_taken_from_the_page() -> None:
    exchange = play(answer(), url="items?a=1")
    assert exchange.hops[0].sent.url == f"{OWN}?a=1"


def test_a_relative_url_on_a_page_without_an_origin_is_refused() -> None:
    refused(play(url="/items", page="null"), BlockReason.URL_INVALID, CONSTRUCTOR)


@pytest.mark.parametrize("userinfo", ["user@", "user:secret@", ":secret@"])
def test_a_url_with_a_user_name_or_a_password_is_refused(userinfo: str) -> None:
    exchange = play(url=f"https://{userinfo}api.example.com/")
    refused(exchange, BlockReason.URL_WITH_CREDENTIALS, CONSTRUCTOR)


@pytest.mark.parametrize("method", ["", "GE T", "GET\n", "PU(T", "Gé"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    refusal = refused(play(method=method), BlockReason.METHOD_INVALID, CONSTRUCTOR)
    assert refusal.detail == method


@pytest.mark.parametrize("method", ["CONNECT", "connect", "TRACE", "Trace", "TRACK", "track"])
def test_a_forbidden_method_is_refused_in_any_case(method: str) -> None:
    exchange = play(method=method)
    refused(exchange, BlockReason.METHOD_FORBIDDEN, 'Fetch, "forbidden method"')


@pytest.mark.parametrize("method", ["get", "Post", "head", "pUT", "delete", "options"])
def test_six_methods_are_sent_in_upper_case(method: str) -> None:
    exchange = play(answer(), url=OWN, method=method)
    assert wire(exchange) == [method.upper()]
    assert told(exchange, 'Fetch, "normalize a method"') == []


@pytest.mark.parametrize("method", ["patch", "Patch", "chicken"])
def test_any_other_method_stays_as_it_is_written_and_that_is_told(method: str) -> None:
    exchange = play(answer(), url=OWN, method=method)
    assert wire(exchange) == [method]
    [text] = told(exchange, 'Fetch, "normalize a method"')
    assert (
        text == f"{method} is sent as written, not as {method.upper()}: methods are case-sensitive"
    )


@pytest.mark.parametrize(
    "name",
    """Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Method
    Connection Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin Referer
    Set-Cookie TE Trailer Transfer-Encoding Upgrade Via Proxy-Any Sec-Any""".split(),
)
def test_a_forbidden_header_is_left_out_without_a_word_to_the_script(name: str) -> None:
    exchange = play(allowing(), headers={name: "forged"})
    assert wire(exchange) == ["GET"]
    assert "forged" not in headers_of(exchange).values()
    [text] = told(exchange, 'Fetch, "forbidden request-header"')
    assert text == f"{name} is left out: only the browser sets it"


@pytest.mark.parametrize("name", ["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"])
@pytest.mark.parametrize("value", ["TRACE", "connect", "PUT, Track", " TRACE "])
def test_a_method_override_with_a_forbidden_method_is_left_out(name: str, value: str) -> None:
    exchange = play(allowing(), headers={name: value})
    assert name not in headers_of(exchange)
    assert told(exchange, 'Fetch, "forbidden request-header"')


@pytest.mark.parametrize("value", ["PUT", "PUT, DELETE", '"TRACE"'])
def test_a_method_override_with_another_method_is_sent(value: str) -> None:
    exchange = play(answer(), url=OWN, headers={"X-HTTP-Method-Override": value})
    assert headers_of(exchange)["X-HTTP-Method-Override"] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("X Y", "1"), ("", "1"), ("X:Y", "1"), ("X-A", "a\nb"), ("X-A", "a\0b"), ("X-A", "Ā")],
)
def test_a_header_that_can_not_be_sent_is_refused(name: str, value: str) -> None:
    exchange = play(headers=[(name, value)])
    refusal = refused(exchange, BlockReason.HEADER_INVALID, CONSTRUCTOR)
    assert refusal.detail == name


def test_white_space_around_a_header_value_is_dropped() -> None:
    exchange = play(answer(), url=OWN, headers={"X-A": " \t1 2\r\n"})
    assert headers_of(exchange)["X-A"] == "1 2"


@pytest.mark.parametrize("method", ["GET", "get", "HEAD"])
def test_get_and_head_have_no_body(method: str) -> None:
    refused(play(method=method, body=b""), BlockReason.BODY_NOT_ALLOWED, CONSTRUCTOR)


def test_a_str_is_sent_as_utf_8_with_a_content_type() -> None:
    exchange = play(allowing(), method="POST", body="ä")
    assert exchange.hops[0].sent.body == "ä".encode()
    assert headers_of(exchange)["Content-Type"] == "text/plain;charset=UTF-8"
    assert headers_of(exchange)["Content-Length"] == "2"


def test_what_is_no_character_in_a_body_is_replaced() -> None:
    exchange = play(allowing(), method="POST", body="a\udcff")
    assert exchange.hops[-1].sent.body == "a\ufffd".encode()


def test_a_str_keeps_the_content_type_that_the_script_gave() -> None:
    exchange = play(allowing(), method="POST", body="a=1", headers={"content-type": "text/plain"})
    assert headers_of(exchange)["Content-Type"] == "text/plain"


def test_bytes_are_sent_without_a_content_type() -> None:
    exchange = play(allowing(), method="POST", body=b"\xff")
    assert "Content-Type" not in headers_of(exchange)
    assert headers_of(exchange)["Content-Length"] == "1"


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("DELETE", None)])
def test_post_and_put_say_that_they_have_no_body(method: str, length: str | None) -> None:
    exchange = play(answer(), url=OWN, method=method)
    assert headers_of(exchange).get("Content-Length") == length


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_cors_sends_safelisted_methods_only(method: str) -> None:
    exchange = play(mode="no-cors", method=method)
    refused(exchange, BlockReason.NO_CORS_METHOD, CONSTRUCTOR)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "1"),
        ("Authorization", "Bearer 1"),
        ("Range", "bytes=0-1"),
        ("Content-Type", "application/json"),
        ("Accept", "a(b"),
    ],
)
def test_no_cors_leaves_out_a_header_that_is_not_safelisted(name: str, value: str) -> None:
    exchange = play(answer(), mode="no-cors", headers={name: value})
    assert headers_of(exchange).get(name) != value
    [text] = told(exchange, 'Fetch, "no-CORS-safelisted request-header"')
    assert text == f"{name} is left out: mode `no-cors` sends safelisted headers only"


def test_no_cors_checks_several_lines_of_one_header_together() -> None:
    lines = [("Accept", "a" * 100), ("Accept", "b" * 26), ("Accept", "c")]
    exchange = play(answer(), mode="no-cors", headers=lines)
    assert headers_of(exchange)["Accept"] == f"{'a' * 100}, {'b' * 26}"


def test_no_cors_sends_a_safelisted_header() -> None:
    exchange = play(answer(), mode="no-cors", headers={"Accept-Language": "de"})
    assert headers_of(exchange)["Accept-Language"] == "de"


def test_no_cors_sends_no_stream() -> None:
    exchange = play(mode="no-cors", method="POST", body=b"1", streamed=True)
    refused(exchange, BlockReason.NO_CORS_STREAM, CONSTRUCTOR)


def test_a_stream_forces_a_preflight_and_has_no_length() -> None:
    exchange = play(preflighted(), allowing(), method="POST", body=b"1", streamed=True)
    assert wire(exchange) == ["?POST", "POST"]
    assert "the upload has a listener, or is streamed: needs a preflight" in told(
        exchange, HTTP_FETCH
    )
    assert "Content-Length" not in headers_of(exchange)
    assert exchange.hops[1].sent.body == b"1"


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_no_body_is_no_stream(mode: str) -> None:
    exchange = play(allowing(), method="POST", mode=mode, streamed=True)
    assert wire(exchange) == ["POST"]
    seen(exchange)


def test_the_page_has_to_be_an_origin() -> None:
    with pytest.raises(ValueError, match=r"did you mean https://app\.example\.com"):
        play(page=f"{PAGE}/index.html")
    with pytest.raises(ValueError, match=r"'nowhere:' is not a valid origin: .*"):
        play(page="nowhere:")


def test_the_engine_has_to_be_one() -> None:
    unknown: Any = "opera"
    with pytest.raises(ValueError, match="'opera' is not an engine: use one of standard, "):
        play(engine=unknown)


@pytest.mark.parametrize("field", ["credentials", "mode", "redirect"])
def test_a_word_that_fetch_does_not_know_is_no_request(field: str) -> None:
    request: dict[str, Any] = {field: "includ"}
    with pytest.raises(ValueError, match=f"^{field}='includ' is not one of .*(include|cors|error)"):
        play(**request)
