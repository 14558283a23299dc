"""Exchange and Blocked: the recorded exchange, and every block reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.scripted_server import (
    API,
    CORS_CHECK,
    CREDENTIALS,
    OTHER,
    OWN,
    PAGE,
    Visit,
    allow,
    allow_preflight,
    answer,
    play,
    redirect,
)

from corsguard.browser import (
    Answer,
    Blocked,
    BlockReason,
    Browser,
    Clause,
    Exchange,
    Hop,
    Request,
    SendError,
    Sent,
)


def silent(sent: Sent) -> Answer:
    raise SendError("connection refused")


LOCATION = redirect(API, origin=PAGE)
EXAMPLES: dict[BlockReason, Callable[[], Exchange]] = {
    BlockReason.URL_INVALID: lambda: play(url="https://"),
    BlockReason.URL_WITH_CREDENTIALS: lambda: play(url="https://user@api.example.com/"),
    BlockReason.METHOD_INVALID: lambda: play(method="GE T"),
    BlockReason.METHOD_FORBIDDEN: lambda: play(method="TRACE"),
    BlockReason.HEADER_INVALID: lambda: play(headers={"a b": "1"}),
    BlockReason.BODY_NOT_ALLOWED: lambda: play(body=b"1"),
    BlockReason.NO_CORS_METHOD: lambda: play(mode="no-cors", method="PUT"),
    BlockReason.NO_CORS_STREAM: lambda: play(
        mode="no-cors", method="POST", body=b"1", streamed=True
    ),
    BlockReason.NO_CORS_REDIRECT_MODE: lambda: play(mode="no-cors", redirect="error"),
    BlockReason.SAME_ORIGIN_ONLY: lambda: play(mode="same-origin"),
    BlockReason.SCHEME_NOT_HTTP: lambda: play(url="ftp://example.com/"),
    BlockReason.PORT_BLOCKED: lambda: play(url="https://api.example.com:25/"),
    BlockReason.UNREACHABLE: lambda: play(silent),
    BlockReason.PREFLIGHT_REDIRECTED: lambda: play(LOCATION, method="PUT"),
    BlockReason.PREFLIGHT_STATUS: lambda: play(allow(status=404), method="PUT"),
    BlockReason.ALLOW_METHODS_INVALID: lambda: play(allow_preflight("b ad"), method="PUT"),
    BlockReason.ALLOW_HEADERS_INVALID: lambda: play(allow_preflight("PUT", "b ad"), method="PUT"),
    BlockReason.METHOD_NOT_ALLOWED: lambda: play(allow_preflight(), method="PUT"),
    BlockReason.HEADER_NOT_ALLOWED: lambda: play(allow_preflight(), headers={"X-A": "1"}),
    BlockReason.ALLOW_ORIGIN_MISSING: lambda: play(answer()),
    BlockReason.ALLOW_ORIGIN_MULTIPLE: lambda: play(allow(origin="*, *")),
    BlockReason.ALLOW_ORIGIN_INVALID: lambda: play(allow(origin="true")),
    BlockReason.ALLOW_ORIGIN_MISMATCH: lambda: play(allow(origin="null")),
    BlockReason.ALLOW_ORIGIN_WILDCARD: lambda: play(allow(origin="*"), credentials="include"),
    BlockReason.ALLOW_CREDENTIALS_NOT_TRUE: lambda: play(allow(), credentials="include"),
    BlockReason.RESOURCE_POLICY: lambda: play(
        answer(("Cross-Origin-Resource-Policy", "same-origin")), mode="no-cors"
    ),
    BlockReason.REDIRECT_MODE_ERROR: lambda: play(LOCATION, redirect="error"),
    BlockReason.REDIRECT_INVALID: lambda: play(redirect("http://", origin=PAGE)),
    BlockReason.REDIRECT_SCHEME: lambda: play(redirect("ftp://x/", origin=PAGE)),
    BlockReason.REDIRECT_LIMIT: lambda: play(*[LOCATION] * 21),
    BlockReason.REDIRECT_WITH_CREDENTIALS: lambda: play(
        redirect("https://a@other.example/", origin=PAGE)
    ),
    BlockReason.REDIRECT_STREAM: lambda: play(
        redirect(OWN, 307), url=OWN, method="POST", body=b"1", streamed=True
    ),
}


def test_every_block_reason_has_an_example() -> None:
    assert set(EXAMPLES) == set(BlockReason)


@pytest.mark.parametrize("reason", BlockReason)
def test_every_block_reason_is_reached_and_has_a_fix(reason: BlockReason) -> None:
    exchange = EXAMPLES[reason]()
    blocked = exchange.outcome
    assert isinstance(blocked, Blocked)
    assert not exchange.allowed
    assert blocked.reason is reason
    assert blocked.step == exchange.steps[-1]
    assert blocked.clause is blocked.step.clause
    assert blocked.console == exchange.console
    lines = str(blocked).splitlines()
    assert lines[0] == f"{reason}: {blocked.step.text}"
    assert lines[1] == f"  step:    {blocked.step.name} ({blocked.clause.words})"
    assert lines[2] == f"  fix:     {blocked.fix}"
    assert lines[3:] == ([f"  console: {exchange.console}"] if exchange.console else [])
    assert [step.passed for step in exchange.steps] == [True] * (len(exchange.steps) - 1) + [False]


def test_every_clause_has_unique_address_and_words() -> None:
    assert all(clause.startswith("https://fetch.spec.whatwg.org/#") for clause in Clause)
    assert len({clause.words for clause in Clause}) == len(Clause)


def test_allowed_exchange_is_recorded_completely() -> None:
    exchange = play(
        allow_preflight("PUT", None, "600", CREDENTIALS),
        allow(CREDENTIALS),
        method="PUT",
        credentials="include",
        engine="firefox",
    )
    assert (exchange.page, exchange.engine, exchange.request.url) == (PAGE, "firefox", API)
    assert exchange.allowed
    assert exchange.outcome is exchange.response
    assert (exchange.refusal, exchange.console, exchange.preflights) == (None, "", 1)
    assert [hop.purpose for hop in exchange.hops] == ["preflight", "request"]
    assert [step.clause.words for step in exchange.steps] == [
        'Fetch, "new Request()"',
        'Fetch, "main fetch"',
        'Fetch, "HTTP fetch"',
        'Fetch, "HTTP-network-or-cache fetch"',
        CORS_CHECK,
        'Fetch, "CORS-preflight fetch"',
        'Fetch, "CORS-preflight fetch"',
        'Fetch, "CORS-preflight cache"',
        'Fetch, "HTTP-network-or-cache fetch"',
        CORS_CHECK,
        'Fetch, "CORS filtered response"',
    ]


def test_blocked_of_an_allowed_exchange_raises_value_error() -> None:
    with pytest.raises(ValueError, match="was not blocked"):
        Blocked(play(allow()))


def test_hop_without_response_is_recorded() -> None:
    [hop] = play(silent, url=OTHER).hops
    assert hop == Hop("request", hop.sent, None)


def test_browser_counts_its_preflights() -> None:
    visit = Visit()
    for _ in range(2):
        visit.play(allow_preflight("PUT", None, "0"), allow(), method="PUT")
    assert visit.browser.preflights == 2


def test_fetch_without_application_raises_type_error() -> None:
    with pytest.raises(TypeError, match=r"Browser\.on\(\)"):
        Browser(PAGE).fetch("/")


def test_clock_defaults_to_the_system_time() -> None:
    exchange = Browser(PAGE).play(
        Request(API, "PUT"),
        lambda sent: allow_preflight("PUT") if sent.method == "OPTIONS" else allow(),
    )
    assert exchange.allowed
