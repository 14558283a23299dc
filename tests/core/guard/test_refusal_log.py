"""The log says each refusal once, escaped, and can't be flooded."""

from __future__ import annotations

import logging
import re
from traceback import format_tb
from typing import Any

import pytest
from support.engine_requests import ANY, EVIL, LISTED, PLAIN, A, build_preflight

from corsguard import Guard, OriginLookup, Policy
from corsguard.guard.refusal_log import RefusalLog


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [record.levelno for record in caplog.records]


def test_refusal_is_logged_at_warning_once_then_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard({"/api": LISTED})
    with caplog.at_level(logging.DEBUG, logger="corsguard"):
        for path in ["/api/x", "/api/x", "/api/y"]:
            guard.decide(path, EVIL, "GET", {})
        guard.decide("/api/x", A, "OPTIONS", build_preflight("DELETE"))
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
            build_preflight(),
            "preflight answered 403: OPTIONS / from http://a.example: ORIGIN_NOT_ALLOWED: "
            "http://a.example (nearest listed: https://a.example); serve the page over https, or "
            "add it to allow_origins and set dangerously_allow_insecure_origins",
        ),
        (
            A,
            build_preflight("DELETE"),
            f"preflight answered 204, but the browser blocks the request: OPTIONS / from {A}: "
            "METHOD_NOT_ALLOWED: DELETE; add it to allow_methods",
        ),
        (
            A,
            build_preflight("PUT", "x-b"),
            f"preflight answered 204, but the browser blocks the request: OPTIONS / from {A}: "
            "HEADERS_NOT_ALLOWED: x-b; add it to allow_headers",
        ),
    ],
)
def test_refusal_line_names_the_offender_and_closest_origin(
    caplog: pytest.LogCaptureFixture, origin: str, asked: dict[str, str], line: str
) -> None:
    Guard(LISTED).decide("/", origin, "OPTIONS", asked)
    assert caplog.messages == [line]


def test_allowed_request_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="corsguard"):
        guard = Guard(LISTED)
        guard.decide("/", A, "GET", {})
        guard.decide("/", A, "OPTIONS", build_preflight())
        guard.decide("/", None, "GET", {})
    assert caplog.records == []


def test_refusals_of_one_group_warn_a_hundred_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard({"/api": LISTED, "/": LISTED})
    for number in range(150):
        guard.decide("/api", f"https://n{number}.example", "GET", {})
    assert levels(caplog) == [logging.WARNING] * 101
    assert caplog.messages[-1] == "further ones are logged at DEBUG: ORIGIN_NOT_ALLOWED, /api"
    guard.decide("/", EVIL, "GET", {})
    assert len(caplog.records) == 102


def test_refusal_log_is_bounded_over_many_routes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(LISTED)
    for number in range(1_100):
        guard.reconfigure({f"/{number}": LISTED})
        guard.decide(f"/{number}", EVIL, "GET", {})
    assert len(caplog.records) == 1_000


def test_refusal_line_cuts_and_escapes_every_value(caplog: pytest.LogCaptureFixture) -> None:
    hostile = "https://a\r\nFAKE\x1b[2J\x00\u2028" + "x" * 9_000
    guard = Guard(LISTED)
    guard.decide(f"/{hostile}", hostile, hostile, {})
    guard.decide("/", A, "OPTIONS", build_preflight(hostile))
    guard.decide("/", A, "OPTIONS", build_preflight("PUT", hostile[:4_000]))
    for line in caplog.messages:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 700


def test_failed_callable_is_logged_even_if_another_allows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(origin: str) -> bool:
        raise RuntimeError("data\nbase down")

    guard = Guard(Policy(allow_origins=[broken, lambda _: True]))
    assert guard.decide("/", A, "GET", {}).allowed
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert "broken of allow_origins failed, which counts as False: RuntimeError: data\\n" in message
    assert "in broken" in message
    assert guard.decide("/", A, "GET", {}).allowed
    assert len(caplog.records) == 1


def test_failed_lookup_with_an_old_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0

    def has(origin: str) -> bool:
        if now:
            raise ConnectionError("down")
        return True

    guard = Guard(Policy(allow_origins=[OriginLookup(has, clock=lambda: now)]))
    assert guard.decide("/", A, "GET", {}).allowed
    now = 100.0
    assert guard.decide("/", A, "GET", {}).allowed
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "has) of allow_origins failed, its last answer still counts: " in record.getMessage()
    assert "ConnectionError: down" in record.getMessage()


def test_failed_callable_is_logged_for_a_same_origin_request(
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


def test_replaced_header_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(LISTED)
    decision = guard.decide("/", A, "GET", {})
    for _ in range(3):
        guard.adapter.merge(decision.headers, [("access-control-allow-origin", "*")])
    assert caplog.messages == [
        "the application sets access-control-allow-origin itself; the policy's own is sent instead"
    ]


def test_refusal_line_without_origin_says_no_origin(caplog: pytest.LogCaptureFixture) -> None:
    Guard(None, enforce=True).decide("/", None, "POST", {"Sec-Fetch-Site": "cross-site"})
    assert caplog.messages == [
        "refused, 403 (enforce): POST / from no origin: CROSS_ORIGIN_REFUSED: no origin; "
        "list the path in enforce_exempt, if any site may do this"
    ]


def test_refusal_logs_of_two_guards_are_separate(caplog: pytest.LogCaptureFixture) -> None:
    for log in (RefusalLog(), RefusalLog()):
        log.report_replaced(["Vary"])
    assert len(caplog.records) == 2


PREFLIGHT_403 = "preflight answered 403: OPTIONS / from "
HIDDEN = "no CORS headers for GET / from "
REFUSED = "refused, 403 (enforce):"
SERVED = "(the request was served; the browser hides the response)"
UPGRADE = {"Upgrade": "websocket"}


@pytest.mark.parametrize(
    ("enforce", "method", "headers", "credentials", "line"),
    [
        (False, "GET", {}, None, f"{HIDDEN}{EVIL}: ORIGIN_NOT_ALLOWED {SERVED}: "),
        (False, "OPTIONS", build_preflight(), None, f"{PREFLIGHT_403}{EVIL}: ORIGIN_NOT_ALLOWED: "),
        (True, "POST", {}, None, f"{REFUSED} POST / from {EVIL}: CROSS_ORIGIN_REFUSED: "),
        (True, "GET", {}, None, f"{HIDDEN}{EVIL}: ORIGIN_NOT_ALLOWED {SERVED}: "),
        (True, "GET", UPGRADE, None,
         f"{REFUSED} GET / from {EVIL}: CROSS_ORIGIN_REFUSED: "),
        ("report", "POST", {}, None,
         f'would be refused (enforce="report"): POST / from {EVIL}: CROSS_ORIGIN_REFUSED '
         "(the request was served): "),
        (False, "GET", UPGRADE, None,
         f"no policy allows the WebSocket handshake GET / from {EVIL}: ORIGIN_NOT_ALLOWED "
         "(the request was served; browsers apply no CORS to WebSockets, enforce does): "),
        (False, "POST", {"Sec-Fetch-Mode": "navigate"}, None,
         f"no CORS headers for POST / from {EVIL}: ORIGIN_NOT_ALLOWED "
         "(the request was served; the browser shows the page, which needs none): "),
    ],
)  # fmt: skip
def test_refusal_line_names_the_outcome(
    caplog: pytest.LogCaptureFixture,
    enforce: Any,
    method: str,
    headers: dict[str, str],
    credentials: bool | None,
    line: str,
) -> None:
    Guard(PLAIN, enforce=enforce).decide("/", EVIL, method, headers, credentials)
    [message] = caplog.messages
    assert message.startswith(line)
    assert ("refused" in message) is bool(enforce and line.startswith(("refused", "would")))


FLAG = "dangerously_allow_insecure_origins"
HTTP = "http://a.example"
BY_REGEX = Policy(allow_origins=[A, re.compile(r"https?://(?:x|y)\.a\.example")])


@pytest.mark.parametrize(
    ("guard", "origin", "method", "headers", "credentials", "advised"),
    [
        (Guard(PLAIN), EVIL, "GET", {}, None, "add it to allow_origins"),
        (Guard(PLAIN), HTTP, "GET", {}, None, "add it to allow_origins"),
        (Guard(LISTED), HTTP, "GET", {}, None,
         f"serve the page over https, or add it to allow_origins and set {FLAG}"),
        (Guard(BY_REGEX, enforce=True), "http://x.a.example", "GET", {}, None,
         f"plain http is the reason: serve the page over https, or set {FLAG}"),
        (Guard(BY_REGEX, enforce=True), "http://x.a.example", "POST", {}, None,
         f"plain http is the reason: serve the page over https, or set {FLAG}"),
        (Guard(Policy(allow_origins=[lambda _: True], allow_credentials=True)), HTTP, "GET", {},
         None, f"plain http is the reason: serve the page over https, or set {FLAG}"),
        (Guard(PLAIN), "null", "GET", {}, None,
         "any sandboxed frame sends it: give the page an origin of its own, or list it with "
         "dangerously_allow_null_origin"),
        (Guard(LISTED), "null", "GET", {}, None,
         "any sandboxed frame sends it: give the page an origin of its own"),
        (Guard(PLAIN), "file://", "GET", {}, None,
         "any file on the user's disk, a downloaded page too, sends it: give the page an origin "
         "of its own, or list it with dangerously_allow_null_origin"),
        (Guard(LISTED), "file://", "GET", {}, None,
         "any file on the user's disk, a downloaded page too, sends it: give the page an origin "
         "of its own"),
        (Guard(PLAIN), "https://A.example", "GET", {}, None,
         "no browser sends such an Origin: look for a proxy that rewrites it"),
        (Guard(PLAIN), A, "OPTIONS", build_preflight("DELETE"), None, "add it to allow_methods"),
        (Guard(LISTED), A, "OPTIONS", build_preflight("patch"), None,
         "methods are case-sensitive: have the page send PATCH"),
        (Guard(LISTED), A, "OPTIONS", build_preflight("TRACE"), None, "no page can send it"),
        (Guard(LISTED), A, "OPTIONS", build_preflight("a b"), None, "no page can send it"),
        (Guard(LISTED), A, "OPTIONS", build_preflight("PUT", "x-b"), None,
         "add it to allow_headers"),
        (Guard(LISTED), A, "OPTIONS", build_preflight("PUT", "x b"), None, "no page sends it"),
        (Guard(PLAIN), A, "GET", {}, True,
         'set allow_credentials, or have the page send no cookies (credentials: "omit")'),
        (Guard(ANY), A, "GET", {}, True,
         "list the origin by name in allow_origins, and set allow_credentials for its cookies"),
        (Guard(PLAIN, enforce=True), A, "POST", {}, True,
         'set allow_credentials, or have the page send no cookies (credentials: "omit")'),
        (Guard({"/x": PLAIN}, enforce=True), A, "POST", {}, None,
         "allow the origin in a policy for this path, or list the path in enforce_exempt"),
    ],
)  # fmt: skip
def test_refusal_line_names_the_fix(
    caplog: pytest.LogCaptureFixture,
    guard: Guard,
    origin: str,
    method: str,
    headers: dict[str, str],
    credentials: bool | None,
    advised: str,
) -> None:
    guard.decide("/", origin, method, headers, credentials)
    [message] = caplog.messages
    assert message.endswith(f"; {advised}")


OWN = "https://api.example.com"
HOST = {"Host": "127.0.0.1:8000"}
LIST_IT = f"; if this service is {OWN}, list {OWN} in own_origins: Host is 127.0.0.1:8000, "


@pytest.mark.parametrize("enforce", [False, True])
@pytest.mark.parametrize(
    ("headers", "line"),
    [
        ({"X-Forwarded-Host": "api.example.com"}, "X-Forwarded-Host api.example.com"),
        ({"X-Forwarded-Host": "API.example.com:443, x"}, "X-Forwarded-Host API.example.com:443"),
        ({"Forwarded": 'for=192.0.2.1; Host="api.example.com";proto=https'},
         "Forwarded host api.example.com"),
        ({"Forwarded": "host=a.example, host=api.example.com"}, "Forwarded host api.example.com"),
    ],
)  # fmt: skip
def test_refusal_line_names_own_origins_behind_a_proxy(
    caplog: pytest.LogCaptureFixture, enforce: bool, headers: dict[str, str], line: str
) -> None:
    decision = Guard(PLAIN, enforce=enforce).decide("/", OWN, "POST", {**HOST, **headers})
    assert not decision.allowed
    assert caplog.messages[0].endswith(LIST_IT + line)
    # What it advises is what helps.
    fixed = Guard(PLAIN, enforce=enforce, own_origins=[OWN])
    assert fixed.decide("/", OWN, "POST", {**HOST, **headers}).allowed


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        (EVIL, {"X-Forwarded-Host": "api.example.com"}),
        (OWN, {"X-Forwarded-Host": "api.example.com", "Sec-Fetch-Site": "cross-site"}),
        (OWN, {"X-Forwarded-Host": "api.example.com", **build_preflight()}),
        ("null", {"X-Forwarded-Host": "null"}),
        ("https://A", {"X-Forwarded-Host": "A"}),
        (OWN, {"X-Forwarded-Host": "x" * 2_000 + ",api.example.com", "Forwarded": "by=x"}),
    ],
)
def test_refusal_line_omits_own_origins_if_no_help(
    caplog: pytest.LogCaptureFixture, origin: str, headers: dict[str, str]
) -> None:
    method = "OPTIONS" if "Access-Control-Request-Method" in headers else "GET"
    Guard(PLAIN).decide("/", origin, method, {**HOST, **headers})
    assert "own_origins" not in caplog.messages[0]


def test_refusal_line_works_without_forwarded_headers(caplog: pytest.LogCaptureFixture) -> None:
    read: dict[str, str | None] = dict.fromkeys(
        [
            "sec-fetch-site",
            "sec-fetch-mode",
            "host",
            "upgrade",
            *map(str.lower, build_preflight("x", "y")),
        ]
    )
    Guard(PLAIN).decide("/", EVIL, "GET", read.__getitem__)
    assert caplog.messages[0].endswith("add it to allow_origins")


class Unprintable(Exception):
    """Its text is asked for, and counted."""

    asked = 0

    def __str__(self) -> str:
        Unprintable.asked += 1
        raise ValueError


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_refusal_below_the_log_level_is_not_formatted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    formatted: list[object] = []

    def count(trace: object) -> list[str]:
        formatted.append(trace)
        return format_tb(trace)  # type: ignore[arg-type]

    def broken(*_: object) -> bool:
        raise Unprintable

    Unprintable.asked = 0
    monkeypatch.setattr("corsguard.guard.refusal_log.format_tb", count)
    guard = Guard(Policy(allow_origins=[broken]))
    guard.subscribe(broken)
    with caplog.at_level(level, logger="corsguard"):
        for _ in range(5):
            guard.decide("/", EVIL, "GET", {})
            headers = guard.decide("/", None, "GET", {}).headers
            guard.adapter.merge(headers, [("Access-Control-Max-Age", "1")], "/")
    times = 2 if level == logging.WARNING else 0
    assert (len(formatted), Unprintable.asked) == (times, times)
    assert len([line for line in caplog.messages if "an error without a text" in line]) == times


def test_replaced_header_line_names_the_path(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(LISTED)
    fields = [("Access-Control-Allow-Origin", "*")]
    guard.adapter.merge(guard.decide("/", A, "GET", {}).headers, fields, "/caf\u00e9\n")
    assert caplog.messages == [
        r"the application sets Access-Control-Allow-Origin itself at /caf\xe9\n; "
        "the policy's own is sent instead"
    ]
