"""`Policy.with_origins`: what it changes, what it validates, and what it refuses."""

from __future__ import annotations

import re
import warnings

import pytest

from corsguard import Guard, Policy, PolicyError, PolicyWarning

A, B, C = "https://a.example", "https://b.example", "https://c.example"
MANY = [f"https://tenant-{number}.example.com" for number in range(2_000)]


def find_problems(
    policy: Policy, *, add: object = (), remove: object = ()
) -> list[tuple[str, str]]:
    with pytest.raises(PolicyError) as caught:
        policy.with_origins(add=add, remove=remove)  # type: ignore[arg-type]
    return [(problem.code, problem.field) for problem in caught.value.problems]


@pytest.mark.parametrize("others", [[], MANY], ids=["short", "long"])
def test_policy_with_other_origins_equals_one_built_from_them(others: list[str]) -> None:
    policy = Policy(allow_origins=[A, *others, B], allow_credentials=True, max_age=60)
    changed = policy.with_origins(add=[C, "https://*.d.example", A], remove=[B])
    expected = [A, *others, C, "https://*.d.example"]
    assert changed == Policy(allow_origins=expected, allow_credentials=True, max_age=60)
    assert policy.allow_origins == (A, *others, B)


def test_guard_decides_by_the_changed_policy() -> None:
    policy = Policy(allow_origins=MANY, allow_credentials=True)
    guard = Guard(policy)
    assert guard.decide("/", MANY[0], "GET", {}).allowed
    guard.reconfigure(policy.with_origins(add=[C], remove=[MANY[0]]))
    assert not guard.decide("/", MANY[0], "GET", {}).allowed
    assert guard.decide("/", MANY[1], "GET", {}).allowed
    assert dict(guard.decide("/", C, "GET", {}).headers)["Access-Control-Allow-Origin"] == C


def test_refused_origin_is_compared_with_the_changed_list() -> None:
    policy = Policy(allow_origins=[*MANY, "https://a.example:8443"])
    guard = Guard(
        policy.with_origins(add=["https://b.example:*"], remove=["https://a.example:8443"])
    )
    assert guard.decide("/", A, "GET", {}).detail == A
    detail = guard.decide("/", "http://b.example", "GET", {}).detail
    assert detail == "http://b.example (nearest listed: https://b.example:*)"


def test_entry_that_is_not_listed_is_not_removed_in_silence() -> None:
    policy = Policy(allow_origins=[A])
    with pytest.raises(PolicyError) as caught:
        policy.with_origins(remove=["https://A.example"])
    assert str(caught.value) == (
        "remove: https://A.example is not an entry of allow_origins. Use the entry as "
        "allow_origins has it, or remove it from this list [origin-not-listed]"
    )
    policy = Policy(allow_origins=["https://*.a.example"])
    found = find_problems(policy, remove=["https://*.a.example:"])
    assert found == [("origin-not-listed", "remove")]


def test_every_problem_of_a_change_is_listed() -> None:
    policy = Policy(allow_origins=[A], allow_credentials=True)
    found = find_problems(
        policy, add=["http://insecure.example", "https://c.example/", 7], remove=[B, C]
    )
    assert found == [
        ("origin-not-listed", "remove"),
        ("origin-not-listed", "remove"),
        ("origin-invalid", "allow_origins"),
        ("type-invalid", "allow_origins"),
        ("origin-insecure", "allow_origins"),
    ]


def test_change_that_leaves_nothing_or_a_wildcard_beside_others_is_refused() -> None:
    policy = Policy(allow_origins=[A])
    assert find_problems(policy, remove=[A]) == [("no-origins", "allow_origins")]
    assert find_problems(policy, add=["*"]) == [("wildcard-not-alone", "allow_origins")]
    assert policy.with_origins(add=["*"], remove=[A]) == Policy(allow_origins=["*"])


def test_text_in_place_of_a_list_is_refused() -> None:
    policy = Policy(allow_origins=[A, B])
    assert find_problems(policy, add=C) == [("not-a-list", "add")]
    assert find_problems(policy, remove=B) == [("not-a-list", "remove")]


def test_only_new_entries_are_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)
        policy = Policy(allow_origins=["ftp://a.example"], max_age=86_400)
    with pytest.warns(PolicyWarning, match=r"ftp://b\.example matches no request") as caught:
        policy.with_origins(add=["ftp://b.example"])
    assert len(caught) == 1


def test_regexes_and_callables_are_added_and_removed() -> None:
    regex = re.compile(r"https://r[0-9]\.example\.com")

    def is_partner(origin: str) -> bool:
        return origin == C

    policy = Policy(allow_origins=[A]).with_origins(add=[regex, is_partner])
    assert policy.allow_origins == (A, regex, is_partner)
    assert Guard(policy).decide("/", C, "GET", {}).allowed
    assert policy.with_origins(remove=[is_partner, regex]) == Policy(allow_origins=[A])
