"""The values of a decision."""

from __future__ import annotations

import pickle

import pytest
from support.engine_requests import (
    PLAIN,
    A,
    decide_actual,
)

from corsguard import Decision, Kind, Reason
from corsguard.engine.decision import LazyDetail

EVERY_REFUSAL = {
    Reason.ORIGIN_INVALID,
    Reason.ORIGIN_NOT_ALLOWED,
    Reason.METHOD_NOT_ALLOWED,
    Reason.HEADERS_NOT_ALLOWED,
    Reason.CREDENTIALS_NOT_ALLOWED,
    Reason.CROSS_ORIGIN_REFUSED,
}


@pytest.mark.parametrize("reason", Reason)
def test_decision_allowed_is_false_only_for_a_refusal(reason: Reason) -> None:
    decision = Decision(Kind.ACTUAL, reason, "", None, ())
    assert decision.allowed is (reason not in EVERY_REFUSAL)
    assert reason.refusal is (reason in EVERY_REFUSAL)
    assert reason.words.isascii()


def test_decision_is_immutable() -> None:
    with pytest.raises(AttributeError):
        decide_actual(PLAIN, A).status = 200  # type: ignore[misc]


def test_decision_equals_one_with_the_same_detail() -> None:
    lazy = Decision(Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED, LazyDetail(str, ("a",)), None, ())
    made = lazy._replace(lazy_detail="a")
    assert (lazy, hash(lazy), lazy != made) == (made, hash(made), False)
    assert lazy != made._replace(lazy_detail="b")
    assert lazy != tuple(made)
    assert "detail='a'" in repr(lazy)


def test_decision_is_pickled_with_the_text_of_its_detail() -> None:
    lazy = Decision(Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED, LazyDetail(str, ("a",)), None, ())
    copy = pickle.loads(pickle.dumps(lazy))
    assert (copy, copy.lazy_detail) == (lazy, "a")
