"""HTTP-redirect fetch: where a redirect may lead, and what of the request arrives there."""

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
    allowing,
    answer,
    headers_of,
    origins,
    play,
    preflighted,
    redirect,
    refused,
    seen,
    told,
    wire,
)

from corsguard.browser import BlockReason, EngineName

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NEXT = "https://api.example.com/next"
STATUSES = [301, 302, 303, 307, 308]


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("status", STATUSES)
def test_a_redirect_within_one_origin_keeps_the_page_s_origin(
    status: int, engine: EngineName
) -> None:
    exchange = play(redirect("/next", status, PAGE), allowing(), engine=engine)
    response = seen(exchange)
    assert (response.url, response.redirected) == (NEXT, True)
    assert origins(exchange) == [PAGE, PAGE]
    assert told(exchange, REDIRECT_FETCH) == [f"{status} to {NEXT}"]


@pytest.mark.parametrize("engine", ALL)
def test_a_redirect_from_the_page_s_origin_keeps_it(engine: EngineName) -> None:
    exchange = play(redirect(API), allowing(), url=OWN, engine=engine)
    assert origins(exchange) == [None, PAGE]
    assert seen(exchange).type == "cors"


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("to", [OTHER, OWN])
def test_a_redirect_from_one_other_origin_to_another_taints_the_origin(
    to: str, engine: EngineName
) -> None:
    exchange = play(redirect(to, origin=PAGE), allowing(origin="null"), engine=engine)
    assert origins(exchange) == [PAGE, "null"]
    assert seen(exchange).type == "cors"
    exchange = play(redirect(to, origin=PAGE), allowing(), engine=engine)
    refusal = refused(exchange, BlockReason.ALLOW_ORIGIN_MISMATCH, CORS_CHECK)
    assert "null allows any site" in refusal.fix


def test_a_tainted_origin_stays_tainted() -> None:
    exchange = play(
        redirect(OTHER, origin=PAGE), redirect(API, origin="null"), allowing(origin="null")
    )
    assert origins(exchange) == [PAGE, "null", "null"]


def test_back_home_from_another_origin_is_cors() -> None:
    exchange = play(redirect(API), redirect(OWN, origin=PAGE), answer(), url=OWN)
    refused(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)
    assert origins(exchange) == [None, PAGE, "null"]


def test_every_answer_on_the_way_has_to_pass_the_cors_check() -> None:
    refused(play(redirect(NEXT)), BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


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
def test_some_redirects_change_the_method(status: int, method: str, sent: str) -> None:
    body = None if method == "HEAD" else "x"
    exchange = play(redirect(OWN, status), answer(), url=OWN, method=method, body=body)
    assert wire(exchange) == [method, sent]
    [text] = told(exchange, REDIRECT_FETCH)
    assert ("becomes GET, without its body" in text) == (method != sent)
    assert (exchange.hops[1].sent.body is None) == (sent in {"GET", "HEAD"})


def test_the_headers_of_the_body_go_with_the_body() -> None:
    names = ["Content-Encoding", "Content-Language", "Content-Location", "Content-Type"]
    headers = {**dict.fromkeys(names, "de"), "X-A": "1"}
    exchange = play(
        redirect(OWN, 303), answer(), url=OWN, method="POST", body=b"x", headers=headers
    )
    kept = headers_of(exchange)
    assert kept["X-A"] == "1"
    assert not {name.lower() for name in (*names, "Content-Length")} & set(kept)


def test_authorization_is_dropped_when_the_origin_changes() -> None:
    given: dict[str, Any] = {"url": OWN, "headers": {"Authorization": "1", "Accept": "a/b"}}
    exchange = play(redirect(API), allowing(), **given)
    assert headers_of(exchange, 0)["Authorization"] == "1"
    assert "Authorization" not in headers_of(exchange)
    assert headers_of(exchange)["Accept"] == "a/b"
    assert "Authorization is removed: the origin changes" in told(exchange, REDIRECT_FETCH)[0]
    exchange = play(redirect(OWN), answer(), **given)
    assert headers_of(exchange)["Authorization"] == "1"


@pytest.mark.parametrize("engine", ALL)
def test_a_preflight_is_made_for_each_hop_that_needs_one(engine: EngineName) -> None:
    exchange = play(
        preflighted("PUT"),
        redirect(NEXT, 307, PAGE),
        preflighted("PUT"),
        allowing(),
        method="PUT",
        engine=engine,
    )
    assert wire(exchange) == ["?PUT", "PUT", "?PUT", "PUT"]
    exchange = play(redirect(API), preflighted("PUT"), allowing(), url=OWN, method="PUT")
    assert wire(exchange) == ["PUT", "?PUT", "PUT"]


def test_a_redirect_without_location_is_an_answer() -> None:
    exchange = play(allowing(status=302))
    assert seen(exchange).status == 302
    assert told(exchange, REDIRECT_FETCH) == ["302 without Location is not a redirect"]


@pytest.mark.parametrize("location", ["http://", "http://[", "//"])
def test_a_location_that_is_no_url_is_refused(location: str) -> None:
    exchange = play(redirect(location, origin=PAGE))
    refusal = refused(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)
    assert refusal.detail == location


@pytest.mark.parametrize("location", ["ftp://x/", "data:,x", "javascript:1", "about:blank"])
def test_a_redirect_to_another_scheme_is_refused(location: str) -> None:
    exchange = play(redirect(location, origin=PAGE))
    refused(exchange, BlockReason.REDIRECT_SCHEME, REDIRECT_FETCH)


@pytest.mark.parametrize("engine", ALL)
def test_twenty_redirects_are_followed_and_no_more(engine: EngineName) -> None:
    hops = [redirect(NEXT, origin=PAGE)] * 20
    assert seen(play(*hops, allowing(), engine=engine)).ok
    exchange = play(*hops, redirect(NEXT, origin=PAGE), engine=engine)
    refused(exchange, BlockReason.REDIRECT_LIMIT, REDIRECT_FETCH)
    assert len(exchange.hops) == 21


@pytest.mark.parametrize(("url", "to"), [(API, NEXT), (API, OTHER), (API, OWN), (OWN, API)])
def test_a_redirect_to_a_user_name_is_refused(url: str, to: str) -> None:
    target = to.replace("://", "://user:secret@")
    exchange = play(redirect(target, origin=PAGE), url=url)
    refusal = refused(exchange, BlockReason.REDIRECT_WITH_CREDENTIALS, REDIRECT_FETCH)
    assert refusal.detail == target


def test_at_home_and_without_cors_a_user_name_is_followed_but_in_chromium() -> None:
    for engine in ALL:
        for url, mode in ((OWN, "cors"), (API, "no-cors")):
            follows = [] if engine == "chromium" else [answer()]
            target = url.replace("://", "://user@")
            exchange = play(redirect(target), *follows, url=url, mode=mode, engine=engine)
            assert exchange.allowed == bool(follows)
    exchange = play(redirect(OWN.replace("://", "://user@")), answer(), url=OWN)
    assert exchange.hops[1].sent.url == seen(exchange).url == OWN


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_stream_is_not_sent_a_second_time(status: int) -> None:
    exchange = play(redirect(OWN, status), url=OWN, method="POST", body=b"1", streamed=True)
    refused(exchange, BlockReason.REDIRECT_STREAM, REDIRECT_FETCH)


def test_a_stream_may_be_redirected_by_303() -> None:
    exchange = play(redirect(OWN, 303), answer(), url=OWN, method="POST", body=b"1", streamed=True)
    assert wire(exchange) == ["POST", "GET"]


def test_the_credentials_mode_holds_on_every_hop() -> None:
    exchange = play(
        allowing(CREDENTIALS, ("Location", NEXT), status=302),
        allowing(),
        credentials="include",
    )
    refused(exchange, BlockReason.ALLOW_CREDENTIALS_NOT_TRUE, CORS_CHECK)
