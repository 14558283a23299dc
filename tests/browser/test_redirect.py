"""HTTP-redirect fetch: where a redirect may lead, and what of the request arrives there."""

from __future__ import annotations

from typing import Any

import pytest
from browser.scripted import (
    API,
    CORS_CHECK,
    CREDENTIALS,
    HTTP_FETCH,
    OTHER,
    OWN,
    PAGE,
    PREFLIGHT_FETCH,
    REDIRECT_FETCH,
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

from corsguard.browser import BlockReason, EngineName, Exchange

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NEXT = "https://api.example.com/next"
STATUSES = [301, 302, 303, 307, 308]


def origins(exchange: Exchange) -> list[str | None]:
    """The `Origin` of each request that is no preflight."""
    return [
        headers_of(exchange, at).get("Origin")
        for at, hop in enumerate(exchange.hops)
        if hop.purpose == "request"
    ]


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
    assert "null lets any site in" in refusal.fix


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
    assert "Authorization is dropped: another origin" in told(exchange, REDIRECT_FETCH)[0]
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
    assert told(exchange, REDIRECT_FETCH) == ["302 without Location: an answer as any other"]


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


# What the engines do beside the standard.


def two_locations(first: str, second: str) -> Any:
    return allowing(("Location", first), ("Location", second), status=302)


def test_several_lines_of_location_are_refused() -> None:
    exchange = play(two_locations(NEXT, NEXT))
    refused(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)
    for engine in ALL:
        exchange = play(two_locations(NEXT, API), engine=engine)
        refused(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_chromium_and_firefox_follow_equal_lines_of_location(engine: EngineName) -> None:
    assert seen(play(two_locations(NEXT, NEXT), allowing(), engine=engine)).url == NEXT


def test_an_empty_location_is_the_url_itself_in_the_standard_and_in_firefox() -> None:
    empty = redirect("", origin=PAGE)
    for engine in ("standard", "firefox"):
        exchange = play(empty, allowing(), engine=engine)
        assert seen(exchange).url == API
    assert seen(play(empty, engine="chromium")).status == 302
    exchange = play(empty, engine="webkit")
    refused(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)


@pytest.mark.parametrize("to", [NEXT, OTHER, OWN])
def test_webkit_follows_no_second_redirect_abroad(to: str) -> None:
    exchange = play(redirect(API), redirect(to, origin=PAGE), url=OWN, engine="webkit")
    refused(exchange, BlockReason.REDIRECT_LIMIT, REDIRECT_FETCH)
    exchange = play(redirect(API), redirect(API), answer(), url=OWN, mode="no-cors")
    assert seen(exchange).type == "opaque"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_webkit_makes_get_of_delete_where_the_origin_changes(status: int) -> None:
    given: dict[str, Any] = {"url": OWN, "method": "DELETE", "engine": "webkit"}
    assert wire(play(redirect(API, status), allowing(), **given)) == ["DELETE", "GET"]
    assert wire(play(redirect(OWN, status), answer(), **given)) == ["DELETE", "DELETE"]
    given["url"] = API
    ok, again = preflighted("DELETE"), preflighted(origin="null")
    there = redirect(OTHER, status, PAGE)
    exchange = play(ok, there, again, allowing(origin="null"), **given)
    assert wire(exchange) == ["?DELETE", "DELETE", "?GET", "GET"]


def test_webkit_keeps_the_origin_of_a_post_that_became_get() -> None:
    for engine in ALL:
        exchange = play(redirect(OWN), answer(), url=OWN, method="POST", engine=engine)
        assert origins(exchange) == [PAGE, PAGE if engine == "webkit" else None]


def test_firefox_asks_with_the_page_s_origin_where_the_request_has_null() -> None:
    exchange = play(
        preflighted("PUT"),
        redirect(OTHER, 307, PAGE),
        preflighted("PUT"),
        allowing(origin="null"),
        method="PUT",
        engine="firefox",
    )
    assert seen(exchange).ok
    assert [headers_of(exchange, at)["Origin"] for at in range(4)] == [PAGE, PAGE, PAGE, "null"]
    exchange = play(
        preflighted("PUT"),
        redirect(OTHER, 307, PAGE),
        preflighted("PUT", origin="null"),
        allowing(origin="null"),
        method="PUT",
    )
    assert exchange.hops[2].purpose == "preflight"
    assert headers_of(exchange, 2)["Origin"] == "null"


def test_firefox_skips_the_cors_check_of_a_preflight_that_was_led_home() -> None:
    for engine in ALL:
        given: list[Any] = [preflighted("PUT"), redirect(OWN, 307, PAGE)]
        home = answer(("Access-Control-Allow-Methods", "PUT"))
        if engine == "firefox":
            exchange = play(*given, home, allowing(origin="null"), method="PUT", engine=engine)
            assert seen(exchange).ok
            exchange = play(*given, answer(), method="PUT", engine=engine)
            refused(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
        else:
            exchange = play(*given, home, method="PUT", engine=engine)
            refused(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


JSON: dict[str, Any] = {
    "method": "POST",
    "body": b"{}",
    "headers": {"Content-Type": "application/json"},
}


@pytest.mark.parametrize(
    ("engine", "asked"),
    [
        ("standard", []),
        ("chromium", []),
        ("firefox", ["?GET"]),
        ("webkit", ["?GET content-type"]),
    ],
)
def test_firefox_and_webkit_ask_again_for_what_became_simple(
    engine: EngineName, asked: list[str]
) -> None:
    exchange = play(
        preflighted(None, "content-type"),
        redirect(NEXT, 302, PAGE),
        *([preflighted(None, "content-type")] if asked else []),
        allowing(),
        engine=engine,
        **JSON,
    )
    assert wire(exchange) == ["?POST content-type", "POST", *asked, "GET"]
    assert "Content-Type" not in headers_of(exchange)


@pytest.mark.parametrize(
    ("engine", "asked"),
    [
        ("standard", []),
        ("chromium", []),
        ("firefox", ["?GET"]),
        ("webkit", ["?GET authorization"]),
    ],
)
def test_firefox_and_webkit_ask_for_a_request_whose_authorization_was_dropped(
    engine: EngineName, asked: list[str]
) -> None:
    exchange = play(
        redirect(API),
        *([preflighted(None, "authorization")] if asked else []),
        allowing(),
        url=OWN,
        headers={"Authorization": "1"},
        engine=engine,
    )
    assert wire(exchange) == ["GET", *asked, "GET"]


def test_that_second_preflight_says_why_and_is_cached() -> None:
    visit = Visit("firefox")
    ok = preflighted("PUT", None, "600")
    there = redirect(NEXT, 303, PAGE)
    exchange = visit.play(ok, there, ok, allowing(), method="PUT")
    assert wire(exchange) == ["?PUT", "PUT", "?GET", "GET"]
    assert told(exchange, HTTP_FETCH)[-1] == (
        "this engine asks again after a redirect: it is asked first"
    )
    assert wire(visit.play(there, allowing(), method="PUT")) == ["PUT", "GET"]
