"""Observers and counts: every decision is seen or counted, whether a cache had it or not."""

from __future__ import annotations

import asyncio
from threading import Thread

import pytest
from support.guards import decide, decide_async

from corsguard import Decision, Guard, Kind, OriginLookup, Policy, Reason, fork_safety
from corsguard.engine.cache import DecisionCache, NoCache
from corsguard.guard.counts import BUCKETS, GuardCounts
from corsguard.guard.options import Options
from corsguard.guard.runtime import Case
from corsguard.guard.view_policies import View

APP, EVIL = "https://app.example", "https://evil.example"
NOW = Policy(allow_origins=[APP])
ALLOWED = (Kind.ACTUAL, Reason.ALLOWED)
REFUSED = (Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED)
CROSS = {"Sec-Fetch-Site": "cross-site"}


def get_cache(guard: Guard, path: str = "/") -> DecisionCache:
    return guard.adapter.snapshot.find(path).cache


def lookup(guard: Guard, origin: str | None, path: str = "/") -> Decision | None:
    environ = {} if origin is None else {"HTTP_ORIGIN": origin, "HTTP_SEC_FETCH_SITE": "cross-site"}
    return get_cache(guard, path).lookup(environ, "GET")


def lookup_headers(guard: Guard, origin: str) -> Decision | None:
    headers = [(b"origin", origin.encode()), (b"sec-fetch-site", b"cross-site")]
    return get_cache(guard).lookup_headers(headers, "GET")


def test_observer_sees_every_decision_that_is_computed() -> None:
    guard = Guard({"/api": NOW}, enforce=True)
    seen: list[tuple[str, Reason, str | None]] = []

    def observe(case: Case, decision: Decision) -> None:
        seen.append((case.request.path, decision.reason, case.applied.route))

    guard.adapter.observe(observe)
    guard.decide("/api", APP, "GET", {})
    guard.decide("/api", None, "GET", {})
    guard.decide("/api", EVIL, "POST", {"Sec-Fetch-Site": "same-origin"})
    guard.decide("/other", EVIL, "GET", {})
    guard.decide("/other", EVIL, "POST", CROSS)
    guard.adapter.stop_observing(observe)
    guard.decide("/api", APP, "GET", {})

    assert seen == [
        ("/api", Reason.ALLOWED, "/api"),
        ("/api", Reason.NOT_CORS, "/api"),
        ("/api", Reason.SAME_ORIGIN, "/api"),
        ("/other", Reason.NO_POLICY, None),
        ("/other", Reason.CROSS_ORIGIN_REFUSED, None),
    ]


def test_observer_leaves_the_caches_on() -> None:
    guard = Guard(NOW)
    guard.adapter.observe(lambda *_: None)

    guard.decide("/", APP, "GET", {})

    assert lookup(guard, APP) is not None


def test_observer_that_raises_is_logged_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(NOW)
    seen: list[Decision] = []

    def fail(case: Case, decision: Decision) -> None:
        raise ValueError("observed")

    guard.adapter.observe(fail)
    guard.adapter.observe(lambda _, decision: seen.append(decision))

    assert guard.decide("/", APP, "GET", {}).allowed
    assert len(seen) == 1
    assert "fail failed: ValueError: observed" in caplog.text


def test_subscriber_stays_when_the_last_observer_goes() -> None:
    guard = Guard(NOW)
    seen: list[Decision] = []
    guard.subscribe(lambda decision, _: seen.append(decision))

    guard.adapter.stop_observing(print)
    guard.decide("/", APP, "GET", {})

    assert len(seen) == 1


def test_guard_that_is_not_counted_has_the_caches_of_always() -> None:
    assert type(get_cache(Guard(NOW))) is DecisionCache
    assert Guard(NOW).adapter.snapshot.counts is None


def test_computed_and_cached_decisions_are_counted_apart() -> None:
    guard = Guard(NOW)
    counts = guard.adapter.count()
    assert guard.adapter.count() is counts

    for origin in (APP, EVIL):
        guard.decide("/", origin, "GET", CROSS)
        for _ in range(3):
            assert lookup(guard, origin) is not None
        assert lookup_headers(guard, origin) is not None
    assert lookup(guard, "https://new.example") is None
    assert lookup_headers(guard, "https://new.example") is None
    lookup(guard, None)

    not_cors = {(Kind.NOT_CORS, Reason.NOT_CORS): 1}
    for _ in range(2):  # to read changes nothing
        assert counts.read_computed() == {"no route": {ALLOWED: 1, REFUSED: 1}}
        assert counts.read_hits() == {"no route": {ALLOWED: 4, REFUSED: 4, **not_cors}}


def test_counts_go_on_when_policies_are_replaced() -> None:
    guard = Guard({"/api": NOW})
    counts = guard.adapter.count()
    guard.decide("/api", APP, "GET", {})

    guard.reconfigure({"/api": NOW, "/new": NOW})
    guard.adapter.add_views([("views.x", NOW)])
    guard.decide("/api", APP, "GET", {})
    guard.decide("/new", APP, "GET", {})
    guard.adapter.swap(lambda current: current.replace_all(NOW, current_options(guard)))
    guard.decide("/api", APP, "GET", {})
    lookup(guard, APP)

    found = {"/api": {ALLOWED: 2}, "/new": {ALLOWED: 1}, "no route": {ALLOWED: 1}}
    assert counts.read_computed() == found
    assert counts.read_hits()["no route"] == {ALLOWED: 1}


def current_options(guard: Guard) -> Options:
    return Options(guard.enforce, guard.enforce_exempt, guard.own_origins)


def test_decisions_of_views_are_counted_by_the_name_of_the_view() -> None:
    guard = Guard(NOW)
    guard.adapter.add_views([("views.items", NOW)])
    counts = guard.adapter.count()

    decide(guard, "/", APP, "GET", {}, view=View("items", NOW))

    assert counts.read_computed() == {"items": {ALLOWED: 1}}


def test_guard_with_a_subscriber_has_no_caches_to_count() -> None:
    guard = Guard(NOW)
    guard.adapter.count()
    guard.subscribe(lambda *_: None)

    assert type(get_cache(guard)) is NoCache


def test_names_are_bounded() -> None:
    guard = Guard({f"/{number}": NOW for number in range(500)})
    counts = guard.adapter.count()
    guard.adapter.add_views([("views.items", NOW)])

    for number in range(500):
        guard.decide(f"/{number}", APP, "GET", {})
        guard.adapter.snapshot.find(f"/{number}").cache.lookup({"HTTP_ORIGIN": APP}, "GET")
        decide(guard, "/", APP, "GET", {}, view=View(f"view{number}", NOW))

    found = counts.read_computed()
    assert len(found) == 200
    assert sum(each[ALLOWED] for each in found.values()) == 1_000
    guard.decide("/x", APP, "GET", {})
    assert counts.read_computed()["no route"] == {(Kind.NOT_CORS, Reason.NO_POLICY): 1}
    hits = counts.read_hits()
    assert len(hits) == 200
    assert hits["/0"] == {ALLOWED: 1}
    assert hits["other"] == {ALLOWED: 301}


def test_requests_add_no_name() -> None:
    guard = Guard({"/api": NOW})
    counts = guard.adapter.count()

    for number in range(10_000):
        path = f"/{'api' if number % 2 else 'x'}/{number}"
        guard.decide(path, f"https://h{number}.example", "GET", CROSS)

    assert set(counts.read_computed()) == {"/api", "no route"}
    assert set(counts.read_hits()) <= {"/api", "no route"}


def test_threads_lose_no_count() -> None:
    guard = Guard(NOW)
    counts = guard.adapter.count()
    guard.decide("/", APP, "GET", {})

    def ask() -> None:
        for _ in range(5_000):
            lookup(guard, APP)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts.read_hits() == {"no route": {ALLOWED: 20_000}}


def test_forked_child_counts_from_zero() -> None:
    guard = Guard(Policy(allow_origins=[APP, lambda origin: False]))
    counts = guard.adapter.count()
    guard.decide("/", APP, "GET", {})
    guard.decide("/", EVIL, "GET", {})
    lookup(guard, APP)
    counts.read_hits()
    assert counts._lock.acquire(blocking=False)  # as another thread may do

    fork_safety._restart_all()

    assert counts.read_predicates() == {}
    assert counts.read_computed() == counts.read_hits() == {}
    lookup(guard, APP)
    assert counts.read_hits() == {"no route": {ALLOWED: 1}}


def is_app(origin: str) -> bool:
    if origin == EVIL:
        raise ValueError(origin)
    return origin == "https://known.example"


async def is_slow(origin: str) -> bool:
    await asyncio.sleep(60 if origin == EVIL else 0)
    return False


def build_counted(*predicates: object) -> tuple[Guard, GuardCounts]:
    origins: list[object] = [APP, *predicates]
    guard = Guard(Policy(allow_origins=origins, predicate_timeout=0.01))  # type: ignore[arg-type]
    return guard, guard.adapter.count()


def test_predicates_are_counted_by_outcome() -> None:
    guard, counts = build_counted(is_app)

    for origin in (APP, EVIL, "https://known.example", "https://x.example", "https://x.example"):
        guard.decide("/", origin, "GET", {})

    [(name, stats)] = counts.read_predicates().items()
    assert name == "is_app"
    assert stats.outcomes == {"failed": 1, "allowed": 1, "refused": 2}
    assert sum(stats.buckets) == 4
    assert len(stats.buckets) == len(BUCKETS) + 1
    assert stats.seconds > 0


def test_async_predicates_are_counted() -> None:
    guard, counts = build_counted(is_slow)

    for origin in (EVIL, "https://x.example"):
        asyncio.run(decide_async(guard, "/", origin, "GET", {}))

    stats = counts.read_predicates()["is_slow"]
    assert stats.outcomes == {"timed_out": 1, "refused": 1}
    assert stats.seconds >= 0.01


def test_lookups_are_counted_with_their_remembered_answers() -> None:
    guard, counts = build_counted(OriginLookup(is_app))

    for _ in range(3):
        guard.decide("/", "https://x.example", "GET", {})
    guard.decide("/", "https://known.example", "GET", {})

    assert lookup(guard, "https://known.example") is not None
    assert counts.read_predicates()["OriginLookup(is_app)"].outcomes == {"refused": 3, "allowed": 1}
    assert counts.read_hits() == {"no route": {ALLOWED: 1}}


def test_predicates_are_timed_once_however_often_policies_are_replaced() -> None:
    guard, counts = build_counted(is_app)
    for number in range(3):
        guard.adapter.add_views([(f"views.{number}", Policy(allow_origins=[APP]))])

    guard.decide("/", "https://x.example", "GET", {})

    assert counts.read_predicates()["is_app"].outcomes == {"refused": 1}


def test_names_of_predicates_are_bounded() -> None:
    counts = GuardCounts()

    for number in range(1_000):
        counts.record(f"p{number}", "allowed", 99.0)

    found = counts.read_predicates()
    assert len(found) == 201
    assert found["other"].outcomes == {"allowed": 800}
    assert found["other"].buckets[-1] == 800


def test_recorder_gets_each_call() -> None:
    guard, counts = build_counted(is_app)
    calls: list[tuple[str, str]] = []
    counts.add_recorder(lambda name, outcome, _: calls.append((name, outcome)))

    guard.decide("/", "https://x.example", "GET", {})

    assert calls == [("is_app", "refused")]


def test_first_calls_at_once_share_the_counts() -> None:
    adapter = Guard(NOW).adapter
    lock = adapter._replacing

    class LateLock:
        """Lets another caller in before the one that waits for it."""

        def __enter__(self) -> None:
            adapter._replacing = lock
            self.first = adapter.count()
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    late = LateLock()
    adapter._replacing = late  # type: ignore[assignment]

    assert adapter.count() is late.first
    assert adapter._observers == (late.first.observe,)
