"""Shadow: what would differ is counted and logged, and nothing else happens."""

from __future__ import annotations

import logging
import os
import tracemalloc
from typing import Any

import pytest
from support.shadow import list_rows, read_lines

from corsguard import CORSRequest, Guard, OriginLookup, Policy, Reason
from corsguard.guard.options import Policies
from corsguard.guard.shadow import Shadow
from corsguard.guard.shadow_line import OTHER, SERVED

APP, EVIL = "https://app.example", "https://evil.example"
POLICY = Policy(allow_origins=[APP], allow_methods=["PUT"])
USERS = Policy(allow_origins=[APP], allow_credentials=True)
NOTHING: Policies = {"/": None}


def reflect(origin: str, *, has_credentials: bool = True) -> list[tuple[str, str]]:
    headers = [("Content-Type", "text/plain"), ("Access-Control-Allow-Origin", origin)]
    return [*headers, ("Access-Control-Allow-Credentials", "true")] if has_credentials else headers


def environ(origin: str | None = APP, **fields: str) -> dict[str, Any]:
    given = {} if origin is None else {"HTTP_ORIGIN": origin}
    return given | {f"HTTP_{name.upper()}": value for name, value in fields.items()}


def observe(
    shadow: Shadow,
    seen: dict[str, Any],
    headers: list[tuple[str, str]],
    method: str = "GET",
    path: str = "/",
    status: str = "200 OK",
) -> None:
    exchange = shadow.begin(seen | {"REQUEST_METHOD": method}, method, path)
    if exchange is not None:
        shadow.end(exchange, status, headers)


def build(policies: Policies, **options: Any) -> Shadow:
    return Shadow(Guard(policies, **options).adapter)


@pytest.mark.parametrize(
    ("policies", "seen", "headers", "verdict", "reason"),
    [
        (POLICY, environ(), [], "would-allow", "ALLOWED"),
        (POLICY, environ(), reflect(APP, has_credentials=False), None, ""),
        (POLICY, environ(), reflect("*", has_credentials=False), None, ""),
        (POLICY, environ(), reflect(APP), "would-refuse", "CREDENTIALS_NOT_ALLOWED"),
        (POLICY, environ(EVIL), reflect(EVIL), "would-refuse", "ORIGIN_NOT_ALLOWED"),
        (POLICY, environ(EVIL), [], None, ""),
        (NOTHING, environ(), reflect("*"), "would-refuse", "NO_POLICY"),
        (USERS, environ(), reflect(APP, has_credentials=False), "would-allow", "ALLOWED"),
        (NOTHING, environ(sec_fetch_site="same-origin"), [], None, ""),
        (NOTHING, environ(host="app.example"), reflect(APP), None, ""),
        (POLICY, environ(None), [], None, ""),
    ],
)
def test_request_that_a_page_would_notice_is_logged(
    policies: Policies,
    seen: dict[str, Any],
    headers: list[tuple[str, str]],
    verdict: str | None,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    observe(build(policies), seen, headers)

    rows = [(row[0], row[3]) for row in list_rows(caplog)]
    assert rows == ([(verdict, reason)] if verdict else [])


def test_refused_requests_are_compared_under_enforce(caplog: pytest.LogCaptureFixture) -> None:
    shadow = build(USERS, enforce=True)

    observe(shadow, environ(EVIL), [], "POST")
    observe(shadow, environ(None, sec_fetch_site="cross-site"), [], "POST")
    observe(shadow, environ(None), [], "POST")

    assert [row[:2] + row[3:] for row in list_rows(caplog)] == [
        ("would-refuse", EVIL, "CROSS_ORIGIN_REFUSED", 1),
        ("would-refuse", None, "CROSS_ORIGIN_REFUSED", 1),
    ]


@pytest.mark.parametrize(
    ("method", "names", "answer", "verdict", "reason", "detail"),
    [
        ("PUT", None, {}, "would-allow", "ALLOWED", ""),
        ("PUT", None, {"Origin": APP, "Methods": "PUT"}, None, "", ""),
        ("PATCH", None, {}, None, "", ""),
        (
            "PATCH",
            None,
            {"Origin": "*", "Methods": "*"},
            "would-refuse",
            "METHOD_NOT_ALLOWED",
            "",
        ),
        (
            "PUT",
            "x-one",
            {"Origin": "*", "Methods": "PUT", "Headers": "X-One"},
            "would-refuse",
            "HEADERS_NOT_ALLOWED",
            "x-one",
        ),
    ],
)
def test_preflight_that_a_page_would_notice_is_logged(
    method: str,
    names: str | None,
    answer: dict[str, str],
    verdict: str | None,
    reason: str,
    detail: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = environ(access_control_request_method=method)
    if names:
        seen["HTTP_ACCESS_CONTROL_REQUEST_HEADERS"] = names

    headers = [(f"Access-Control-Allow-{name}", value) for name, value in answer.items()]
    observe(build(POLICY), seen, headers, "OPTIONS")

    found = read_lines(caplog)
    assert [(each.verdict, each.reason, each.detail, each.method) for each in found] == (
        [(verdict, reason, detail, method)] if verdict else []
    )
    assert all(each.is_preflight for each in found)


def test_origins_served_with_cookies_are_logged_whatever_the_policy_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadow = build({"/api": USERS, "/old": None})

    for path in ("/api", "/old"):
        observe(shadow, environ(cookie="a=b"), reflect(APP), path=path)
        observe(shadow, environ(), reflect(APP), path=path)
        observe(shadow, environ(cookie="a=b"), reflect("*"), path=path)

    assert [row for row in list_rows(caplog) if row[0] == SERVED] == [
        (SERVED, APP, "/api", "ALLOWED", 1),
        (SERVED, APP, "/old", "NO_POLICY", 1),
    ]


def test_own_pages_are_not_served_with_cookies(caplog: pytest.LogCaptureFixture) -> None:
    observe(build(NOTHING), environ(cookie="a=b", host="app.example"), reflect(APP))

    assert list_rows(caplog) == []


def test_item_is_logged_at_powers_of_ten(caplog: pytest.LogCaptureFixture) -> None:
    shadow = build(NOTHING)

    for _ in range(1_001):
        observe(shadow, environ(), reflect(APP))

    assert [row[-1] for row in list_rows(caplog)] == [1, 10, 100, 1_000]


def test_start_is_logged_at_the_first_request_with_an_origin(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadow = build(POLICY)
    observe(shadow, environ(None), [])
    assert caplog.messages == []

    for _ in range(2):
        observe(shadow, environ(), reflect("*", has_credentials=False))

    [message] = caplog.messages
    assert message.startswith(f"shadow: started process={os.getpid()}-")


def test_error_page_from_outside_the_old_layer_is_not_compared(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadow = build(POLICY)

    observe(shadow, environ(), [], status="500 Internal Server Error")
    observe(shadow, environ(), [], status="404 Not Found")

    assert [row[0] for row in list_rows(caplog)] == ["would-allow"]


def test_no_refusal_is_logged_published_or_counted(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(POLICY, enforce=True)
    decided: list[Reason] = []
    guard.subscribe(lambda decision, _: decided.append(decision.reason))
    counts = guard.adapter.count()

    observe(Shadow(guard.adapter), environ(EVIL), [], "POST")

    assert not decided
    assert not counts.read_computed()
    assert all(message.startswith("shadow: ") for message in caplog.messages)


def test_hostile_origins_do_not_fill_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "corsguard")
    shadow = build(NOTHING)

    def attack(first: int) -> int:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(first, first + 10_000):
            origin = f"https://o{number}.{'x' * 250}.example"
            observe(shadow, environ(origin, cookie="a=b"), reflect(origin), "GET" + "X" * 200)
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        grown = attack(0)
        grown_later = attack(10_000)
    finally:
        tracemalloc.stop()

    assert grown < 20_000_000
    assert grown_later < 1_000_000


def test_origins_beyond_the_limit_are_counted_together(caplog: pytest.LogCaptureFixture) -> None:
    shadow = build(NOTHING)

    for number in range(1_100):
        origin = f"https://o{number}.example"
        observe(shadow, environ(origin), reflect(origin))

    rows = list_rows(caplog)
    assert len(rows) == 1_003
    assert rows[1_000:] == [
        ("would-refuse", OTHER, OTHER, OTHER, number) for number in (1, 10, 100)
    ]


def test_origin_that_is_too_long_is_counted_as_other(caplog: pytest.LogCaptureFixture) -> None:
    origin = "https://" + "x" * 2_000 + ".example"

    for _ in range(2):  # such a request is not cached
        observe(build(NOTHING), environ(origin), reflect(origin))

    assert {row[1] for row in list_rows(caplog)} == {OTHER}


def test_line_ends_in_an_origin_stay_in_its_field(caplog: pytest.LogCaptureFixture) -> None:
    forged = "x\nshadow: served-with-cookies origin=https://evil.example route=/"

    observe(build(NOTHING), environ(forged), reflect(forged))

    [line] = [message for message in caplog.messages if "started" not in message]
    assert "\n" not in line
    assert line.count("shadow: ") == 1


@pytest.mark.parametrize("is_lookup", [True, False])
def test_callables_are_asked_each_time(is_lookup: bool, caplog: pytest.LogCaptureFixture) -> None:
    allowed: list[str] = []

    def ask(origin: str) -> bool:
        return origin in allowed

    lookup = OriginLookup(ask, negative_ttl=0.001)
    shadow = build(Policy(allow_origins=[lookup if is_lookup else ask]))

    observe(shadow, environ(), [])
    assert list_rows(caplog) == []
    allowed.append(APP)
    lookup.forget(APP)
    observe(shadow, environ(), [])

    assert [row[0] for row in list_rows(caplog)] == ["would-allow"]


def test_callable_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(origin: str) -> bool:
        raise LookupError(origin)

    observe(build(Policy(allow_origins=[fail])), environ(), [])

    assert "which counts as False: LookupError" in caplog.text


def test_reconfigured_policy_is_compared_at_once(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard(NOTHING)
    shadow = Shadow(guard.adapter)

    observe(shadow, environ(), [])
    guard.reconfigure(POLICY)
    observe(shadow, environ(), [])

    assert [row[0] for row in list_rows(caplog)] == ["would-allow"]


@pytest.mark.parametrize(
    ("seen", "status", "headers"),
    [(environ(), "?", []), (environ(), "200 OK", [(1, 2)]), ({"HTTP_ORIGIN": 7}, "200 OK", [])],
)
def test_error_of_the_comparison_is_logged_once(
    seen: dict[str, Any], status: str, headers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shadow = build(POLICY)

    for _ in range(2):
        observe(shadow, seen, headers, status=status)

    assert len([each for each in caplog.messages if "the shadow mode failed: " in each]) == 1


def test_forked_child_starts_at_zero_as_a_process_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shadow = build(NOTHING)
    for _ in range(5):
        observe(shadow, environ(), reflect(APP))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  # in the child
        caplog.clear()
        observe(shadow, environ(), reflect(APP))
        os.write(write, "\n".join(caplog.messages).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as file:
        text = file.read()

    assert "count=1 " in text
    mine = {line.process for line in read_lines(caplog)}
    assert mine
    assert not any(process in text for process in mine)


def test_quiet_decision_equals_the_logged_one(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard({"/api": USERS}, enforce=True)
    for method in ("GET", "POST", "OPTIONS"):
        for origin in (APP, EVIL, "x y", None):
            request = CORSRequest("/api", origin, method, "PUT", has_cookie=True)
            quiet = guard.adapter.decide_quietly(request)
            assert caplog.messages == []
            assert quiet == guard.adapter.decide(request)
            caplog.clear()
