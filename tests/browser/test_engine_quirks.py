"""The engines as measured: each row of a table, in each engine and the standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.scripted_server import (
    API,
    CREDENTIALS,
    PAGE,
    Visit,
    allow,
    allow_preflight,
    get_sent_headers,
    list_sent,
    play,
    redirect,
)

from corsguard.browser import Answer, Browser, EngineName, Exchange, Request, Sent

ALL: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
Row = Callable[[EngineName], object]


def get_reason(exchange: Exchange) -> str:
    return exchange.refusal.reason if exchange.refusal else "allowed"


def count_preflights(max_age: str | None, wait: float = 0) -> Row:
    """Count the preflights of two PUTs."""

    def row(engine: EngineName) -> int:
        visit = Visit(engine)
        ok = allow_preflight("PUT", None, max_age)

        def send(sent: Sent) -> Answer:
            return ok if sent.method == "OPTIONS" else allow()

        for _ in range(2):
            visit.browser.play(Request(API, "PUT"), send)
            visit.now += wait
        return visit.browser.preflights

    return row


def run_with_preflight(preflight: Answer, **request: Any) -> Row:
    """Run a request whose preflight has this response; return the reason of its block."""

    def row(engine: EngineName) -> str:
        browser = Browser(PAGE, engine=engine)
        actual = allow(CREDENTIALS)
        return get_reason(
            browser.play(
                Request(API, **request),
                lambda sent: preflight if sent.method == "OPTIONS" else actual,
            )
        )

    return row


def read_wildcard_with_credentials(engine: EngineName) -> object:
    given = allow(("X-A", "1"), ("Access-Control-Expose-Headers", "*"), CREDENTIALS)
    exchange = play(given, credentials="include", engine=engine)
    return exchange.response is not None and "X-A" in exchange.response.headers


def read_exposed(expose: str, **request: Any) -> Row:
    """Return True if a script reads X-A of a response that exposes this."""

    def row(engine: EngineName) -> object:
        actual = allow(("X-A", "1"), ("Access-Control-Expose-Headers", expose))
        answers = [allow_preflight(), actual] if request else [actual]
        exchange = play(*answers, engine=engine, **request)
        return exchange.response is not None and "X-A" in exchange.response.headers

    return row


def get_requested_headers(engine: EngineName) -> str:
    headers = {"X-B": "1", "Content-Type": "application/json", "x-a": "2"}
    exchange = play(allow_preflight(None, "*"), allow(), headers=headers, engine=engine)
    return get_sent_headers(exchange, 0)["Access-Control-Request-Headers"]


def has_private_network_header(engine: EngineName) -> bool:
    exchange = play(
        allow_preflight("PUT"), allow(), method="PUT", url="http://127.0.0.1/", engine=engine
    )
    return "Access-Control-Request-Private-Network" in get_sent_headers(exchange, 0)


ROWS: dict[str, tuple[Row, list[object]]] = {
    "`*` with include": (
        lambda engine: get_reason(
            play(allow(CREDENTIALS, origin="*"), credentials="include", engine=engine)
        ),
        ["ALLOW_ORIGIN_WILDCARD"] * 4,
    ),
    "max-age 600": (count_preflights("600"), [1, 1, 1, 1]),
    "max-age 0": (count_preflights("0"), [2, 2, 2, 2]),
    "max-age -1": (count_preflights("-1"), [1, 2, 2, 2]),
    "max-age absent": (count_preflights(None), [1, 1, 1, 1]),
    "max-age absent, after 5 s": (count_preflights(None, 5), [2, 2, 2, 2]),
    "max-age abc": (count_preflights("abc"), [1, 1, 2, 1]),
    "max-age 86,400, after 600 s": (count_preflights("86400", 600), [1, 1, 1, 2]),
    "max-age 86,400, after 7,200 s": (count_preflights("86400", 7_200), [1, 2, 1, 2]),
    "Allow-Headers: * and Authorization": (
        run_with_preflight(allow_preflight(None, "*"), headers={"Authorization": "1"}),
        ["HEADER_NOT_ALLOWED", *["allowed"] * 3],
    ),
    "`*` in methods, with credentials": (
        run_with_preflight(
            allow_preflight("*", None, None, CREDENTIALS), method="PUT", credentials="include"
        ),
        ["METHOD_NOT_ALLOWED"] * 4,
    ),
    "`*` in headers, with credentials": (
        run_with_preflight(
            allow_preflight(None, "*", None, CREDENTIALS),
            headers={"X-A": "1"},
            credentials="include",
        ),
        ["HEADER_NOT_ALLOWED"] * 4,
    ),
    "`*` in expose, with credentials": (read_wildcard_with_credentials, [False] * 4),
    "`*` in expose, before an invalid name": (read_exposed("*, ;"), [False, False, True, False]),
    "`*` in expose, after an invalid name": (read_exposed(";, *"), [False] * 4),
    "a name in expose, before an invalid one": (read_exposed("X-A, ;"), [False] * 4),
    "`*` in expose, for an upload": (
        read_exposed("*, ;", method="POST", body="a", upload_listener=True),
        [False] * 4,
    ),
    "method patch against PATCH": (
        run_with_preflight(allow_preflight("PATCH"), method="patch"),
        ["METHOD_NOT_ALLOWED"] * 4,
    ),
    "sandboxed frame": (
        lambda engine: get_sent_headers(play(allow(origin="*"), page="null", engine=engine))[
            "Origin"
        ],
        ["null"] * 4,
    ),
    "a redirected preflight": (
        run_with_preflight(redirect(API, 307, PAGE), method="PUT"),
        ["PREFLIGHT_REDIRECTED"] * 4,
    ),
    "Access-Control-Request-Private-Network": (has_private_network_header, [False] * 4),
    "Access-Control-Request-Headers": (get_requested_headers, ["content-type,x-a,x-b"] * 4),
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("engine", ALL)
def test_engine_matches_the_measurement(row: str, engine: EngineName) -> None:
    measure, found = ROWS[row]
    assert measure(engine) == found[ALL.index(engine)]


@pytest.mark.parametrize("engine", ALL)
def test_simple_get_is_one_request_in_every_engine(engine: EngineName) -> None:
    assert list_sent(play(allow(), engine=engine)) == ["GET"]
