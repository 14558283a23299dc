"""The log says each refusal once, escaped, and can't be flooded."""

from __future__ import annotations

import logging

import pytest
from core.facts import EVIL, LISTED, A, ask

from corsguard import Guard, Policy
from corsguard.log import Log


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [record.levelno for record in caplog.records]


def test_a_refusal_is_a_warning_the_first_time_and_debug_after(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard({"/api": LISTED})
    with caplog.at_level(logging.DEBUG, logger="corsguard"):
        for path in ["/api/x", "/api/x", "/api/y"]:
            guard.decide(path, EVIL, "GET", {})
        guard.decide("/api/x", A, "OPTIONS", ask("DELETE"))
    assert levels(caplog) == [logging.WARNING, logging.DEBUG, logging.DEBUG, logging.WARNING]
    assert caplog.messages[0] == (
        f"no CORS headers for GET /api/x from {EVIL}: ORIGIN_NOT_ALLOWED (the request was served; "
        f"the browser hides the response): {EVIL}; add it to allow_origins"
    )


@pytest.mark.parametrize(
    ("origin", "asked", "line"),
    [
        (
            "http://a.example",
            ask(),
            "preflight answered 403: OPTIONS / from http://a.example: ORIGIN_NOT_ALLOWED: "
            "http://a.example (nearest listed: https://a.example); serve the page over https, or "
            "add it to allow_origins and set dangerously_allow_insecure_origins",
        ),
        (
            A,
            ask("DELETE"),
            f"preflight answered 204, but the browser blocks the request: OPTIONS / from {A}: "
            "METHOD_NOT_ALLOWED: DELETE; add it to allow_methods",
        ),
        (
            A,
            ask("PUT", "x-b"),
            f"preflight answered 204, but the browser blocks the request: OPTIONS / from {A}: "
            "HEADERS_NOT_ALLOWED: x-b; add it to allow_headers",
        ),
    ],
)
def test_the_line_names_the_offender_and_the_nearest_listed_origin(
    caplog: pytest.LogCaptureFixture, origin: str, asked: dict[str, str], line: str
) -> None:
    Guard(LISTED).decide("/", origin, "OPTIONS", asked)
    assert caplog.messages == [line]


def test_allowed_requests_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="corsguard"):
        guard = Guard(LISTED)
        guard.decide("/", A, "GET", {})
        guard.decide("/", A, "OPTIONS", ask())
        guard.decide("/", None, "GET", {})
    assert caplog.records == []


def test_a_hundred_of_a_kind_are_warnings_then_one_line_says_that_the_rest_is_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard({"/api": LISTED, "/": LISTED})
    for number in range(150):
        guard.decide("/api", f"https://n{number}.example", "GET", {})
    assert levels(caplog) == [logging.WARNING] * 101
    assert caplog.messages[-1] == "further ones are logged at DEBUG: ORIGIN_NOT_ALLOWED, /api"
    guard.decide("/", EVIL, "GET", {})
    assert len(caplog.records) == 102


def test_the_memory_is_bounded_over_any_number_of_routes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(LISTED)
    for number in range(1_100):
        guard.reconfigure({f"/{number}": LISTED})
        guard.decide(f"/{number}", EVIL, "GET", {})
    assert len(caplog.records) == 1_000


def test_every_value_is_cut_and_escaped(caplog: pytest.LogCaptureFixture) -> None:
    hostile = "https://a\r\nFAKE\x1b[2J\x00\u2028" + "x" * 9_000
    guard = Guard(LISTED)
    guard.decide(f"/{hostile}", hostile, hostile, {})
    guard.decide("/", A, "OPTIONS", ask(hostile))
    guard.decide("/", A, "OPTIONS", ask("PUT", hostile[:4_000]))
    for line in caplog.messages:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 700


def test_a_callable_that_fails_is_logged_with_its_error_also_where_another_says_yes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(origin: str) -> bool:
        raise RuntimeError("data\nbase down")

    guard = Guard(Policy(allow_origins=[broken, lambda _: True]))
    assert guard.decide("/", A, "GET", {}).allowed
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert "broken of allow_origins failed, which counts as a no: RuntimeError: data\\n" in message
    assert "in broken" in message
    assert guard.decide("/", A, "GET", {}).allowed
    assert len(caplog.records) == 1


def test_a_callable_that_fails_is_logged_for_an_own_request_that_no_subscriber_gets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(origin: str) -> bool:
        raise RuntimeError

    seen: list[object] = []
    guard = Guard(Policy(allow_origins=[broken]))
    guard.subscribe(lambda decision, facts: seen.append(decision))
    assert guard.decide("/", EVIL, "POST", {"Sec-Fetch-Site": "same-origin"}).allowed
    assert len(caplog.records) == 1
    assert seen == []


def test_a_field_that_the_application_sets_itself_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(LISTED)
    decision = guard.decide("/", A, "GET", {})
    for _ in range(3):
        guard.put_on(decision, [("access-control-allow-origin", "*")])
    assert caplog.messages == [
        "the application sets access-control-allow-origin itself; the policy's own is sent instead"
    ]


def test_a_refusal_without_origin_says_so(caplog: pytest.LogCaptureFixture) -> None:
    Guard(None, enforce=True).decide("/", None, "POST", {"Sec-Fetch-Site": "cross-site"})
    assert caplog.messages == [
        "refused, 403 (enforce): POST / from no origin: CROSS_ORIGIN_REFUSED: no origin; "
        "list the path in enforce_exempt, if any site may do this"
    ]


def test_two_guards_do_not_share_their_memory(caplog: pytest.LogCaptureFixture) -> None:
    for log in (Log(), Log()):
        log.replaced(["Vary"])
    assert len(caplog.records) == 2
