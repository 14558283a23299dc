"""The preflight: its need, its headers, and the check of its response."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CORS_CHECK,
    CREDENTIALS,
    HTTP_FETCH,
    MAIN_FETCH,
    OWN,
    PAGE,
    PREFLIGHT_FETCH,
    Visit,
    allow,
    allow_preflight,
    answer,
    expect_refusal,
    expect_response,
    get_sent_headers,
    list_sent,
    list_texts,
    play,
    redirect,
)

from corsguard.browser import BlockReason, Cookie, EngineName
from corsguard.browser.exchange import Exchange

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_safelisted_method_needs_no_preflight(method: str) -> None:
    exchange = play(allow(), method=method)
    assert list_sent(exchange) == [method]
    assert "method and headers are safelisted: no preflight" in list_texts(exchange, MAIN_FETCH)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "patch", "OPTIONS", "CHICKEN"])
def test_other_method_needs_a_preflight(method: str) -> None:
    exchange = play(allow_preflight(method), allow(), method=method)
    assert list_sent(exchange) == [f"?{method}", method]
    assert list_texts(exchange, HTTP_FETCH) == [
        f"the method {method} is not safelisted: needs a preflight"
    ]
    assert list_texts(exchange, PREFLIGHT_FETCH) == [
        "the status 204 is a success",
        f"the method {method} is allowed",
    ]


def test_same_origin_request_needs_no_preflight() -> None:
    assert list_sent(play(answer(), url=OWN, method="PUT", headers={"X-A": "1"})) == ["PUT"]


def test_preflight_lists_method_and_headers_only() -> None:
    exchange = play(
        allow_preflight("PUT", "content-type, authorization", None, CREDENTIALS),
        allow(CREDENTIALS),
        method="PUT",
        headers={"Content-Type": "application/json", "Authorization": "secret"},
        body=b"{}",
        credentials="include",
    )
    sent = exchange.hops[0].sent
    assert (sent.method, sent.url, sent.body) == ("OPTIONS", API, None)
    assert dict(sent.headers) == {
        "Accept": "*/*",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
        "Host": "api.example.com",
        "Origin": PAGE,
        "Referer": f"{PAGE}/",
        "Sec-Fetch-Site": "same-site",
        "Sec-Fetch-Mode": "cors",
        "Sec-Fetch-Dest": "empty",
    }
    assert exchange.preflights == 1


def test_preflight_has_no_cookies() -> None:
    visit = Visit(cookies=[Cookie("sid", "1", "api.example.com")])
    exchange = visit.play(
        allow_preflight("PUT", None, None, CREDENTIALS),
        allow(CREDENTIALS),
        method="PUT",
        credentials="include",
    )
    assert "Cookie" not in get_sent_headers(exchange, 0)
    assert get_sent_headers(exchange, 1)["Cookie"] == "sid=1"


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_preflight_with_2xx_passes(status: int, engine: EngineName) -> None:
    ok = allow_preflight("PUT")._replace(status=status)
    assert expect_response(play(ok, allow(), method="PUT", engine=engine)).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", [199, 300, 304, 400, 401, 403, 404, 405, 500, 503])
def test_preflight_with_other_status_is_refused(status: int, engine: EngineName) -> None:
    exchange = play(allow_preflight("PUT")._replace(status=status), method="PUT", engine=engine)
    refusal = expect_refusal(exchange, BlockReason.PREFLIGHT_STATUS, PREFLIGHT_FETCH)
    assert (refusal.detail, refusal.in_preflight) == (str(status), True)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_preflight_redirect_is_refused(status: int, engine: EngineName) -> None:
    exchange = play(redirect(API, status, PAGE), method="PUT", engine=engine)
    refusal = expect_refusal(exchange, BlockReason.PREFLIGHT_REDIRECTED, PREFLIGHT_FETCH)
    assert refusal.in_preflight


@pytest.mark.parametrize("location", [[], [("Location", "")]])
def test_preflight_3xx_without_location_is_a_bad_status(location: list[tuple[str, str]]) -> None:
    exchange = play(allow(*location, status=307), method="PUT")
    expect_refusal(exchange, BlockReason.PREFLIGHT_STATUS, PREFLIGHT_FETCH)
    exchange = play(answer(*location, status=307), method="PUT")
    expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


def test_preflight_cors_check_precedes_the_status() -> None:
    exchange = play(answer(status=403), method="PUT")
    refusal = expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)
    assert refusal.in_preflight
    assert refusal.step.name == "CORS check of the preflight's response"


def test_preflight_with_credentials_needs_allow_credentials() -> None:
    exchange = play(allow_preflight("PUT"), method="PUT", credentials="include")
    refusal = expect_refusal(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
    assert refusal.in_preflight


def put(methods: str | None, engine: EngineName = "standard", **request: Any) -> Exchange:
    """Run a PUT whose preflight allows these methods."""
    fields = (CREDENTIALS,) if request else ()
    request = {"method": "PUT", **request}
    ok = allow_preflight(methods, None, None, *fields)
    return play(ok, lambda _: allow(*fields), engine=engine, **request)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    "methods", ["PUT", "PUT,", ",,PUT,,", "GET,PUT", "GET\t,\tPUT", "*", "*, GET", "GET, , PUT"]
)
def test_listed_method_is_allowed(methods: str, engine: EngineName) -> None:
    assert expect_response(put(methods, engine)).ok


def expect_refused_put(methods: str | None, **request: Any) -> Exchange:
    fields = (CREDENTIALS,) if request.get("credentials") else ()
    ok = allow_preflight(methods, None, None, *fields)
    return play(ok, **{"method": "PUT", **request})


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("methods", "why"),
    [
        (None, "PUT is not in Access-Control-Allow-Methods"),
        ("", "PUT is not in Access-Control-Allow-Methods"),
        ("GET", "PUT is not in Access-Control-Allow-Methods"),
        ("put", "PUT is not in Access-Control-Allow-Methods"),
    ],
)
def test_unlisted_method_is_refused(methods: str | None, why: str, engine: EngineName) -> None:
    exchange = expect_refused_put(methods, engine=engine)
    refusal = expect_refusal(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert (refusal.step.text, refusal.detail, refusal.in_preflight) == (why, "PUT", True)
    assert refusal.fix == "add PUT to Access-Control-Allow-Methods (a policy's allow_methods)"


def test_methods_are_case_sensitive() -> None:
    exchange = expect_refused_put("PATCH", method="patch")
    refusal = expect_refusal(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith(": methods are case-sensitive")
    assert refusal.fix == "fetch with PATCH"


@pytest.mark.parametrize("engine", ALL)
def test_method_wildcard_with_credentials_is_literal(engine: EngineName) -> None:
    exchange = expect_refused_put("*", credentials="include", engine=engine)
    refusal = expect_refusal(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith("with credentials, `*` is not a wildcard")
    assert expect_response(put("*", engine, method="*", credentials="include")).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("methods", ["GET PUT", "PUT;", "PUT, (bad)", '"PUT"', "PUT\x0b"])
def test_invalid_method_invalidates_the_list(methods: str, engine: EngineName) -> None:
    exchange = expect_refused_put(methods, engine=engine)
    refusal = expect_refusal(exchange, BlockReason.ALLOW_METHODS_INVALID, PREFLIGHT_FETCH)
    assert (refusal.detail, refusal.in_preflight) == (methods, True)


def test_invalid_list_is_refused_where_unneeded() -> None:
    exchange = play(allow_preflight("(bad)", "x-a"), headers={"X-A": "1"})
    expect_refusal(exchange, BlockReason.ALLOW_METHODS_INVALID, PREFLIGHT_FETCH)
    exchange = play(allow_preflight("PUT", "b ad"), method="PUT")
    expect_refusal(exchange, BlockReason.ALLOW_HEADERS_INVALID, PREFLIGHT_FETCH)


def test_list_lines_are_joined() -> None:
    ok = allow_preflight("GET", None, None, ("Access-Control-Allow-Methods", "PUT"))
    assert expect_response(play(ok, allow(), method="PUT")).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_safelisted_method_is_allowed_unlisted(method: str, engine: EngineName) -> None:
    ok = allow_preflight("PUT", "x-a")
    exchange = play(ok, allow(), method=method, headers={"X-A": "1"}, engine=engine)
    assert expect_response(exchange).ok
    assert "the headers x-a are allowed" in list_texts(exchange, PREFLIGHT_FETCH)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("names", ["x-a", "X-A", ",,x-a,,", "x-b\t,\tx-a", "*", "*, x-b"])
def test_listed_header_is_allowed(names: str, engine: EngineName) -> None:
    exchange = play(allow_preflight(None, names), allow(), headers={"X-A": "1"}, engine=engine)
    assert expect_response(exchange).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("names", [None, "", "x-b"])
def test_unlisted_header_is_refused(names: str | None, engine: EngineName) -> None:
    exchange = play(allow_preflight(None, names), headers={"X-A": "1"}, engine=engine)
    refusal = expect_refusal(exchange, BlockReason.HEADER_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert (refusal.detail, refusal.in_preflight) == ("x-a", True)
    assert refusal.fix == "add x-a to Access-Control-Allow-Headers (a policy's allow_headers)"


def test_first_unlisted_header_is_named() -> None:
    headers = {"X-C": "1", "X-B": "1", "Accept": "*/*", "X-A": "1"}
    refusal = expect_refusal(
        play(allow_preflight(None, "x-c"), headers=headers),
        BlockReason.HEADER_NOT_ALLOWED,
        PREFLIGHT_FETCH,
    )
    assert refusal.detail == "x-b"


@pytest.mark.parametrize("names", ["x-a;", "x a, x-a", '"x-a"', "x-é, x-a"])
def test_invalid_header_invalidates_the_list(names: str) -> None:
    exchange = play(allow_preflight(None, names), headers={"X-A": "1"})
    refusal = expect_refusal(exchange, BlockReason.ALLOW_HEADERS_INVALID, PREFLIGHT_FETCH)
    assert refusal.detail == names


@pytest.mark.parametrize("engine", ALL)
def test_header_wildcard_with_credentials_is_literal(engine: EngineName) -> None:
    ok = allow_preflight(None, "*", None, CREDENTIALS)
    request: dict[str, Any] = {"credentials": "include", "engine": engine}
    exchange = play(ok, headers={"X-A": "1"}, **request)
    refusal = expect_refusal(exchange, BlockReason.HEADER_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith("with credentials, `*` is not a wildcard")
    assert expect_response(play(ok, allow(CREDENTIALS), headers={"*": "1"}, **request)).ok


def test_standard_wildcard_excludes_authorization() -> None:
    exchange = play(allow_preflight(None, "*"), headers={"Authorization": "1"})
    refusal = expect_refusal(exchange, BlockReason.HEADER_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith(": `*` does not cover it")
    ok = allow_preflight(None, "*, Authorization")
    assert expect_response(play(ok, allow(), headers={"Authorization": "1"})).ok


@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_engine_wildcard_covers_authorization(engine: EngineName) -> None:
    exchange = play(
        allow_preflight(None, "*"), allow(), headers={"Authorization": "1"}, engine=engine
    )
    assert expect_response(exchange).ok


@pytest.mark.parametrize("engine", ALL)
def test_upload_listener_forces_a_preflight(engine: EngineName) -> None:
    exchange = play(
        allow_preflight(), allow(), method="POST", body=b"1", upload_listener=True, engine=engine
    )
    assert list_sent(exchange) == ["?POST", "POST"]
    assert list_texts(exchange, HTTP_FETCH) == [
        "the upload has a listener, or is streamed: needs a preflight"
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_empty_upload_needs_no_preflight_in_chromium_only(method: str) -> None:
    for engine in ALL:
        answers = [allow()] if engine == "chromium" else [allow_preflight(), allow()]
        exchange = play(*answers, method=method, upload_listener=True, engine=engine)
        assert exchange.preflights == len(answers) - 1


def test_upload_method_is_allowed_unlisted_in_standard_only() -> None:
    upload: dict[str, Any] = {"method": "PUT", "body": b"1", "upload_listener": True}
    assert expect_response(play(allow_preflight(), allow(), **upload)).ok
    expect_refusal(
        play(allow_preflight(""), **upload), BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH
    )
    for engine in ALL[1:]:
        exchange = play(allow_preflight(), engine=engine, **upload)
        expect_refusal(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
