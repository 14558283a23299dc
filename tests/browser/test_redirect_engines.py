"""The engines' quirks in redirects."""

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

from corsguard.browser import Answer, BlockReason, EngineName, Exchange

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NEXT = "https://api.example.com/next"


def answer_two_locations(first: str, second: str) -> Any:
    return allow(("Location", first), ("Location", second), status=302)


def test_several_locations_are_refused() -> None:
    exchange = play(answer_two_locations(NEXT, NEXT))
    expect_refusal(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)
    for engine in ALL:
        exchange = play(answer_two_locations(NEXT, API), engine=engine)
        expect_refusal(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_equal_locations_are_followed_in_chromium_and_firefox(engine: EngineName) -> None:
    assert (
        expect_response(play(answer_two_locations(NEXT, NEXT), allow(), engine=engine)).url == NEXT
    )


def test_empty_location_is_the_url_in_standard_and_firefox() -> None:
    empty = redirect("", origin=PAGE)
    for engine in ("standard", "firefox"):
        exchange = play(empty, allow(), engine=engine)
        assert expect_response(exchange).url == API
    assert expect_response(play(empty, engine="chromium")).status == 302
    exchange = play(empty, engine="webkit")
    expect_refusal(exchange, BlockReason.REDIRECT_INVALID, REDIRECT_FETCH)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("origin", [PAGE, "*"])
def test_webkit_checks_redirect_from_own_origin_as_include(origin: str, engine: EngineName) -> None:
    given: dict[str, Any] = {"url": OWN, "engine": engine}
    there = redirect(NEXT, 302, origin)
    if engine == "webkit":
        exchange = play(redirect(API), there, **given)
        of_page = BlockReason.ALLOW_CREDENTIALS_NOT_TRUE
        reason = of_page if origin == PAGE else BlockReason.ALLOW_ORIGIN_WILDCARD
        expect_refusal(exchange, reason, CORS_CHECK)
    else:
        assert expect_response(play(redirect(API), there, allow(), **given)).ok
    assert expect_response(play(redirect(API), there, allow(), credentials="omit", **given)).ok


def test_webkit_allows_redirect_with_allow_credentials() -> None:
    there = allow(CREDENTIALS, ("Location", OTHER), status=302)
    exchange = play(redirect(API), there, allow(origin="*"), url=OWN, engine="webkit")
    assert expect_response(exchange).ok


def test_webkit_second_check_follows_the_next_preflight() -> None:
    ok = allow_preflight("PUT", origin="*")
    given: dict[str, Any] = {"url": OWN, "method": "PUT", "engine": "webkit"}
    exchange = play(redirect(API, 307), ok, allow(origin="*"), **given)
    assert expect_response(exchange).ok
    exchange = play(redirect(API, 307), ok, redirect(NEXT, 307, "*"), ok, **given)
    assert list_sent(exchange) == ["PUT", "?PUT", "PUT", "?PUT"]
    expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_WILDCARD, CORS_CHECK)


@pytest.mark.parametrize("engine", ["standard", "webkit"])
def test_no_cors_is_redirected_from_own_origin(engine: EngineName) -> None:
    exchange = play(redirect(API), redirect(NEXT), answer(), url=OWN, mode="no-cors", engine=engine)
    assert expect_response(exchange).type == "opaque"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_webkit_changes_delete_to_get_across_origins(status: int) -> None:
    given: dict[str, Any] = {"url": OWN, "method": "DELETE", "engine": "webkit"}
    assert list_sent(play(redirect(API, status), allow(), **given)) == ["DELETE", "GET"]
    assert list_sent(play(redirect(OWN, status), answer(), **given)) == ["DELETE", "DELETE"]
    given["url"] = API
    ok, again = allow_preflight("DELETE"), allow_preflight(origin="null")
    there = redirect(OTHER, status, PAGE)
    exchange = play(ok, there, again, allow(origin="null"), **given)
    assert list_sent(exchange) == ["?DELETE", "DELETE", "?GET", "GET"]


def test_webkit_keeps_origin_of_a_post_changed_to_get() -> None:
    for engine in ALL:
        exchange = play(redirect(OWN), answer(), url=OWN, method="POST", engine=engine)
        assert list_sent_origins(exchange) == [PAGE, PAGE if engine == "webkit" else None]


def test_firefox_preflight_has_page_origin_where_tainted() -> None:
    exchange = play(
        allow_preflight("PUT"),
        redirect(OTHER, 307, PAGE),
        allow_preflight("PUT"),
        allow(origin="null"),
        method="PUT",
        engine="firefox",
    )
    assert expect_response(exchange).ok
    assert [get_sent_headers(exchange, at)["Origin"] for at in range(4)] == [
        PAGE,
        PAGE,
        PAGE,
        "null",
    ]
    exchange = play(
        allow_preflight("PUT"),
        redirect(OTHER, 307, PAGE),
        allow_preflight("PUT", origin="null"),
        allow(origin="null"),
        method="PUT",
    )
    assert exchange.hops[2].purpose == "preflight"
    assert get_sent_headers(exchange, 2)["Origin"] == "null"


def test_firefox_skips_check_of_own_origin_preflight() -> None:
    for engine in ALL:
        given: list[Any] = [allow_preflight("PUT"), redirect(OWN, 307, PAGE)]
        own_origin = answer(("Access-Control-Allow-Methods", "PUT"))
        if engine == "firefox":
            exchange = play(*given, own_origin, allow(origin="null"), method="PUT", engine=engine)
            assert expect_response(exchange).ok
            exchange = play(*given, answer(), method="PUT", engine=engine)
            expect_refusal(exchange, BlockReason.METHOD_NOT_ALLOWED, PREFLIGHT_FETCH)
        else:
            exchange = play(*given, own_origin, method="PUT", engine=engine)
            expect_refusal(exchange, BlockReason.ALLOW_ORIGIN_MISSING, CORS_CHECK)


JSON: dict[str, Any] = {
    "method": "POST",
    "body": b"{}",
    "headers": {"Content-Type": "application/json"},
}


@pytest.mark.parametrize(
    ("engine", "repeated"),
    [
        ("standard", []),
        ("chromium", []),
        ("firefox", ["?GET"]),
        ("webkit", ["?GET content-type"]),
    ],
)
def test_firefox_and_webkit_repeat_needless_preflight(
    engine: EngineName, repeated: list[str]
) -> None:
    exchange = play(
        allow_preflight(None, "content-type"),
        redirect(NEXT, 302, PAGE),
        *([allow_preflight(None, "content-type")] if repeated else []),
        allow(),
        engine=engine,
        **JSON,
    )
    assert list_sent(exchange) == ["?POST content-type", "POST", *repeated, "GET"]
    assert "Content-Type" not in get_sent_headers(exchange)


@pytest.mark.parametrize(
    ("engine", "repeated"),
    [
        ("standard", []),
        ("chromium", []),
        ("firefox", ["?GET"]),
        ("webkit", ["?GET authorization"]),
    ],
)
def test_firefox_and_webkit_preflight_removed_authorization(
    engine: EngineName, repeated: list[str]
) -> None:
    exchange = play(
        redirect(API),
        *([allow_preflight(None, "authorization")] if repeated else []),
        allow(),
        url=OWN,
        headers={"Authorization": "1"},
        engine=engine,
    )
    assert list_sent(exchange) == ["GET", *repeated, "GET"]


def test_repeated_preflight_gives_reason_and_is_cached() -> None:
    visit = Visit("firefox")
    ok = allow_preflight("PUT", None, "600")
    there = redirect(NEXT, 303, PAGE)
    exchange = visit.play(ok, there, ok, allow(), method="PUT")
    assert list_sent(exchange) == ["?PUT", "PUT", "?GET", "GET"]
    assert list_texts(exchange, HTTP_FETCH)[-1] == (
        "this engine repeats the preflight after a redirect: needs a preflight"
    )
    assert list_sent(visit.play(there, allow(), method="PUT")) == ["PUT", "GET"]


DROPPED = {"Authorization": "1", "Content-Type": "application/json"}


def run_with_removed_headers(engine: EngineName, *preflights: Answer) -> Exchange:
    """Run a POST through redirects that remove Authorization, then Content-Type, and one more."""
    allowed = [[preflight] for preflight in preflights] or [[], []]
    return play(
        redirect(API, 303),
        *allowed[0],
        allow(CREDENTIALS, ("Location", NEXT), status=302),
        *allowed[1],
        allow(),
        url=OWN,
        method="POST",
        headers=DROPPED,
        body=b"{}",
        engine=engine,
    )


def test_firefox_restores_removed_header_on_next_redirect() -> None:
    exchange = run_with_removed_headers(
        "firefox", allow_preflight(), allow_preflight(None, ", ".join(DROPPED))
    )
    preflight = "?GET authorization,content-type"
    assert list_sent(exchange) == ["POST", "?GET", "GET", preflight, "GET"]
    assert DROPPED.keys().isdisjoint(dict(exchange.hops[2].sent.headers))
    assert DROPPED.keys() <= dict(exchange.hops[-1].sent.headers).keys()


@pytest.mark.parametrize("engine", ["standard", "chromium", "webkit"])
def test_other_engines_never_restore_removed_header(engine: EngineName) -> None:
    preflights = [allow_preflight(None, ", ".join(DROPPED))] * 2 if engine == "webkit" else []
    exchange = run_with_removed_headers(engine, *preflights)
    assert expect_response(exchange).ok
    assert DROPPED.keys().isdisjoint(dict(exchange.hops[-1].sent.headers))


def test_firefox_removes_authorization_on_each_origin_change() -> None:
    exchange = play(
        redirect(API),
        allow_preflight(),
        redirect(OTHER, origin=PAGE),
        allow_preflight(),
        allow(origin="null"),
        url=OWN,
        headers={"Authorization": "1"},
        engine="firefox",
    )
    assert list_sent(exchange) == ["GET", "?GET", "GET", "?GET", "GET"]
    assert "Authorization" not in get_sent_headers(exchange)
