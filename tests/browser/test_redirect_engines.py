"""Where the engines follow redirects otherwise than the standard has it."""

from __future__ import annotations

from typing import Any

import pytest
from support.scripted_server import (
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
    origins,
    play,
    preflighted,
    redirect,
    refused,
    seen,
    told,
    wire,
)

from corsguard.browser import Answer, BlockReason, EngineName, Exchange

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NEXT = "https://api.example.com/next"


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


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("origin", [PAGE, "*"])
def test_webkit_checks_a_redirect_away_from_home_as_if_it_had_credentials(
    origin: str, engine: EngineName
) -> None:
    given: dict[str, Any] = {"url": OWN, "engine": engine}
    there = redirect(NEXT, 302, origin)
    if engine == "webkit":
        exchange = play(redirect(API), there, **given)
        of_page = BlockReason.ALLOW_CREDENTIALS_NOT_TRUE
        reason = of_page if origin == PAGE else BlockReason.ALLOW_ORIGIN_WILDCARD
        refused(exchange, reason, CORS_CHECK)
    else:
        assert seen(play(redirect(API), there, allowing(), **given)).ok
    assert seen(play(redirect(API), there, allowing(), credentials="omit", **given)).ok


def test_webkit_lets_it_pass_where_the_answer_allows_credentials() -> None:
    there = allowing(CREDENTIALS, ("Location", OTHER), status=302)
    exchange = play(redirect(API), there, allowing(origin="*"), url=OWN, engine="webkit")
    assert seen(exchange).ok


def test_webkit_does_so_for_redirects_alone_and_after_the_next_preflight() -> None:
    ok = preflighted("PUT", origin="*")
    given: dict[str, Any] = {"url": OWN, "method": "PUT", "engine": "webkit"}
    exchange = play(redirect(API, 307), ok, allowing(origin="*"), **given)
    assert seen(exchange).ok
    exchange = play(redirect(API, 307), ok, redirect(NEXT, 307, "*"), ok, **given)
    assert wire(exchange) == ["PUT", "?PUT", "PUT", "?PUT"]
    refused(exchange, BlockReason.ALLOW_ORIGIN_WILDCARD, CORS_CHECK)


@pytest.mark.parametrize("engine", ["standard", "webkit"])
def test_a_request_without_cors_is_redirected_from_home_and_on(engine: EngineName) -> None:
    exchange = play(redirect(API), redirect(NEXT), answer(), url=OWN, mode="no-cors", engine=engine)
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
        "this engine repeats the preflight after a redirect: needs a preflight"
    )
    assert wire(visit.play(there, allowing(), method="PUT")) == ["PUT", "GET"]


DROPPED = {"Authorization": "1", "Content-Type": "application/json"}


def dropping(engine: EngineName, *preflights: Answer) -> Exchange:
    """Redirected abroad, where Authorization is dropped; as GET, where Content-Type is; and on."""
    allowed = [[preflight] for preflight in preflights] or [[], []]
    return play(
        redirect(API, 303),
        *allowed[0],
        allowing(CREDENTIALS, ("Location", NEXT), status=302),
        *allowed[1],
        allowing(),
        url=OWN,
        method="POST",
        headers=DROPPED,
        body=b"{}",
        engine=engine,
    )


def test_firefox_sends_what_one_redirect_dropped_after_the_next_one() -> None:
    exchange = dropping("firefox", preflighted(), preflighted(None, ", ".join(DROPPED)))
    asked = "?GET authorization,content-type"
    assert wire(exchange) == ["POST", "?GET", "GET", asked, "GET"]
    assert DROPPED.keys().isdisjoint(dict(exchange.hops[2].sent.headers))
    assert DROPPED.keys() <= dict(exchange.hops[-1].sent.headers).keys()


@pytest.mark.parametrize("engine", ["standard", "chromium", "webkit"])
def test_elsewhere_it_stays_away(engine: EngineName) -> None:
    asked = [preflighted(None, ", ".join(DROPPED))] * 2 if engine == "webkit" else []
    exchange = dropping(engine, *asked)
    assert seen(exchange).ok
    assert DROPPED.keys().isdisjoint(dict(exchange.hops[-1].sent.headers))


def test_firefox_drops_authorization_again_where_the_origin_changes_again() -> None:
    exchange = play(
        redirect(API),
        preflighted(),
        redirect(OTHER, origin=PAGE),
        preflighted(),
        allowing(origin="null"),
        url=OWN,
        headers={"Authorization": "1"},
        engine="firefox",
    )
    assert wire(exchange) == ["GET", "?GET", "GET", "?GET", "GET"]
    assert "Authorization" not in headers_of(exchange)
