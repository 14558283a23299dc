"""OriginLookup: what it remembers, when it asks, and what it answers while the store is down."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from corsguard import CORSRequest, Decision, Guard, OriginLookup, Policy, PolicyError, Reason
from corsguard.policy.answers import Key
from corsguard.policy.lookup_state import (
    Limits,
    LookupState,
    OriginLookupError,
    StaleAnswerError,
)

A = "https://a.example"
B = "https://b.example"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Store:
    """A database of origins, which counts its questions and can fail."""

    def __init__(self, *origins: str) -> None:
        self.origins = set(origins)
        self.asked: list[str] = []
        self.error: Exception | None = None

    def has(self, origin: str) -> bool:
        self.asked.append(origin)
        if self.error is not None:
            raise self.error
        return origin in self.origins


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Store:
    return Store(A)


@pytest.fixture
def lookup(store: Store, clock: Clock) -> OriginLookup:
    return OriginLookup(store.has, clock=clock)


@pytest.fixture
def background(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[], None]]]:
    """Yield the functions of background threads, for the test to run."""
    waiting: list[Callable[[], None]] = []

    class Later:
        def __init__(self, target: Callable[[], None], name: str, *, daemon: bool) -> None:
            assert daemon
            self.start = lambda: waiting.append(target)

    monkeypatch.setattr("corsguard.policy.origin_lookup.Thread", Later)
    yield waiting
    assert not waiting


def decide(lookup: OriginLookup, origin: str = A, **fields: Any) -> Decision:
    return Guard(Policy(allow_origins=[lookup], **fields)).decide("/", origin, "GET", {})


def faults_of(lookup: OriginLookup, origin: str = A) -> list[Exception]:
    return [error for _, error in decide(lookup, origin).faults]


def test_answer_is_remembered_until_its_ttl(
    lookup: OriginLookup, store: Store, clock: Clock
) -> None:
    assert [decide(lookup).allowed for _ in range(3)] == [True] * 3
    clock.advance(29)
    assert decide(lookup).allowed
    assert store.asked == [A]


def test_refusal_is_remembered_until_its_own_ttl(
    lookup: OriginLookup, store: Store, clock: Clock
) -> None:
    assert decide(lookup, B).reason is Reason.ORIGIN_NOT_ALLOWED
    clock.advance(4)
    assert not decide(lookup, B).allowed
    assert store.asked == [B]
    store.origins.add(B)
    clock.advance(1)
    assert decide(lookup, B).allowed


def test_old_answer_counts_while_it_is_revalidated(
    lookup: OriginLookup, store: Store, clock: Clock, background: list[Callable[[], None]]
) -> None:
    decide(lookup)
    store.origins.clear()
    clock.advance(59)
    assert [decide(lookup).allowed for _ in range(3)] == [True] * 3  # and one question
    background.pop()()
    assert not decide(lookup).allowed
    assert store.asked == [A, A]


def test_answer_past_its_revalidation_is_asked_before_the_response(
    lookup: OriginLookup, store: Store, clock: Clock
) -> None:
    decide(lookup)
    store.origins.clear()
    clock.advance(60)
    assert not decide(lookup).allowed
    assert store.asked == [A, A]


def test_revalidated_answer_is_fresh_again(
    lookup: OriginLookup, clock: Clock, background: list[Callable[[], None]]
) -> None:
    decide(lookup)
    clock.advance(31)
    decide(lookup)
    background.pop()()
    clock.advance(29)
    assert decide(lookup).allowed
    assert lookup.stats._asdict() == {
        "allowed": 1,
        "refused": 0,
        "open": 0,
        "questions": 2,
        "hits": 1,
        "stale": 1,
        "joined": 0,
        "failures": 0,
        "not_asked": 0,
        "evictions": 0,
    }


def test_old_answer_counts_while_the_store_is_down(
    lookup: OriginLookup, store: Store, clock: Clock
) -> None:
    decide(lookup)
    store.error = ConnectionError("down")
    clock.advance(30 + 299)
    decision = decide(lookup)
    assert decision.allowed
    [(name, error)] = decision.faults
    assert name == "OriginLookup(Store.has)"
    assert isinstance(error, StaleAnswerError)
    assert str(error) == "ConnectionError: down"
    clock.advance(1)
    assert not decide(lookup).allowed
    assert store.asked == [A] * 3


def test_answer_that_was_never_given_counts_as_false(lookup: OriginLookup, store: Store) -> None:
    store.error = ConnectionError("down")
    assert decide(lookup).reason is Reason.ORIGIN_NOT_ALLOWED
    assert [str(error) for error in faults_of(lookup)] == ["down"]
    assert store.asked == [A]


def test_failed_question_is_asked_again_after_a_while(
    lookup: OriginLookup, store: Store, clock: Clock
) -> None:
    store.error = ConnectionError("down")
    decide(lookup)
    store.error = None
    clock.advance(0.9)
    assert not decide(lookup).allowed
    clock.advance(0.1)
    assert decide(lookup).allowed
    assert store.asked == [A, A]


def test_failed_revalidation_is_reported_by_the_next_request(
    lookup: OriginLookup, store: Store, clock: Clock, background: list[Callable[[], None]]
) -> None:
    decide(lookup)
    store.error = ConnectionError("down")
    clock.advance(31)
    assert faults_of(lookup) == []
    background.pop()()
    assert [type(error) for error in faults_of(lookup)] == [StaleAnswerError]
    assert store.asked == [A, A]  # not again before retry_after
    clock.advance(1)
    store.error = None
    assert decide(lookup).allowed
    background.pop()()
    assert faults_of(lookup) == []


def test_failure_of_one_origin_does_not_stop_the_others(clock: Clock) -> None:
    def fails_for_b(origin: str) -> bool:
        if origin == B:
            raise ValueError(origin)
        return True

    lookup = OriginLookup(fails_for_b, clock=clock)
    assert not decide(lookup, B).allowed
    assert decide(lookup).allowed


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionError("after a while")])
def test_store_that_hangs_is_asked_once_in_a_while(clock: Clock, error: Exception) -> None:
    asked: list[str] = []

    def hangs(origin: str) -> bool:
        asked.append(origin)
        clock.advance(5)
        raise error

    lookup = OriginLookup(hangs, clock=clock)
    for number in range(50):
        assert not decide(lookup, f"https://n{number}.example").allowed
    assert asked == ["https://n0.example"]
    assert lookup.stats.not_asked == 49
    clock.advance(1)
    for number in range(50):
        assert not decide(lookup, f"https://m{number}.example").allowed
    assert asked == ["https://n0.example", "https://m0.example"]


def test_store_that_answers_again_is_asked_by_all(clock: Clock) -> None:
    errors: list[Exception] = [TimeoutError()]

    def hangs_once(origin: str) -> bool:
        if errors:
            raise errors.pop()
        return True

    lookup = OriginLookup(hangs_once, clock=clock)
    assert not decide(lookup, A).allowed
    clock.advance(1)
    assert [decide(lookup, origin).allowed for origin in (A, B)] == [True, True]


@pytest.mark.parametrize("answer", [1, None, "yes"])
def test_answer_that_is_no_bool_is_a_failure(answer: Any) -> None:
    lookup = OriginLookup(lambda _: answer)
    assert [type(error) for error in faults_of(lookup)] == [TypeError]
    assert lookup.stats.failures == 1


def test_origin_that_is_forgotten_is_asked_again(lookup: OriginLookup, store: Store) -> None:
    guard = Guard(Policy(allow_origins=[lookup]))
    assert guard.decide("/", A, "GET", {}).allowed
    store.origins.clear()
    lookup.forget(B)
    assert guard.decide("/", A, "GET", {}).allowed
    lookup.forget(A)
    assert not guard.decide("/", A, "GET", {}).allowed
    store.origins.add(A)
    lookup.clear()
    assert guard.decide("/", A, "GET", {}).allowed


def test_refused_origins_do_not_evict_allowed_ones(clock: Clock) -> None:
    asked: list[str] = []

    def allows_a(origin: str) -> bool:
        asked.append(origin)
        return origin == A

    lookup = OriginLookup(allows_a, max_entries=10, clock=clock)
    decide(lookup)
    for number in range(50):
        decide(lookup, f"https://n{number}.example")
    assert decide(lookup).allowed
    assert asked.count(A) == 1
    stats = lookup.stats
    assert (stats.allowed, stats.refused, stats.evictions) == (1, 9, 41)


def test_allowed_origins_evict_the_one_used_least_recently() -> None:
    asked: list[str] = []

    def allows_all(origin: str) -> bool:
        asked.append(origin)
        return not origin.startswith("https://bad")

    lookup = OriginLookup(allows_all, max_entries=10)
    decide(lookup, "https://bad.example")
    for number in range(9):
        decide(lookup, f"https://n{number}.example")
    decide(lookup, "https://n0.example")
    decide(lookup, "https://n9.example")
    assert (lookup.stats.allowed, lookup.stats.refused) == (9, 1)
    asked.clear()
    decide(lookup, "https://n0.example")
    decide(lookup, "https://n1.example")
    assert asked == ["https://n1.example"]


def test_allowed_origin_takes_the_room_of_a_refused_one() -> None:
    lookup = OriginLookup(lambda origin: origin in {A, B}, max_entries=2)
    for origin in ("https://c.example", "https://d.example", A, B, "https://c.example"):
        decide(lookup, origin)
    assert (lookup.stats.allowed, lookup.stats.refused) == (2, 0)


def allow_tenant(origin: str, request: CORSRequest) -> bool:
    return origin == f"https://app.{request.host}"


def test_predicate_with_a_request_is_asked_for_each_host_and_path() -> None:
    asked: list[tuple[str, CORSRequest]] = []

    def allows(origin: str, request: CORSRequest) -> bool:
        asked.append((origin, request))
        return allow_tenant(origin, request)

    guard = Guard(Policy(allow_origins=[OriginLookup(allows)], allow_methods=["PUT"]))
    origin = "https://app.one.example"
    requested = {"access-control-request-method": "PUT"}
    for _ in range(2):
        for host, path, is_allowed in (
            ("one.example", "/", True),
            ("two.example", "/", False),
            ("one.example", "/x", True),
        ):
            for method, headers in (
                ("GET", {}),
                ("PUT", {"cookie": "a=b"}),
                ("OPTIONS", requested),
            ):
                decision = guard.decide(path, origin, method, {"host": host, **headers})
                assert decision.allowed is is_allowed
    assert asked == [
        (origin, CORSRequest("/", origin, "", host="one.example")),
        (origin, CORSRequest("/", origin, "", host="two.example")),
        (origin, CORSRequest("/x", origin, "", host="one.example")),
    ]


@pytest.mark.parametrize(
    ("host", "asked_again"),
    [
        (None, {"one.example", "one.example:8000", "two.example"}),
        ("one.example", {"one.example", "one.example:8000"}),
        ("ONE.example:8000", {"one.example:8000"}),
        ("other.example", set()),
    ],
)
def test_forget_of_a_host_leaves_the_others(host: str | None, asked_again: set[str]) -> None:
    asked: set[str | None] = set()

    def allows(origin: str, request: CORSRequest) -> bool:
        asked.add(request.host)
        return True

    lookup = OriginLookup(allows)
    guard = Guard(Policy(allow_origins=[lookup]))

    def visit() -> None:
        for each in ("one.example", "one.example:8000", "two.example"):
            guard.decide("/", A, "GET", {"host": each})

    visit()
    asked.clear()
    lookup.forget(A, host)
    visit()
    assert asked == asked_again


def test_forget_of_a_host_forgets_an_origin_that_has_none(lookup: OriginLookup) -> None:
    decide(lookup)
    lookup.forget(A, "one.example")
    assert lookup.stats.allowed == 0


@pytest.mark.parametrize("error", [None, ValueError()])
def test_long_path_is_not_remembered(error: Exception | None) -> None:
    def allows(origin: str, request: CORSRequest) -> bool:
        if error is not None:
            raise error
        return True

    lookup = OriginLookup(allows)
    guard = Guard(Policy(allow_origins=[lookup]))
    for _ in range(2):
        assert guard.decide("/" * 2_000, A, "GET", {}).allowed is (error is None)
    assert (lookup.stats.questions, lookup.stats.allowed, lookup.stats.refused) == (2, 0, 0)


class Blocking:
    """A predicate that waits for the test in each call."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.entered = Event()
        self.released = Event()
        self.answer: object = True

    def __call__(self, origin: str) -> Any:
        answer = self.answer
        self.asked.append(origin)
        self.entered.set()
        assert self.released.wait(30)
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def requests(lookup: OriginLookup, *origins: str) -> Iterator[list[bool]]:
    """Send one request of each origin in a thread, and yield what they are answered at the end."""
    answers: list[bool] = []

    def request(origin: str) -> None:
        answers.append(decide(lookup, origin, predicate_timeout=30).allowed)

    threads = [Thread(target=request, args=(origin,)) for origin in origins]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        for thread in threads:
            thread.join(30)


def wait_for_joined(lookup: OriginLookup, count: int) -> None:
    while lookup.stats.joined < count:
        Event().wait(0.001)


def test_threads_share_one_question() -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate)
    with requests(lookup, *[A] * 50) as answers:
        wait_for_joined(lookup, 49)
        predicate.released.set()
    assert answers == [True] * 50
    assert predicate.asked == [A]


def test_threads_share_one_failure(caplog: pytest.LogCaptureFixture) -> None:
    predicate = Blocking()
    predicate.answer = ValueError("down")
    lookup = OriginLookup(predicate)
    with requests(lookup, A, A) as answers:
        wait_for_joined(lookup, 1)
        predicate.released.set()
    assert answers == [False, False]
    assert predicate.asked == [A]


def test_question_that_is_forgotten_meanwhile_is_not_remembered() -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate)
    with requests(lookup, A) as answers:
        assert predicate.entered.wait(30)
        lookup.forget(A)
        predicate.entered.clear()
        with requests(lookup, A):
            assert predicate.entered.wait(30)  # it asks for itself
            predicate.released.set()
    assert answers == [True]
    assert predicate.asked == [A, A]
    assert lookup.stats.allowed == 1


def test_failure_that_is_forgotten_meanwhile_is_not_remembered() -> None:
    predicate = Blocking()
    predicate.answer = ValueError("down")
    lookup = OriginLookup(predicate)
    with requests(lookup, A):
        assert predicate.entered.wait(30)
        lookup.clear()
        predicate.released.set()
    assert lookup.stats.refused == 0


def test_questions_over_the_limit_are_refused() -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate, max_concurrent=1)
    with requests(lookup, A):
        assert predicate.entered.wait(30)
        decision = decide(lookup, B)
        predicate.released.set()
    assert not decision.allowed
    [(_, error)] = decision.faults
    assert isinstance(error, OriginLookupError)
    assert "max_concurrent" in str(error)
    assert decide(lookup, B).allowed


def test_request_does_not_wait_for_a_question_that_hangs(clock: Clock) -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate, clock=clock)
    with requests(lookup, A) as answers:
        assert predicate.entered.wait(30)
        clock.advance(30)
        assert [type(error) for error in faults_of(lookup)] == [TimeoutError]
        assert not decide(lookup, B).allowed
        predicate.released.set()
    assert answers == [True]
    assert decide(lookup).allowed  # it answers after all, and that is remembered
    assert decide(lookup, B).allowed


def test_request_waits_no_longer_than_predicate_timeout() -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate)
    with requests(lookup, A):
        assert predicate.entered.wait(30)
        decision = decide(lookup, predicate_timeout=0.01)
        predicate.released.set()
    assert [type(error) for _, error in decision.faults] == [TimeoutError]


def test_late_answer_does_not_replace_a_newer_one(clock: Clock) -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate, clock=clock)
    with requests(lookup, A):
        assert predicate.entered.wait(30)
        clock.advance(30)
        decide(lookup, B)  # notices that the store hangs
        clock.advance(1)
        newer = Blocking()
        newer.answer = False
        newer.released.set()
        lookup.predicate = newer
        assert not decide(lookup).allowed
        predicate.released.set()
    assert not decide(lookup).allowed
    assert newer.asked == [A]


def test_question_is_given_up_only_once_and_only_while_it_is_open(clock: Clock) -> None:
    state = LookupState(Limits(), clock)
    question = state.start(Key(A), 1).new
    assert question is not None
    state.give_up(question)
    clock.advance(0.5)
    state.give_up(question)
    clock.advance(0.5)
    retried = state.start(Key(A), 1).new  # one second after the first time
    assert retried is not None
    state.finish(retried, True)
    state.give_up(retried)
    assert state.start(Key(B), 1).new is not None


def test_forget_leaves_the_open_questions_of_other_origins() -> None:
    predicate = Blocking()
    lookup = OriginLookup(predicate)
    with requests(lookup, A):
        assert predicate.entered.wait(30)
        lookup.forget(B)
        predicate.released.set()
    assert lookup.stats.allowed == 1


def test_interrupted_question_is_a_failure() -> None:
    def interrupts(origin: str) -> bool:
        raise KeyboardInterrupt

    lookup = OriginLookup(interrupts)
    with pytest.raises(KeyboardInterrupt):
        decide(lookup)
    assert (lookup.stats.open, lookup.stats.failures) == (0, 1)
    assert [str(error) for error in faults_of(lookup)] == ["the question was interrupted"]


def test_revalidation_without_a_thread_is_a_failure(
    lookup: OriginLookup, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoThread:
        def __init__(self, **_: object) -> None: ...

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    decide(lookup)
    clock.advance(31)
    monkeypatch.setattr("corsguard.policy.origin_lookup.Thread", NoThread)
    assert decide(lookup).allowed
    assert [str(error) for error in faults_of(lookup)] == ["RuntimeError: can't start new thread"]


def test_revalidation_runs_in_a_thread(store: Store, clock: Clock) -> None:
    done = Event()

    def has(origin: str) -> bool:
        if store.asked:
            done.set()
        return store.has(origin)

    lookup = OriginLookup(has, clock=clock)
    decide(lookup)
    clock.advance(31)
    assert decide(lookup).allowed
    assert done.wait(30)


def test_forked_child_starts_without_answers(lookup: OriginLookup, store: Store) -> None:
    guard = Guard(Policy(allow_origins=[lookup]))
    guard.decide("/", A, "GET", {})
    held = lookup._state._lock
    assert held.acquire(blocking=False)  # by another thread of the parent
    lookup._restart()
    assert lookup.stats.allowed == 0
    assert guard.decide("/", A, "GET", {}).allowed
    assert store.asked == [A, A]


def test_lookup_does_not_lift_the_rule_of_plain_http() -> None:
    lookup = OriginLookup(lambda _: True)
    http = "http://a.example"
    assert not decide(lookup, http, allow_credentials=True).allowed
    assert not decide(lookup, "null").allowed
    assert lookup.stats.questions == 0
    assert decide(lookup, http).allowed


def test_lookup_is_called_like_its_predicate(lookup: OriginLookup) -> None:
    assert (lookup(A), lookup(B)) == (True, False)
    by_host = OriginLookup(allow_tenant)
    request = CORSRequest("/", None, "GET", host="a.example")
    assert by_host("https://app.a.example", request)
    assert not by_host("https://app.a.example")


def test_lookup_is_pickled_without_its_answers() -> None:
    lookup = OriginLookup(allow_tenant, 7, max_concurrent=3)
    decide(lookup)
    again = pickle.loads(pickle.dumps(Policy(allow_origins=[lookup]))).allow_origins[0]
    assert isinstance(again, OriginLookup)
    assert (again.predicate, again.limits) == (allow_tenant, lookup.limits)
    assert again.stats.questions == 0


def test_policies_with_one_lookup_are_equal(lookup: OriginLookup, store: Store) -> None:
    policy = Policy(allow_origins=[lookup])
    assert policy == Policy(allow_origins=[lookup])
    assert hash(policy) == hash(Policy(allow_origins=[lookup]))
    assert policy != Policy(allow_origins=[OriginLookup(store.has)])


def test_invalid_arguments_are_all_reported() -> None:
    with pytest.raises(PolicyError) as caught:
        OriginLookup(
            lambda: True,  # type: ignore[arg-type]
            ttl=-1,
            negative_ttl="5",  # type: ignore[arg-type]
            stale_while_revalidate=float("nan"),
            stale_if_error=float("inf"),
            max_entries=0,
            max_concurrent=True,
            retry_after=None,  # type: ignore[arg-type]
        )
    problems = caught.value.problems
    assert {problem.code for problem in problems} == {"type-invalid"}
    assert [(problem.field, problem.suggestion) for problem in problems] == [
        (
            "OriginLookup.predicate",
            "a callable of (origin) or of (origin, request), sync or async",
        ),
        ("OriginLookup.ttl", "30"),
        ("OriginLookup.negative_ttl", "5"),
        ("OriginLookup.stale_while_revalidate", "30"),
        ("OriginLookup.stale_if_error", "300"),
        ("OriginLookup.max_entries", "10000"),
        ("OriginLookup.max_concurrent", "32"),
        ("OriginLookup.retry_after", "1.0"),
    ]
    assert "Use a callable of (origin)" in str(caught.value)


@pytest.mark.parametrize(
    ("predicate", "message"),
    [
        ("https://a.example", "is not a callable"),
        (OriginLookup(lambda _: True), "is a look-up itself"),
        (lambda a, b, c: True, r"takes \(a, b, c\), not \(origin\)"),
    ],
)
def test_invalid_predicate_is_reported(predicate: Any, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        OriginLookup(predicate)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://a.example/", None),
        ("a.example", None),
        ("https://a.example", "https://one.example"),
        ("https://a.example", "one.example/path"),
    ],
)
def test_what_can_be_no_key_is_not_forgotten_in_silence(origin: str, host: str | None) -> None:
    with pytest.raises(ValueError, match=r"slash|scheme|not a host"):
        OriginLookup(lambda origin: True).forget(origin, host)
