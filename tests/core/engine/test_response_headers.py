"""The headers of a decision merged into the response of an application."""

from __future__ import annotations

import pytest
from support.engine_requests import ANY, EVIL, LISTED, PLAIN, A

from corsguard import Guard, Policy

Fields = list[tuple[str, str]]


def answer(policy: Policy, origin: str | None, *given: tuple[str, str]) -> Fields:
    guard = Guard(policy)
    return guard.adapter.merge(guard.decide("/", origin, "GET", {}).headers, list(given))


def values(fields: Fields, name: str) -> list[str]:
    return [value for key, value in fields if key.lower() == name]


def test_merge_keeps_the_order_of_application_headers() -> None:
    given = [("Set-Cookie", "a=1"), ("X-A", "1"), ("set-cookie", "b=2"), ("X-A", "2")]
    assert answer(PLAIN, A, *given)[:4] == given


def test_merge_keeps_the_order_around_merged_headers() -> None:
    given = [("Set-Cookie", "a=1"), ("Vary", "Accept"), ("Set-Cookie", "b=2")]
    assert [value for _, value in answer(PLAIN, A, *given)[:2]] == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("given", "merged"),
    [
        ([], ["Origin"]),
        (["Accept-Encoding"], ["Accept-Encoding, Origin"]),
        (["Origin"], ["Origin"]),
        (["origin, Accept"], ["origin, Accept"]),
        (["Accept", "Cookie , ,Accept"], ["Accept, Cookie, Origin"]),
        (["*"], ["*"]),
        (["Accept", "*"], ["Accept, *"]),
        ([""], ["Origin"]),
    ],
)
def test_merge_adds_origin_to_vary_once(given: list[str], merged: list[str]) -> None:
    for origin in [A, EVIL, None]:
        assert values(answer(PLAIN, origin, *(("vary", v) for v in given)), "vary") == merged


def test_merge_under_any_origin_keeps_vary() -> None:
    fields = answer(ANY, A, ("Vary", "Accept"), ("Vary", "Cookie"))
    assert values(fields, "vary") == ["Accept, Cookie"]


OWN = [
    ("Access-Control-Allow-Origin", "*"),
    ("access-control-allow-credentials", "true"),
    ("ACCESS-CONTROL-ALLOW-METHODS", "DELETE"),
    ("Access-Control-Allow-Headers", "*"),
    ("Access-Control-Max-Age", "1"),
    ("Access-Control-Expose-Headers", "X-Own, x-total"),
]


def test_merge_replaces_cors_headers_of_the_application() -> None:
    assert answer(PLAIN, EVIL, *OWN) == [("Vary", "Origin")]
    assert answer(PLAIN, None, *OWN) == [("Vary", "Origin")]


def test_merge_adds_exposed_names_to_readable_responses() -> None:
    allowed = answer(LISTED, A, *OWN)
    assert values(allowed, "access-control-allow-origin") == [A]
    assert values(allowed, "access-control-allow-methods") == []
    assert values(allowed, "access-control-expose-headers") == ["X-Total, X-Page, X-Own"]
    assert values(answer(PLAIN, A, *OWN), "access-control-expose-headers") == ["X-Own, x-total"]
    assert values(answer(ANY, None, *OWN), "access-control-expose-headers") == ["X-Total, X-Own"]


def test_merge_without_a_policy_returns_the_same_headers() -> None:
    guard = Guard({"/api": PLAIN})
    given = list(OWN)
    assert guard.adapter.merge(guard.decide("/", A, "GET", {}).headers, given) is given
