"""The preflight: whether there is one, what it carries, and which answers will do."""

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
    allowing,
    answer,
    headers_of,
    play,
    preflighted,
    redirect,
    refused,
    seen,
    told,
    wire,
)

from corsguard.browser import BlockReason, Cookie, EngineName
from corsguard.browser.exchange import Exchange

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_safelisted_method_needs_none(method: str) -> None:
    exchange = play(allowing(), method=method)
    assert wire(exchange) == [method]
    assert "method and headers are safelisted: no preflight" in told(exchange, MAIN_FETCH)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "patch", "OPTIONS", "CHICKEN"])
def test_any_other_method_needs_one(method: str) -> None:
    exchange = play(preflighted(method), allowing(), method=method)
    assert wire(exchange) == [f"?{method}", method]
    assert told(exchange, HTTP_FETCH) == [
        f"the method {method} is not safelisted: needs a preflight"
    ]
    assert told(exchange, PREFLIGHT_FETCH) == [
        "the status 204 is a success",
        f"the method {method} is allowed",
    ]


def test_the_page_s_own_origin_needs_none() -> None:
    assert wire(play(answer(), url=OWN, method="PUT", headers={"X-A": "1"})) == ["PUT"]


def test_a_preflight_asks_for_method_and_headers_and_carries_nothing_of_the_request() -> None:
    exchange = play(
        preflighted("PUT", "content-type, authorization", None, CREDENTIALS),
        allowing(CREDENTIALS),
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


def test_a_preflight_carries_no_cookies() -> None:
    visit = Visit(cookies=[Cookie("sid", "1", "api.example.com")])
    exchange = visit.play(
        preflighted("PUT", None, None, CREDENTIALS),
        allowing(CREDENTIALS),
        method="PUT",
        credentials="include",
    )
    assert "Cookie" not in headers_of(exchange, 0)
    assert headers_of(exchange, 1)["Cookie"] == "sid=1"


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_an_answer_of_success_will_do(status: int, engine: EngineName) -> None:
    ok = preflighted("PUT")._replace(status=status)
    assert seen(play(ok, allowing(), method="PUT", engine=engine)).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", [199, 300, 304, 400, 401, 403, 404, 405, 500, 503])
def test_no_other_status_will_do(status: int, engine: EngineName) -> None:
    exchange = play(preflighted("PUT")._replace(status=status), method="PUT", engine=engine)
    refusal = refused(exchange, BlockReason.PREFLIGHT_STATUS, PREFLIGHT_FETCH)
    assert (refusal.detail, refusal.in_preflight) == (str(status), True)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_preflight_is_not_redirected(status: int, engine: EngineName) -> None:
    exchange = play(redirect(API, status, PAGE), method="PUT", engine=engine)
    refusal = refused(exchange, BlockReason.PREFLIGHT_REDIRECTED, PREFLIGHT_FETCH)
    assert refusal.in_preflight


@pytest.mark.parametrize("location", [[], [("Location", "")]])
def test_without_a_location_it_is_a_status_as_any_other(location: list[tuple[str, str]]) -> None:
    exchange = play(allowing(*location, status=307), method="PUT")
    refused(exchange, BlockReason.PREFLIGHT_STATUS, PREFLIGHT_FETCH)
    exchange = play(answer(*location, status=307), method="PUT")
    refused(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


def test_the_answer_has_to_pass_the_cors_check_before_its_status_is_looked_at() -> None:
    exchange = play(answer(status=403), method="PUT")
    refusal = refused(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)
    assert refusal.in_preflight
    assert refusal.step.name == "CORS check of the preflight's response"


def test_with_credentials_the_preflight_s_answer_has_to_allow_them() -> None:
    exchange = play(preflighted("PUT"), method="PUT", credentials="include")
    refusal = refused(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
    assert refusal.in_preflight


def put(methods: str | None, engine: EngineName = "standard", **request: Any) -> Exchange:
    """PUT, where the preflight is answered with these methods."""
    fields = (CREDENTIALS,) if request else ()
    request = {"method": "PUT", **request}
    ok = preflighted(methods, None, None, *fields)
    return play(ok, lambda _: allowing(*fields), engine=engine, **request)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    "methods", ["PUT", "PUT,", ",,PUT,,", "GET,PUT", "GET\t,\tPUT", "*", "*, GET", "GET, , PUT"]
)
def test_a_method_that_is_listed_is_allowed(methods: str, engine: EngineName) -> None:
    assert seen(put(methods, engine)).ok


def refused_put(methods: str | None, **request: Any) -> Exchange:
    fields = (CREDENTIALS,) if request.get("credentials") else ()
    ok = preflighted(methods, None, None, *fields)
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
def test_a_method_that_is_not_listed_is_refused(
    methods: str | None, why: str, engine: EngineName
) -> None:
    exchange = refused_put(methods, engine=engine)
    refusal = refused(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert (refusal.step.text, refusal.detail, refusal.in_preflight) == (why, "PUT", True)
    assert refusal.fix == "add PUT to Access-Control-Allow-Methods (a policy's allow_methods)"


def test_methods_are_compared_in_their_case() -> None:
    exchange = refused_put("PATCH", method="patch")
    refusal = refused(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith(": methods are case-sensitive")
    assert refusal.fix == "fetch with PATCH"


@pytest.mark.parametrize("engine", ALL)
def test_with_credentials_the_wildcard_is_only_the_name_of_a_method(engine: EngineName) -> None:
    exchange = refused_put("*", credentials="include", engine=engine)
    refusal = refused(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith("with credentials, `*` is not a wildcard")
    assert seen(put("*", engine, method="*", credentials="include")).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("methods", ["GET PUT", "PUT;", "PUT, (bad)", '"PUT"', "PUT\x0b"])
def test_one_method_that_is_no_token_spoils_the_list(methods: str, engine: EngineName) -> None:
    exchange = refused_put(methods, engine=engine)
    refusal = refused(exchange, BlockReason.ALLOW_METHODS_INVALID, PREFLIGHT_FETCH)
    assert (refusal.detail, refusal.in_preflight) == (methods, True)


def test_a_spoiled_list_is_refused_even_where_it_is_not_needed() -> None:
    exchange = play(preflighted("(bad)", "x-a"), headers={"X-A": "1"})
    refused(exchange, BlockReason.ALLOW_METHODS_INVALID, PREFLIGHT_FETCH)
    exchange = play(preflighted("PUT", "b ad"), method="PUT")
    refused(exchange, BlockReason.ALLOW_HEADERS_INVALID, PREFLIGHT_FETCH)


def test_several_lines_are_one_list() -> None:
    ok = preflighted("GET", None, None, ("Access-Control-Allow-Methods", "PUT"))
    assert seen(play(ok, allowing(), method="PUT")).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_safelisted_methods_need_not_be_listed(method: str, engine: EngineName) -> None:
    ok = preflighted("PUT", "x-a")
    exchange = play(ok, allowing(), method=method, headers={"X-A": "1"}, engine=engine)
    assert seen(exchange).ok
    assert "the headers x-a are allowed" in told(exchange, PREFLIGHT_FETCH)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("names", ["x-a", "X-A", ",,x-a,,", "x-b\t,\tx-a", "*", "*, x-b"])
def test_a_header_that_is_listed_is_allowed(names: str, engine: EngineName) -> None:
    exchange = play(preflighted(None, names), allowing(), headers={"X-A": "1"}, engine=engine)
    assert seen(exchange).ok


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("names", [None, "", "x-b"])
def test_a_header_that_is_not_listed_is_refused(names: str | None, engine: EngineName) -> None:
    exchange = play(preflighted(None, names), headers={"X-A": "1"}, engine=engine)
    refusal = refused(exchange, BlockReason.HEADER_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert (refusal.detail, refusal.in_preflight) == ("x-a", True)
    assert refusal.fix == "add x-a to Access-Control-Allow-Headers (a policy's allow_headers)"


def test_the_first_header_of_the_request_that_is_not_listed_is_named() -> None:
    headers = {"X-C": "1", "X-B": "1", "Accept": "*/*", "X-A": "1"}
    refusal = refused(
        play(preflighted(None, "x-c"), headers=headers),
        BlockReason.HEADER_NOT_ALLOWED,
        PREFLIGHT_FETCH,
    )
    assert refusal.detail == "x-b"


@pytest.mark.parametrize("names", ["x-a;", "x a, x-a", '"x-a"', "x-é, x-a"])
def test_one_header_that_is_no_token_spoils_the_list(names: str) -> None:
    exchange = play(preflighted(None, names), headers={"X-A": "1"})
    refusal = refused(exchange, BlockReason.ALLOW_HEADERS_INVALID, PREFLIGHT_FETCH)
    assert refusal.detail == names


@pytest.mark.parametrize("engine", ALL)
def test_with_credentials_the_wildcard_is_only_the_name_of_a_header(engine: EngineName) -> None:
    ok = preflighted(None, "*", None, CREDENTIALS)
    request: dict[str, Any] = {"credentials": "include", "engine": engine}
    exchange = play(ok, headers={"X-A": "1"}, **request)
    refusal = refused(exchange, BlockReason.HEADER_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith("with credentials, `*` is not a wildcard")
    assert seen(play(ok, allowing(CREDENTIALS), headers={"*": "1"}, **request)).ok


def test_the_wildcard_does_not_cover_authorization_in_the_standard() -> None:
    exchange = play(preflighted(None, "*"), headers={"Authorization": "1"})
    refusal = refused(exchange, BlockReason.HEADER_NOT_ALLOWED, PREFLIGHT_FETCH)
    assert refusal.step.text.endswith(": `*` does not cover it")
    ok = preflighted(None, "*, Authorization")
    assert seen(play(ok, allowing(), headers={"Authorization": "1"})).ok


@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_the_wildcard_covers_authorization_in_the_engines(engine: EngineName) -> None:
    exchange = play(
        preflighted(None, "*"), allowing(), headers={"Authorization": "1"}, engine=engine
    )
    assert seen(exchange).ok


@pytest.mark.parametrize("engine", ALL)
def test_a_listener_to_the_upload_forces_a_preflight(engine: EngineName) -> None:
    exchange = play(
        preflighted(), allowing(), method="POST", body=b"1", upload_listener=True, engine=engine
    )
    assert wire(exchange) == ["?POST", "POST"]
    assert told(exchange, HTTP_FETCH) == [
        "the upload has a listener, or is streamed: needs a preflight"
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_chromium_alone_asks_nothing_where_there_is_no_body_to_upload(method: str) -> None:
    for engine in ALL:
        answers = [allowing()] if engine == "chromium" else [preflighted(), allowing()]
        exchange = play(*answers, method=method, upload_listener=True, engine=engine)
        assert exchange.preflights == len(answers) - 1


def test_the_method_of_an_upload_is_allowed_without_a_list_by_the_standard_alone() -> None:
    upload: dict[str, Any] = {"method": "PUT", "body": b"1", "upload_listener": True}
    assert seen(play(preflighted(), allowing(), **upload)).ok
    refused(play(preflighted(""), **upload), BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
    for engine in ALL[1:]:
        exchange = play(preflighted(), engine=engine, **upload)
        refused(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
