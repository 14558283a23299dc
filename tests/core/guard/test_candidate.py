"""A candidate: what other policies would change is counted and logged, and no response changes."""

from __future__ import annotations

import logging
from threading import Thread
from typing import Any

import pytest
from support.guards import decide

from corsguard import Decision, Guard, OriginLookup, Policy, PolicyError, fork_safety
from corsguard.guard.candidate import CandidateDifference, Verdict
from corsguard.guard.options import Policies
from corsguard.guard.snapshot import Snapshot
from corsguard.guard.view_policies import View

APP, NEW, EVIL = "https://app.example", "https://new.example", "https://evil.example"
NOW = Policy(allow_origins=[APP], allow_methods=["PUT"])
PREFLIGHT = {"Access-Control-Request-Method": "PUT"}
ALLOW: Verdict = "would-allow"
REFUSE: Verdict = "would-refuse"


def list_verdicts(guard: Guard) -> list[tuple[str, str, str, int]]:
    return list(guard.candidate_differences)


def compare(now: Policies, then: Policies, **options: Any) -> Guard:
    guard = Guard(now, **options)
    guard.try_candidate(then)
    return guard


def test_candidate_changes_no_decision() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    plain = Guard(NOW)

    for origin in (APP, NEW, EVIL, None):
        for method, headers in (("GET", {}), ("OPTIONS", PREFLIGHT)):
            for _ in range(2):
                expected = plain.decide("/x", origin, method, headers)
                assert guard.decide("/x", origin, method, headers) == expected


def test_differences_are_counted_by_verdict_origin_and_path() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))

    for _ in range(3):
        guard.decide("/a", NEW, "GET", {})
    guard.decide("/a", APP, "GET", {})
    guard.decide("/b", APP, "OPTIONS", PREFLIGHT)
    guard.decide("/b", EVIL, "GET", {})
    guard.decide("/b", None, "GET", {})

    assert guard.candidate_differences[0] == CandidateDifference(ALLOW, NEW, "/a", 3)
    assert list_verdicts(guard)[1:] == [(REFUSE, APP, "/a", 1), (REFUSE, APP, "/b", 1)]


@pytest.mark.parametrize(
    ("then", "headers", "verdict"),
    [
        (Policy(allow_origins=[APP]), PREFLIGHT, REFUSE),  # its method is not in the list
        (Policy(allow_origins=[APP], allow_methods=["PUT"]), PREFLIGHT, None),
        (Policy(allow_origins=[APP], allow_methods=["PUT"], max_age=5), PREFLIGHT, None),
        (Policy(allow_origins=[NEW], allow_methods=["PUT"]), PREFLIGHT, REFUSE),
        ({"/other": NOW}, PREFLIGHT, REFUSE),
        ({"/other": NOW}, {}, REFUSE),
        (Policy(allow_origins=[APP], allow_credentials=True), {}, ALLOW),
    ],
)
def test_request_of_a_listed_origin(
    then: Policies, headers: dict[str, str], verdict: str | None
) -> None:
    guard = compare({"/api": NOW}, then)

    guard.decide("/api", APP, "OPTIONS" if headers else "GET", headers)

    assert [each.verdict for each in guard.candidate_differences] == ([verdict] if verdict else [])


def test_withdrawn_credentials_are_a_difference() -> None:
    guard = compare(Policy(allow_origins=[APP], allow_credentials=True), NOW)

    guard.decide("/", APP, "GET", {})

    assert list_verdicts(guard) == [(REFUSE, APP, "/", 1)]


def test_preflight_whose_origin_is_allowed_but_not_its_method_is_a_difference() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))

    guard.decide("/", NEW, "OPTIONS", PREFLIGHT)  # 403 now, then 204, and blocked all the same

    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 1)]


def test_path_that_gets_cors_is_a_difference_for_the_origins_that_it_allows() -> None:
    guard = compare({"/api": NOW}, {"/api": NOW, "/new": NOW})

    guard.decide("/new", APP, "GET", {})
    guard.decide("/new", EVIL, "GET", {})  # blocked in both cases

    assert list_verdicts(guard) == [(ALLOW, APP, "/new", 1)]


def test_request_of_an_own_page_is_no_difference() -> None:
    guard = compare(Policy(allow_origins=[APP], allow_credentials=True), {"/other": NOW})

    guard.decide("/", APP, "POST", {"Sec-Fetch-Site": "same-origin"})
    guard.decide("/", APP, "POST", {"Host": "app.example"})
    guard.decide("/", None, "GET", {"Sec-Fetch-Site": "cross-site"})

    assert guard.candidate_differences == ()


def test_enforcement_of_the_candidate_is_a_difference() -> None:
    guard = Guard(NOW)
    enforced = Guard(NOW, enforce=True)
    guard.adapter.set_candidate(enforced.adapter.snapshot)

    guard.decide("/", EVIL, "POST", {"Sec-Fetch-Site": "cross-site"})
    guard.decide("/", None, "POST", {"Sec-Fetch-Site": "cross-site"})
    guard.decide("/", APP, "POST", {"Sec-Fetch-Site": "cross-site"})

    found = [(REFUSE, EVIL, "/", 1), (REFUSE, "no origin", "/", 1)]
    assert list_verdicts(guard) == found


def test_options_of_the_guard_apply_to_a_candidate() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]), enforce=True)

    guard.decide("/", EVIL, "POST", {})
    guard.decide("/", NEW, "POST", {})

    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 1)]


def test_list_of_policies_is_searched_in_order() -> None:
    guard = compare([NOW], [NOW, Policy(allow_origins=[NEW]), Policy(allow_origins=["*"])])

    guard.decide("/", APP, "GET", {})
    guard.decide("/", NEW, "GET", {})

    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 1)]


def test_views_with_a_policy_are_left_out() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    policy = Policy(allow_origins=[APP])
    guard.adapter.add_views([("items", policy)])

    decide(guard, "/", APP, "GET", {}, view=View("items", policy))
    decide(guard, "/", NEW, "GET", {}, view=View("exempt", None))

    assert guard.candidate_differences == ()


def test_callables_of_a_candidate_are_called() -> None:
    guard = compare(NOW, Policy(allow_origins=[OriginLookup(lambda origin: origin == NEW)]))

    guard.decide("/", NEW, "GET", {})
    guard.decide("/", EVIL, "GET", {})

    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 1)]


async def is_anything(origin: str) -> bool:
    return True


@pytest.mark.parametrize("wrong", [Policy(allow_origins=[is_anything]), {"api": NOW}])
def test_candidate_that_is_not_valid_leaves_the_earlier_one(wrong: Policies) -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))

    with pytest.raises(PolicyError):
        guard.try_candidate(wrong)

    guard.decide("/", NEW, "GET", {})
    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 1)]


def test_callable_of_the_policy_in_force_is_compared() -> None:
    guard = compare(Policy(allow_origins=[lambda origin: origin == APP]), NOW)

    guard.decide("/", APP, "GET", {})
    assert guard.candidate_differences == ()
    guard.try_candidate(Policy(allow_origins=[NEW]))
    guard.decide("/", APP, "GET", {})

    assert list_verdicts(guard) == [(REFUSE, APP, "/", 1)]


def lookup(guard: Guard, origin: str = APP) -> Decision | None:
    cache = guard.adapter.snapshot.find("/").cache
    return cache.lookup({"HTTP_ORIGIN": origin}, "GET")


def test_caches_are_off_while_there_is_a_candidate() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    for _ in range(2):
        guard.decide("/", APP, "GET", {})
        assert lookup(guard) is None
    guard.reconfigure(NOW)
    guard.decide("/", APP, "GET", {})
    assert lookup(guard) is None

    guard.try_candidate(None)
    guard.decide("/", APP, "GET", {})

    assert lookup(guard) is not None
    assert guard.candidate_differences == ()


def test_caches_stay_off_after_a_candidate_where_a_subscriber_is() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    seen: list[Decision] = []
    guard.subscribe(lambda decision, _: seen.append(decision))

    guard.try_candidate(None)
    for _ in range(2):
        guard.decide("/", APP, "GET", {})
        assert lookup(guard) is None

    assert len(seen) == 2


def test_another_candidate_is_counted_from_zero() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    guard.decide("/", NEW, "GET", {})

    guard.try_candidate(Policy(allow_origins=[APP, EVIL]))
    guard.decide("/", NEW, "GET", {})
    guard.decide("/", EVIL, "GET", {})

    assert list_verdicts(guard) == [(ALLOW, EVIL, "/", 1)]


def test_equal_candidate_is_counted_on() -> None:
    guard = compare(NOW, {"/": Policy(allow_origins=[NEW])})
    guard.decide("/", NEW, "GET", {})

    guard.try_candidate({"/": Policy(allow_origins=[NEW])})
    guard.decide("/", NEW, "GET", {})

    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 2)]


def test_caches_stay_off_until_the_next_request_without_a_candidate() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    woken: list[bool] = []
    guard.adapter.call_at_next_request(lambda: woken.append(True))

    guard.try_candidate(None)
    guard.decide("/", APP, "GET", {})
    assert (woken, lookup(guard)) == ([True], None)
    guard.adapter.call_at_next_request(None)
    guard.decide("/", APP, "GET", {})

    assert lookup(guard) is not None


def test_caches_stay_off_after_the_next_request_with_a_candidate() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))

    guard.adapter.call_at_next_request(None)
    guard.decide("/", APP, "GET", {})

    assert lookup(guard) is None


def test_candidate_of_a_configuration_is_tried() -> None:
    configuration = {"allow_origins": [APP], "candidate": {"allow_origins": [NEW]}}
    guard = Guard.from_mapping(configuration)

    guard.decide("/", APP, "GET", {})

    assert list_verdicts(guard) == [(REFUSE, APP, "/", 1)]


def test_no_candidate_where_none_was_changes_nothing() -> None:
    guard = Guard(NOW)
    snapshot: Snapshot = guard.adapter.snapshot

    guard.try_candidate(None)

    assert guard.adapter.snapshot is snapshot


def test_each_difference_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "corsguard")
    guard = compare(NOW, Policy(allow_origins=[APP, NEW], allow_credentials=True))

    for _ in range(3):
        guard.decide("/a\nb", NEW, "GET", {})
        guard.decide("/", APP, "GET", {})

    assert [each.getMessage() for each in caplog.records if each.levelname == "INFO"] == [
        f"candidate: would allow GET /a\\nb from {NEW}: ALLOWED with credentials "
        "instead of ORIGIN_NOT_ALLOWED",
        f"candidate: would allow GET / from {APP}: ALLOWED with credentials instead of ALLOWED",
    ]
    assert (ALLOW, NEW, "/a\\nb", 3) in list_verdicts(guard)


def test_hostile_requests_fill_neither_memory_nor_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "corsguard")
    guard = compare(Policy(allow_origins=["*"]), NOW)

    for number in range(3_000):
        guard.decide(f"/{number}" + "\u2028" * 500, f"https://h{number}.example", "GET", {})

    found = guard.candidate_differences
    assert found[0] == CandidateDifference(REFUSE, "other origins", "other paths", 2_000)
    assert len(found) == 1_001
    assert sum(each.requests for each in found) == 3_000
    assert max(len(each.path) for each in found) < 1_000
    lines = [each for each in caplog.records if each.getMessage().startswith("candidate")]
    assert len(lines) == 1_001
    assert all(each.getMessage().isascii() for each in lines)


def test_threads_lose_no_difference() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))

    def ask() -> None:
        for _ in range(500):
            guard.decide("/", NEW, "GET", {})

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 2_000)]


def test_forked_child_counts_from_zero() -> None:
    guard = compare(NOW, Policy(allow_origins=[NEW]))
    guard.decide("/", NEW, "GET", {})
    candidate = guard.adapter._candidate
    assert candidate is not None
    assert candidate._lock.acquire(blocking=False)  # as another thread may do

    fork_safety._restart_all()

    assert guard.candidate_differences == ()
    guard.decide("/", NEW, "GET", {})
    assert list_verdicts(guard) == [(ALLOW, NEW, "/", 1)]
