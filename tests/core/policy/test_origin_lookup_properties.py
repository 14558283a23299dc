"""OriginLookup beside a simple model of it, and the bounds of its table, whatever is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from corsguard import CORSRequest, Guard, OriginLookup, Policy
from corsguard.policy.answers import Answer, AnswerTable, Key

ORIGINS = st.sampled_from(["https://a.example", "https://b.example"])
TTL, NEGATIVE_TTL, REVALIDATED, IF_ERROR, RETRY = 30, 5, 30, 300, 1


class Remembered(NamedTuple):
    is_allowed: bool
    at: float


class LookupMachine(RuleBasedStateMachine):
    """A service whose store changes and fails, which answers as the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.tenants: set[str] = set()
        self.is_down = False
        self.asked: list[str] = []
        self.lookup = OriginLookup(self.ask_store, clock=lambda: self.now)
        self.guard = Guard(Policy(allow_origins=[self.lookup]))
        # The model: origin -> its last answer, origin -> time of a failure since then.
        self.remembered: dict[str, Remembered] = {}
        self.failed: dict[str, float] = {}
        self.expected_questions = 0

    def ask_store(self, origin: str) -> bool:
        self.asked.append(origin)
        if self.is_down:
            raise ConnectionError
        return origin in self.tenants

    @rule(origin=ORIGINS)
    def change_store(self, origin: str) -> None:
        self.tenants ^= {origin}

    @rule()
    def break_or_mend_store(self) -> None:
        self.is_down = not self.is_down

    @rule(seconds=st.sampled_from([0.5, 1, 4, 6, 29, 31, 61, 200, 400]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(origin=ORIGINS)
    def forget(self, origin: str) -> None:
        self.lookup.forget(origin)
        self.remembered.pop(origin, None)
        self.failed.pop(origin, None)

    @rule()
    def clear(self) -> None:
        self.lookup.clear()
        self.remembered.clear()
        self.failed.clear()

    @rule(origin=ORIGINS)
    def request(self, origin: str) -> None:
        expected = self.expect(origin)
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": origin}
        cache = self.guard.adapter.snapshot.find("/").cache
        with patch("corsguard.policy.origin_lookup.Thread", ImmediateThread):
            decision = cache.lookup(environ, "GET")
            if decision is None:
                decision = self.guard.adapter.decide(CORSRequest.from_environ(environ))
        assert decision.allowed is expected

    @invariant()
    def asks_as_often_as_the_model(self) -> None:
        assert len(self.asked) == self.expected_questions
        assert self.lookup.stats.open == 0

    def expect(self, origin: str) -> bool:
        known = self.remembered.get(origin)
        age = self.now - known.at if known else 0
        if known and age < (TTL if known.is_allowed else NEGATIVE_TTL):
            return known.is_allowed
        is_stale = known is not None and known.is_allowed
        if origin in self.failed and self.now < self.failed[origin] + RETRY:
            return is_stale and age < TTL + IF_ERROR
        answer = self.expect_answer(origin)
        if is_stale and age < TTL + REVALIDATED:
            return True
        if answer is None:
            return is_stale and age < TTL + IF_ERROR
        return answer

    def expect_answer(self, origin: str) -> bool | None:
        """Return what the store answers, None for a failure."""
        self.expected_questions += 1
        if self.is_down:
            self.failed[origin] = self.now
            return None
        self.failed.pop(origin, None)
        self.remembered[origin] = Remembered(origin in self.tenants, self.now)
        return origin in self.tenants


class ImmediateThread:
    """A background thread that has done its work before the request goes on."""

    def __init__(self, target: Callable[[], None], **_: Any) -> None:
        self.start = target


TestLookupMachine = LookupMachine.TestCase
TestLookupMachine.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

STEPS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(max_items=st.integers(1, 12), steps=STEPS)
def test_table_is_bounded_and_keeps_allowed_answers(
    max_items: int, steps: list[tuple[int, bool]]
) -> None:
    table = AnswerTable(max_items)
    held: dict[Key, Answer] = {}
    for number, is_allowed in steps:
        key = Key(f"https://n{number}.example")
        before = {each: table.peek_allowed(each) for each in table}
        answer = Answer(lambda: 0.0, is_allowed=is_allowed, asked_at=0, fresh_until=1)
        table.store(key, answer)
        held[key] = answer
        assert len(table) <= max_items
        if not is_allowed:
            kept = {each for each, found in before.items() if found is not None and each != key}
            assert kept <= set(table)
        assert is_allowed is (table.peek_allowed(key) is answer)
        for each, last in held.items():  # an answer is fresh exactly as long as it can be found
            assert (table.find(each) is last) is (last.is_fresh() and each in set(table))
