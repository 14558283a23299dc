"""The requests of a comparison."""

from __future__ import annotations

import pytest

from corsguard import Guard, Policy
from corsguard.cli.verify.trials import Trial, list_listed_origins, list_trials

BASE = "https://api.example.com/"


def build(policy: Policy, path: str = "/api", *, has_unsafe: bool = False) -> list[Trial]:
    return [*list_trials(BASE, path, Guard(policy), is_full=True, has_unsafe=has_unsafe)]


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://*.example.com", "https://corsguard.example.com"),
        ("https://pr-*.example.com", "https://pr-corsguard.example.com"),
        ("http://localhost:*", "http://localhost:8441"),
        ("*", "https://app.example.com"),
    ],
)
def test_each_entry_has_an_origin(entry: str, origin: str) -> None:
    policy = Policy(allow_origins=[entry])
    assert list_listed_origins([policy]) == [origin]


def test_many_origins_are_thinned_from_first_to_last() -> None:
    policy = Policy(allow_origins=[f"https://{number}.example.com" for number in range(51)])
    assert list_listed_origins([policy]) == [
        f"https://{number}.example.com" for number in (0, 10, 20, 30, 40, 50)
    ]


def test_address_has_no_spelling_with_a_dot() -> None:
    trials = build(Policy(allow_origins=["http://[::1]:3000"]))
    assert "trailing-dot" not in {trial.code for trial in trials}


def test_path_is_encoded() -> None:
    trials = build(Policy(allow_origins=["https://app.example.com"]), "/a b/\u00e9?")
    assert {trial.sent.url for trial in trials} == {
        "https://api.example.com/a%20b/%C3%A9%3F",
        "https://api.example.com/a%20b/%C3%A9%3F/corsguard-audit-of-nothing",
    }


def test_service_below_a_prefix_has_the_paths_of_the_policy() -> None:
    guard = Guard(Policy(allow_origins=["https://app.example.com"]))
    base = "https://example.com/shop"
    trials = list_trials(base, "/api", guard, is_full=False, has_unsafe=False)
    assert {(trial.at, trial.sent.url) for trial in trials if trial.is_preflight} == {
        ("/api", "https://example.com/shop/api")
    }


def test_methods_that_change_data_are_sent_on_demand_only() -> None:
    policy = Policy(allow_origins=["https://app.example.com"], allow_methods=["POST", "PUT"])
    safe = {trial.sent.method for trial in build(policy)}
    assert safe == {"GET", "OPTIONS"}
    assert {trial.sent.method for trial in build(policy, has_unsafe=True)} == safe | {"POST", "PUT"}


def test_path_without_cors_gets_the_origins_of_other_paths() -> None:
    policy = Policy(allow_origins=["https://shop.example.com"])
    guard = Guard({"/api": policy, "/internal": None})
    trials = list_trials(BASE, "/internal", guard, is_full=False, has_unsafe=False)
    assert "https://shop.example.com" in {trial.origin for trial in trials}


def test_policies_may_have_no_cors_at_all() -> None:
    trials = list_trials(BASE, "/", Guard(None), is_full=False, has_unsafe=False)
    assert "https://app.example.com" in {trial.origin for trial in trials}
