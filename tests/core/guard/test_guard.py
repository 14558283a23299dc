"""The guard: enforcement, paths, subscribers and reconfiguration."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from support.engine_requests import ANY, EVIL, LISTED, PLAIN, A, build_preflight

from corsguard import CORSRequest, Decision, Guard, Kind, Policy, PolicyError, Reason
from corsguard.guard.arguments import build_configured_guard
from corsguard.guard.snapshot import Snapshot

CROSS = {"Sec-Fetch-Site": "cross-site"}
COOKIES = Policy(allow_origins=[A], allow_credentials=True)
ENFORCED = Guard({"/api": PLAIN, "/in": COOKIES, "/off": None}, enforce=True)


def reason(
    guard: Guard,
    method: str,
    path: str = "/api/x",
    origin: str | None = EVIL,
    headers: Mapping[str, str] | None = None,
    *,
    credentials: bool | None = None,
) -> Reason:
    return guard.decide(path, origin, method, headers or {}, credentials).reason


def test_path_without_a_policy_is_left_to_the_application() -> None:
    guard = Guard({"/api": PLAIN, "/api/admin": None})
    untouched = Decision(Kind.NOT_CORS, Reason.NO_POLICY, "", None, ())
    for path in ["/other", "/api/admin", "/api/admin/x"]:
        assert guard.decide(path, "x y", "OPTIONS", build_preflight()) == untouched
        assert guard.policy_for(path) is None


@pytest.mark.parametrize("path", ["/x", "//x", "/a/../b", "", "*", "x", "\\"])
def test_one_policy_applies_to_every_path(path: str) -> None:
    guard = Guard(PLAIN)
    assert guard.decide(path, A, "GET", {}).allowed
    assert guard.policy_for(path) is PLAIN


def test_guard_of_none_sends_no_headers() -> None:
    assert Guard(None).policies is None
    assert Guard(None).policy_for("/") is None
    assert Guard(None).decide("/", A, "GET", {}).reason is Reason.NO_POLICY


def test_guard_copies_its_routes() -> None:
    routes: dict[str, Policy | None] = {"/api": PLAIN}
    guard = Guard(routes)
    routes["/api"] = None
    assert guard.policy_for("/api") is PLAIN
    with pytest.raises(TypeError):
        guard.policies["/api"] = None  # type: ignore[index]


def test_configured_guard_accepts_mapping_policy_and_guard() -> None:
    policy = Policy(allow_origins=[A])
    guard = Guard(policy)
    assert build_configured_guard(guard) is guard
    assert build_configured_guard(policy).policies is policy
    assert build_configured_guard({"allow_origins": [A]}).policies == policy


def test_cross_site_request_is_served_by_default() -> None:
    decision = Guard(PLAIN).decide("/", EVIL, "POST", CROSS)
    assert (decision.reason, decision.status) == (Reason.ORIGIN_NOT_ALLOWED, None)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "get", "QUERY", "TRACE", ""])
def test_enforce_refuses_unsafe_cross_site_methods(method: str) -> None:
    decision = ENFORCED.decide("/api/x", EVIL, method, CROSS)
    assert decision == Decision(
        Kind.ACTUAL, Reason.CROSS_ORIGIN_REFUSED, EVIL, 403, (("Vary", "Origin"),)
    )
    assert decision.body.startswith(b"corsguard: cross-origin refused")
    assert decision.body.count(b"\n") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_enforce_serves_safe_methods(method: str) -> None:
    assert reason(ENFORCED, method, headers=CROSS) is Reason.ORIGIN_NOT_ALLOWED


@pytest.mark.parametrize(
    ("method", "upgrade", "refused"),
    [
        ("GET", "websocket", True),
        ("GET", "WebSocket", True),
        ("GET", "h2c, websocket", True),
        ("GET", "h2c", False),
        ("GET", "websocket2", False),
        ("HEAD", "websocket", False),
    ],
)
def test_enforce_refuses_cross_site_websocket_handshakes(
    method: str, upgrade: str, refused: bool
) -> None:
    headers = {"Upgrade": upgrade, **CROSS}
    assert (reason(ENFORCED, method, headers=headers) is Reason.CROSS_ORIGIN_REFUSED) is refused
    assert reason(ENFORCED, method, "/in", A, headers, credentials=True) is Reason.ALLOWED


@pytest.mark.parametrize(
    ("origin", "headers", "refused"),
    [
        (None, {}, False),
        (None, CROSS, True),
        (None, {"Sec-Fetch-Site": "same-site"}, True),
        (None, {"Sec-Fetch-Site": "same-origin"}, False),
        (None, {"Sec-Fetch-Site": "none"}, False),
        (None, {"Sec-Fetch-Site": "none,none"}, True),
        (None, {"Sec-Fetch-Site": ""}, True),
        (EVIL, {}, True),
        (EVIL, {"Host": "evil.example"}, False),
        (EVIL, {"Host": "evil.example", "Sec-Fetch-Site": "same-site"}, True),
        (EVIL, {"X-Forwarded-Host": "evil.example"}, True),
        ("https://own.example", {}, False),
        ("https://own.example", CROSS, True),
        ("null", {}, True),
        ("", {}, True),
    ],
)
def test_enforce_refuses_only_cross_site_browser_requests(
    origin: str | None, headers: Mapping[str, str], refused: bool
) -> None:
    guard = Guard({"/api": PLAIN}, enforce=True, own_origins=["https://own.example"])
    decision = guard.decide("/api", origin, "POST", headers)
    assert (decision.reason is Reason.CROSS_ORIGIN_REFUSED) is refused
    assert decision.status == (403 if refused else None)
    if refused:
        assert decision.kind is (Kind.NOT_CORS if origin is None else Kind.ACTUAL)


@pytest.mark.parametrize(
    ("path", "credentials", "refused"),
    [
        ("/api", False, False),
        ("/api", None, False),
        ("/api", True, True),
        ("/in", True, False),
        ("/off", False, True),
        ("/nowhere", False, True),
        ("/in//", False, True),
        ("/in/../in", False, True),
        ("/in\\", False, True),
    ],
)
def test_enforce_serves_requests_that_the_policy_allows(
    path: str, credentials: bool | None, refused: bool
) -> None:
    refusal = reason(ENFORCED, "POST", path, A, CROSS, credentials=credentials)
    assert (refusal is Reason.CROSS_ORIGIN_REFUSED) is refused


@pytest.mark.parametrize("mode", ["navigate", "no-cors", "cors"])
def test_enforce_counts_a_cookie_in_any_fetch_mode(mode: str) -> None:
    headers = {**CROSS, "Sec-Fetch-Mode": mode}
    refusal = reason(ENFORCED, "POST", "/api", A, headers, credentials=True)
    assert refusal is Reason.CROSS_ORIGIN_REFUSED


@pytest.mark.parametrize(
    ("path", "origin", "credentials", "detail"),
    [
        ("/nowhere", A, False, f"{A} (no policy applies here)"),
        ("/api", A, True, f"{A} (with a cookie, without allow_credentials)"),
        ("/api", "http://a.example", False, f"http://a.example (nearest listed: {A})"),
        ("/api", None, False, "no origin"),
    ],
)
def test_refusal_detail_names_the_reason(
    path: str, origin: str | None, credentials: bool, detail: str
) -> None:
    assert ENFORCED.decide(path, origin, "POST", CROSS, credentials).detail == detail


@pytest.mark.parametrize(
    "entry", ["http://a.example", re.compile(r"http://a\.example"), lambda _: True]
)
def test_enforce_exempt_path_keeps_its_policy(entry: Any) -> None:
    policy = Policy(allow_origins=[entry])
    guard = Guard({"/pub": policy}, enforce=True, enforce_exempt=["/pub"])
    assert guard.decide("/pub", "http://a.example", "GET", {}).allowed
    if not isinstance(entry, str):  # as that of a view, it does not start
        guard.adapter.add_views([("view", policy)])
        assert not guard.decide("/pub", "http://a.example", "GET", {}).allowed


def test_enforce_exempt_prefix_is_not_enforced() -> None:
    guard = Guard({"/": PLAIN, "/public": ANY}, enforce=True, enforce_exempt=["/public", "/hook/"])
    assert reason(guard, "POST", "/public/x") is Reason.ALLOWED
    assert reason(guard, "POST", "/hook") is Reason.ORIGIN_NOT_ALLOWED
    assert reason(guard, "POST", "/hooks") is Reason.CROSS_ORIGIN_REFUSED
    assert reason(guard, "POST", "/hook/../x") is Reason.CROSS_ORIGIN_REFUSED


def test_enforce_report_serves_and_logs_the_request(caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard({"/api": COOKIES}, enforce="report")
    seen: list[tuple[Decision, CORSRequest]] = []
    guard.subscribe(lambda decision, facts: seen.append((decision, facts)))
    decision = guard.decide("/api", EVIL, "POST", CROSS)
    assert (decision.reason, decision.status) == (Reason.CROSS_ORIGIN_REFUSED, None)
    assert decision.headers == (("Vary", "Origin"),)
    assert [each for each, _ in seen] == [decision]
    assert "CROSS_ORIGIN_REFUSED" in caplog.text


def test_enforce_without_a_policy_sends_no_headers() -> None:
    guard = Guard(None, enforce=True)
    assert guard.decide("/", EVIL, "POST", {}).status == 403
    assert guard.decide("/", EVIL, "GET", {}).headers == ()
    assert guard.enforce is True


def test_decide_async_equals_decide_and_awaits_callables() -> None:
    async def predicate(origin: str) -> bool:
        return origin == A

    guard = Guard({"/api": Policy(allow_origins=[predicate])}, enforce=True)

    async def decide(path: str, origin: str) -> Reason:
        return (await guard.decide_async(path, origin, "POST", {})).reason

    assert asyncio.run(decide("/api", A)) is Reason.ALLOWED
    assert asyncio.run(decide("/api", EVIL)) is Reason.CROSS_ORIGIN_REFUSED
    assert asyncio.run(decide("/other", A)) is Reason.CROSS_ORIGIN_REFUSED


def test_subscriber_gets_every_cors_decision_and_its_request() -> None:
    guard = Guard({"/api": LISTED})
    seen: list[tuple[Reason, CORSRequest]] = []
    guard.subscribe(lambda decision, facts: seen.append((decision.reason, facts)))
    guard.decide("/api/x", A, "OPTIONS", build_preflight("PUT", "x-a"))
    guard.decide("/api/x", EVIL, "GET", {}, credentials=True)
    guard.decide("/api/x", None, "GET", {})
    guard.decide("/other", EVIL, "GET", {})
    guard.decide("/api", EVIL, "POST", {"Sec-Fetch-Site": "same-origin"})
    assert seen == [
        (Reason.ALLOWED, CORSRequest("/api/x", A, "OPTIONS", "PUT", "x-a", route="/api")),
        (
            Reason.ORIGIN_NOT_ALLOWED,
            CORSRequest("/api/x", EVIL, "GET", has_cookie=True, route="/api"),
        ),
    ]


def test_subscribe_removes_caches_before_it_adds_a_subscriber(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A child that is forked in between must not answer from a cache that skips a subscriber."""
    guard = Guard(PLAIN)
    seen: list[Reason] = []
    heard: list[list[Reason]] = []
    switch = Snapshot.switch_caches

    def decide_and_switch(snapshot: Snapshot, *, is_cached: bool) -> Snapshot:
        guard.decide("/", A, "GET", {})
        heard.append([*seen])
        return switch(snapshot, is_cached=is_cached)

    monkeypatch.setattr(Snapshot, "switch_caches", decide_and_switch)
    guard.subscribe(lambda decision, _request: seen.append(decision.reason))
    guard.decide("/", A, "GET", {})
    assert (heard, seen) == ([[]], [Reason.ALLOWED])


def test_exempt_paths_without_enforce_keep_one_policy_everywhere() -> None:
    guard = Guard(PLAIN, enforce_exempt=["/hooks"])
    assert guard.adapter.snapshot.everywhere is not None
    assert Guard(PLAIN, enforce=True, enforce_exempt=["/hooks"]).adapter.snapshot.everywhere is None


def test_subscriber_error_is_logged_and_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(PLAIN)
    seen: list[Reason] = []

    def broken(decision: Decision, facts: CORSRequest) -> None:
        raise ValueError("no\nline")

    guard.subscribe(broken)
    guard.subscribe(lambda decision, facts: seen.append(decision.reason))
    assert guard.decide("/", A, "GET", {}).allowed
    assert seen == [Reason.ALLOWED]
    [record] = caplog.records
    assert "broken failed: ValueError: no\\nline" in record.getMessage()
    assert "in broken" in record.getMessage()


def test_reconfigure_replaces_policies_and_keeps_options() -> None:
    guard = Guard(PLAIN, enforce=True, own_origins=["https://own.example"])
    guard.reconfigure({"/api": COOKIES})
    assert guard.policies == {"/api": COOKIES}
    assert reason(guard, "POST", "/api", "https://own.example") is Reason.SAME_ORIGIN
    assert reason(guard, "POST", "/other", A) is Reason.CROSS_ORIGIN_REFUSED


@pytest.mark.parametrize("bad", [ANY, {"api": PLAIN}, "policy"])
def test_reconfigure_with_a_bad_policy_keeps_the_old_one(bad: Any) -> None:
    guard = Guard(PLAIN, enforce=True)
    with pytest.raises(PolicyError):
        guard.reconfigure(bad)
    assert guard.policies is PLAIN


def test_reconfigure_under_load_never_mixes_two_policies() -> None:
    first = Policy(allow_origins=[A], allow_methods=["PUT"], expose_headers=["X-1"], max_age=1)
    second = Policy(allow_origins=[EVIL], allow_methods=["PATCH"], max_age=2)
    guard = Guard({"/": first})
    requests: list[tuple[str, str, str, Mapping[str, str]]] = [
        ("/x", A, "GET", {}),
        ("/x", EVIL, "GET", {}),
        ("/x", A, "OPTIONS", build_preflight()),
        ("/x", EVIL, "OPTIONS", build_preflight()),
    ]
    whole = {
        request[:3]: {Guard({"/": policy}).decide(*request) for policy in (first, second)}
        for request in requests
    }
    mixed: list[Decision] = []
    stop = threading.Event()

    def decide() -> None:
        while not stop.is_set():
            for request in requests:
                decision = guard.decide(*request)
                if decision not in whole[request[:3]]:
                    mixed.append(decision)

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(400):
        guard.reconfigure({"/": second if number % 2 else first})
    stop.set()
    for thread in threads:
        thread.join()
    assert mixed == []


def test_guard_own_origins_are_readable() -> None:
    assert Guard(LISTED).own_origins == ()
    assert Guard(LISTED, own_origins=["https://api.example"]).own_origins == (
        "https://api.example",
    )
