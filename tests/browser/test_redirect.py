"""HTTP-redirect fetch: the allowed targets, and the request that is sent to them."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
    API,
    CORS_CHECK,
    CREDENTIALS,
    OTHER,
    OWN,
    PAGE,
    REDIRECT_FETCH,
    allow,
    allow_preflight,
    answer,
    expect_refusal,
    expect_response,
    get_sent_headers,
    list_sent,
    list_sent_origins,
    list_texts,
    play,
    redirect,
)

from corsguard.browser import BlockReason, EngineName

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NEXT = "https://api.example.com/next"
STATUSES = [301, 302, 303, 307, 308]


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", STATUSES)
def test_redirect_within_one_origin_keeps_the_origin(status: int, engine: EngineName) -> None:
    exchange = play(redirect("/next", status, PAGE), allow(), engine=engine)
    response = expect_response(exchange)
    assert (response.url, response.redirected) == (NEXT, True)
    assert list_sent_origins(exchange) == [PAGE, PAGE]
    assert list_texts(exchange, REDIRECT_FETCH) == [f"{status} to {NEXT}"]


@pytest.mark.parametrize("engine", ALL)
def test_redirect_from_own_origin_keeps_the_origin(engine: EngineName) -> None:
    exchange = play(redirect(API), allow(), url=OWN, engine=engine)
    assert list_sent_origins(exchange) == [None, PAGE]
    assert expect_response(exchange).type == "cors"


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("to", [OTHER, OWN])
def test_redirect_between_other_origins_taints_the_origin(to: str, engine: EngineName) -> None:
    exchange = play(redirect(to, origin=PAGE), allow(origin="null"), engine=engine)
    assert list_sent_origins(exchange) == [PAGE, "null"]
    assert expect_response(exchange).type == "cors"
    exchange = play(redirect(to, origin=PAGE), allow(), engine=engine)
    refusal = expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MISMATCH, CORS_CHECK)
    assert "null allows any site" in refusal.fix


def test_tainted_origin_stays_tainted() -> None:
    exchange = play(
        redirect(OTHER, origin=PAGE), redirect(API, origin="null"), allow(origin="null")
    )
    assert list_sent_origins(exchange) == [PAGE, "null", "null"]


def test_redirect_back_to_own_origin_is_cors() -> None:
    exchange = play(redirect(API), redirect(OWN, origin=PAGE), answer(), url=OWN)
    expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)
    assert list_sent_origins(exchange) == [None, PAGE, "null"]


def test_every_redirect_has_to_pass_the_cors_check() -> None:
    expect_refusal(play(redirect(NEXT)), BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


@pytest.mark.parametrize(
    ("status", "method", "sent"),
    [
        *((status, "POST", "GET") for status in (301, 302, 303)),
        *((status, "POST", "POST") for status in (307, 308)),
        *((status, "PUT", "PUT") for status in (301, 302, 307, 308)),
        *((status, "HEAD", "HEAD") for status in STATUSES),
        *((303, method, "GET") for method in ("PUT", "DELETE", "PATCH")),
    ],
)
def test_redirect_status_may_change_the_method(status: int, method: str, sent: str) -> None:
    body = None if method == "HEAD" else "x"
    exchange = play(redirect(OWN, status), answer(), url=OWN, method=method, body=body)
    assert list_sent(exchange) == [method, sent]
    [text] = list_texts(exchange, REDIRECT_FETCH)
    assert ("becomes GET, without its body" in text) == (method != sent)
    assert (exchange.hops[1].sent.body is None) == (sent in {"GET", "HEAD"})


def test_body_headers_are_removed_with_the_body() -> None:
    names = ["Content-Encoding", "Content-Language", "Content-Location", "Content-Type"]
    headers = {**dict.fromkeys(names, "de"), "X-A": "1"}
    exchange = play(
        redirect(OWN, 303), answer(), url=OWN, method="POST", body=b"x", headers=headers
    )
    fields = get_sent_headers(exchange)
    assert fields["X-A"] == "1"
    assert not {name.lower() for name in (*names, "Content-Length")} & set(fields)


def test_authorization_is_removed_when_the_origin_changes() -> None:
    given: dict[str, Any] = {"url": OWN, "headers": {"Authorization": "1", "Accept": "a/b"}}
    exchange = play(redirect(API), allow(), **given)
    assert get_sent_headers(exchange, 0)["Authorization"] == "1"
    assert "Authorization" not in get_sent_headers(exchange)
    assert get_sent_headers(exchange)["Accept"] == "a/b"
    assert "Authorization is removed: the origin changes" in list_texts(exchange, REDIRECT_FETCH)[0]
    exchange = play(redirect(OWN), answer(), **given)
    assert get_sent_headers(exchange)["Authorization"] == "1"


@pytest.mark.parametrize("engine", ALL)
def test_preflight_is_sent_for_each_hop_that_needs_one(engine: EngineName) -> None:
    exchange = play(
        allow_preflight("PUT"),
        redirect(NEXT, 307, PAGE),
        allow_preflight("PUT"),
        allow(),
        method="PUT",
        engine=engine,
    )
    assert list_sent(exchange) == ["?PUT", "PUT", "?PUT", "PUT"]
    exchange = play(redirect(API), allow_preflight("PUT"), allow(), url=OWN, method="PUT")
    assert list_sent(exchange) == ["PUT", "?PUT", "PUT"]


def test_redirect_without_location_is_the_response() -> None:
    exchange = play(allow(status=302))
    assert expect_response(exchange).status == 302
    assert list_texts(exchange, REDIRECT_FETCH) == ["302 without Location is not a redirect"]


@pytest.mark.parametrize("location", ["http://", "http://[", "//"])
def test_invalid_location_is_refused(location: str) -> None:
    exchange = play(redirect(location, origin=PAGE))
    refusal = expect_refusal(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)
    assert refusal.detail == location


@pytest.mark.parametrize("location", ["ftp://x/", "data:,x", "javascript:1", "about:blank"])
def test_redirect_to_non_http_scheme_is_refused(location: str) -> None:
    exchange = play(redirect(location, origin=PAGE))
    expect_refusal(exchange, BlockReason.REDIRECT_SCHEME, REDIRECT_FETCH)


@pytest.mark.parametrize("engine", ALL)
def test_redirect_limit_is_twenty(engine: EngineName) -> None:
    hops = [redirect(NEXT, origin=PAGE)] * 20
    assert expect_response(play(*hops, allow(), engine=engine)).ok
    exchange = play(*hops, redirect(NEXT, origin=PAGE), engine=engine)
    expect_refusal(exchange, BlockReason.REDIRECT_LIMIT, REDIRECT_FETCH)
    assert len(exchange.hops) == 21


@pytest.mark.parametrize(("url", "to"), [(API, NEXT), (API, OTHER), (API, OWN), (OWN, API)])
def test_redirect_to_user_name_is_refused(url: str, to: str) -> None:
    target = to.replace("://", "://user:secret@")
    exchange = play(redirect(target, origin=PAGE), url=url)
    refusal = expect_refusal(exchange, BlockReason.REDIRECT_WITH_CREDENTIALS, REDIRECT_FETCH)
    assert refusal.detail == target


def test_user_name_outside_cors_is_followed_except_in_chromium() -> None:
    for engine in ALL:
        for url, mode in ((OWN, "cors"), (API, "no-cors")):
            follows = [] if engine == "chromium" else [answer()]
            target = url.replace("://", "://user@")
            exchange = play(redirect(target), *follows, url=url, mode=mode, engine=engine)
            assert exchange.allowed == bool(follows)
    exchange = play(redirect(OWN.replace("://", "://user@")), answer(), url=OWN)
    assert exchange.hops[1].sent.url == expect_response(exchange).url == OWN


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_streamed_body_is_not_sent_twice(status: int) -> None:
    exchange = play(redirect(OWN, status), url=OWN, method="POST", body=b"1", streamed=True)
    expect_refusal(exchange, BlockReason.REDIRECT_STREAM, REDIRECT_FETCH)


def test_streamed_body_allows_redirect_303() -> None:
    exchange = play(redirect(OWN, 303), answer(), url=OWN, method="POST", body=b"1", streamed=True)
    assert list_sent(exchange) == ["POST", "GET"]


def test_credentials_mode_applies_to_every_hop() -> None:
    exchange = play(
        allow(CREDENTIALS, ("Location", NEXT), status=302),
        allow(),
        credentials="include",
    )
    expect_refusal(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
