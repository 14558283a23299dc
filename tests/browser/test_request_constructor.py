"""new Request(): the arguments that `fetch()` accepts."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CONSTRUCTOR,
    HTTP_FETCH,
    OWN,
    PAGE,
    allow,
    allow_preflight,
    answer,
    expect_refusal,
    expect_response,
    get_sent_headers,
    list_sent,
    list_texts,
    play,
)

from corsguard.browser import BlockReason


def test_request_has_the_defaults_of_fetch() -> None:
    exchange = play(allow())
    assert list_texts(exchange, CONSTRUCTOR) == [f"GET {API}"]
    assert list_sent(exchange) == ["GET"]
    assert exchange.hops[0].sent.body is None


@pytest.mark.parametrize("url", ["http://", "https://a b/", "https://api.example.com:99999/"])
def test_invalid_url_is_refused(url: str) -> None:
    refusal = expect_refusal(play(url=url), BlockReason.URL_INVALID, CONSTRUCTOR)
    assert refusal.detail == url


def test_relative_url_is_resolved_against_the_page() -> None:
    exchange = play(answer(), url="items?a=1")
    assert exchange.hops[0].sent.url == f"{OWN}?a=1"


def test_relative_url_on_opaque_page_is_refused() -> None:
    expect_refusal(play(url="/items", page="null"), BlockReason.URL_INVALID, CONSTRUCTOR)


@pytest.mark.parametrize("userinfo", ["user@", "user:secret@", ":secret@"])
def test_url_with_userinfo_is_refused(userinfo: str) -> None:
    exchange = play(url=f"https://{userinfo}api.example.com/")
    expect_refusal(exchange, BlockReason.URL_WITH_CREDENTIALS, CONSTRUCTOR)


@pytest.mark.parametrize("method", ["", "GE T", "GET\n", "PU(T", "Gé"])
def test_invalid_method_is_refused(method: str) -> None:
    refusal = expect_refusal(play(method=method), BlockReason.METHOD_INVALID, CONSTRUCTOR)
    assert refusal.detail == method


@pytest.mark.parametrize("method", ["CONNECT", "connect", "TRACE", "Trace", "TRACK", "track"])
def test_forbidden_method_is_refused_in_any_case(method: str) -> None:
    exchange = play(method=method)
    expect_refusal(exchange, BlockReason.METHOD_FORBIDDEN, 'Fetch, "forbidden method"')


@pytest.mark.parametrize("method", ["get", "Post", "head", "pUT", "delete", "options"])
def test_six_methods_are_normalised(method: str) -> None:
    exchange = play(answer(), url=OWN, method=method)
    assert list_sent(exchange) == [method.upper()]
    assert list_texts(exchange, 'Fetch, "normalize a method"') == []


@pytest.mark.parametrize("method", ["patch", "Patch", "chicken"])
def test_other_method_keeps_its_case_with_a_step(method: str) -> None:
    exchange = play(answer(), url=OWN, method=method)
    assert list_sent(exchange) == [method]
    [text] = list_texts(exchange, 'Fetch, "normalize a method"')
    assert (
        text == f"{method} is sent as written, not as {method.upper()}: methods are case-sensitive"
    )


@pytest.mark.parametrize(
    "name",
    """Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Method
    Connection Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin Referer
    Set-Cookie TE Trailer Transfer-Encoding Upgrade Via Proxy-Any Sec-Any""".split(),
)
def test_forbidden_header_is_left_out(name: str) -> None:
    exchange = play(allow(), headers={name: "forged"})
    assert list_sent(exchange) == ["GET"]
    assert "forged" not in get_sent_headers(exchange).values()
    [text] = list_texts(exchange, 'Fetch, "forbidden request-header"')
    assert text == f"{name} is left out: only the browser sets it"


@pytest.mark.parametrize("name", ["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"])
@pytest.mark.parametrize("value", ["TRACE", "connect", "PUT, Track", " TRACE "])
def test_method_override_with_forbidden_method_is_left_out(name: str, value: str) -> None:
    exchange = play(allow(), headers={name: value})
    assert name not in get_sent_headers(exchange)
    assert list_texts(exchange, 'Fetch, "forbidden request-header"')


@pytest.mark.parametrize("value", ["PUT", "PUT, DELETE", '"TRACE"'])
def test_method_override_with_other_method_is_sent(value: str) -> None:
    exchange = play(answer(), url=OWN, headers={"X-HTTP-Method-Override": value})
    assert get_sent_headers(exchange)["X-HTTP-Method-Override"] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("X Y", "1"), ("", "1"), ("X:Y", "1"), ("X-A", "a\nb"), ("X-A", "a\0b"), ("X-A", "Ā")],
)
def test_invalid_header_is_refused(name: str, value: str) -> None:
    exchange = play(headers=[(name, value)])
    refusal = expect_refusal(exchange, BlockReason.HEADER_INVALID, CONSTRUCTOR)
    assert refusal.detail == name


def test_header_value_is_stripped() -> None:
    exchange = play(answer(), url=OWN, headers={"X-A": " \t1 2\r\n"})
    assert get_sent_headers(exchange)["X-A"] == "1 2"


@pytest.mark.parametrize("method", ["GET", "get", "HEAD"])
def test_get_and_head_with_body_are_refused(method: str) -> None:
    expect_refusal(play(method=method, body=b""), BlockReason.BODY_NOT_ALLOWED, CONSTRUCTOR)


def test_str_body_is_utf_8_with_content_type() -> None:
    exchange = play(allow(), method="POST", body="ä")
    assert exchange.hops[0].sent.body == "ä".encode()
    assert get_sent_headers(exchange)["Content-Type"] == "text/plain;charset=UTF-8"
    assert get_sent_headers(exchange)["Content-Length"] == "2"


def test_str_body_with_lone_surrogate_is_replaced() -> None:
    exchange = play(allow(), method="POST", body="a\udcff")
    assert exchange.hops[-1].sent.body == "a\ufffd".encode()


def test_str_body_keeps_given_content_type() -> None:
    exchange = play(allow(), method="POST", body="a=1", headers={"content-type": "text/plain"})
    assert get_sent_headers(exchange)["Content-Type"] == "text/plain"


def test_bytes_body_has_no_content_type() -> None:
    exchange = play(allow(), method="POST", body=b"\xff")
    assert "Content-Type" not in get_sent_headers(exchange)
    assert get_sent_headers(exchange)["Content-Length"] == "1"


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("DELETE", None)])
def test_post_and_put_without_body_send_length_0(method: str, length: str | None) -> None:
    exchange = play(answer(), url=OWN, method=method)
    assert get_sent_headers(exchange).get("Content-Length") == length


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_cors_allows_safelisted_methods_only(method: str) -> None:
    exchange = play(mode="no-cors", method=method)
    expect_refusal(exchange, BlockReason.NO_CORS_METHOD, CONSTRUCTOR)


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
def test_no_cors_leaves_out_unsafe_header(name: str, value: str) -> None:
    exchange = play(answer(), mode="no-cors", headers={name: value})
    assert get_sent_headers(exchange).get(name) != value
    [text] = list_texts(exchange, 'Fetch, "no-CORS-safelisted request-header"')
    assert text == f"{name} is left out: mode `no-cors` sends safelisted headers only"


def test_no_cors_checks_joined_lines_of_a_header() -> None:
    lines = [("Accept", "a" * 100), ("Accept", "b" * 26), ("Accept", "c")]
    exchange = play(answer(), mode="no-cors", headers=lines)
    assert get_sent_headers(exchange)["Accept"] == f"{'a' * 100}, {'b' * 26}"


def test_no_cors_sends_safelisted_header() -> None:
    exchange = play(answer(), mode="no-cors", headers={"Accept-Language": "de"})
    assert get_sent_headers(exchange)["Accept-Language"] == "de"


def test_no_cors_refuses_streamed_body() -> None:
    exchange = play(mode="no-cors", method="POST", body=b"1", streamed=True)
    expect_refusal(exchange, BlockReason.NO_CORS_STREAM, CONSTRUCTOR)


def test_streamed_body_needs_preflight_and_has_no_length() -> None:
    exchange = play(allow_preflight(), allow(), method="POST", body=b"1", streamed=True)
    assert list_sent(exchange) == ["?POST", "POST"]
    assert "the upload has a listener, or is streamed: needs a preflight" in list_texts(
        exchange, HTTP_FETCH
    )
    assert "Content-Length" not in get_sent_headers(exchange)
    assert exchange.hops[1].sent.body == b"1"


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_missing_body_is_not_streamed(mode: str) -> None:
    exchange = play(allow(), method="POST", mode=mode, streamed=True)
    assert list_sent(exchange) == ["POST"]
    expect_response(exchange)


def test_invalid_page_raises_value_error() -> None:
    with pytest.raises(ValueError, match=r"did you mean https://app\.example\.com"):
        play(page=f"{PAGE}/index.html")
    with pytest.raises(ValueError, match=r"'nowhere:' is not a valid origin: .*"):
        play(page="nowhere:")


def test_unknown_engine_raises_value_error() -> None:
    unknown: Any = "opera"
    with pytest.raises(ValueError, match="'opera' is not an engine: use one of standard, "):
        play(engine=unknown)


@pytest.mark.parametrize("field", ["credentials", "mode", "redirect"])
def test_undefined_argument_of_fetch_raises(field: str) -> None:
    request: dict[str, Any] = {field: "includ"}
    with pytest.raises(ValueError, match=f"^{field}='includ' is not one of .*(include|cors|error)"):
        play(**request)
