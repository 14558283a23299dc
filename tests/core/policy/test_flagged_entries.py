"""Flags of one entry: `dangerous(...)` in Python, a table in a file."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from support.engine_requests import decide_actual

from corsguard import Guard, Policy, PolicyError, dangerous

APP = "https://app.example.com"
PREVIEWS = "https://app-*-team.vercel.app"
INSECURE = "http://intranet.example.com"


def find_codes(*entries: Any, **fields: Any) -> list[tuple[str, object]]:
    try:
        Policy(allow_origins=entries, **{"allow_credentials": True, **fields})
    except PolicyError as error:
        return [(problem.code, problem.value) for problem in error.problems]
    return []


def test_flag_lifts_its_check_from_one_entry_only() -> None:
    assert find_codes(dangerous(PREVIEWS, "public-suffix")) == []
    assert find_codes(dangerous(INSECURE, "insecure")) == []
    assert find_codes(dangerous(PREVIEWS, "insecure")) == [("origin-public-suffix", PREVIEWS)]
    assert find_codes(dangerous(INSECURE, "public-suffix")) == [("origin-insecure", INSECURE)]
    others = ("https://*.github.io", "http://other.example.com")
    assert find_codes(
        dangerous(PREVIEWS, "public-suffix"), dangerous(INSECURE, "insecure"), *others
    ) == [
        ("origin-public-suffix", others[0]),
        ("origin-insecure", others[1]),
    ]
    both = dangerous("http://*.github.io", "insecure", "public-suffix")
    assert find_codes(both) == []


def test_null_flag_has_no_effect_with_credentials() -> None:
    flagged = dangerous("null", "null")
    assert find_codes(flagged, allow_credentials=False) == []
    assert find_codes("null", allow_credentials=False) == [("origin-null", "null")]
    assert find_codes(flagged) == [("origin-null", "null")]
    assert find_codes(flagged, "file://", allow_credentials=False) == [("origin-null", "file://")]


def test_domains_for_sale_start_with_the_flag() -> None:
    entry = "https://*shop.co.uk"
    assert find_codes(dangerous(entry, "public-suffix"), allow_credentials=False) == []
    assert find_codes(entry, allow_credentials=False) == [("origin-public-suffix", entry)]


def test_flagged_regex_may_cover_free_names_and_plain_http() -> None:
    free = re.compile(r"https://app-[a-z0-9]+-team\.vercel\.app")
    assert find_codes(free) == [("regex-too-wide", free)]
    assert find_codes(dangerous(free, "public-suffix")) == []
    plain = re.compile(r"https?://pr-\d+\.example\.com")
    policy = Policy(allow_origins=[dangerous(plain, "insecure"), APP], allow_credentials=True)
    assert decide_actual(policy, "http://pr-1.example.com").allowed
    assert decide_actual(policy, "https://pr-1.example.com").allowed
    unflagged = Policy(allow_origins=[plain, APP], allow_credentials=True)
    assert not decide_actual(unflagged, "http://pr-1.example.com").allowed


def test_flagged_entry_under_enforce_is_not_refused() -> None:
    policy = Policy(allow_origins=[dangerous(PREVIEWS, "public-suffix")])
    guard = Guard(policy, enforce=True)
    assert guard.decide("/", "https://app-1-team.vercel.app", "POST", {}).status is None
    with pytest.raises(PolicyError, match="origin-public-suffix"):
        Guard(Policy(allow_origins=[PREVIEWS]), enforce=True)


def test_entry_in_a_file_has_its_flags_in_a_table(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(
        f'allow_origins = ["{APP}", {{ origin = "{PREVIEWS}", dangerously = ["public-suffix"] }}]\n'
        "allow_credentials = true\n",
        encoding="utf-8",
    )
    guard = Guard.from_file(file)
    assert guard.policies == Policy(
        allow_origins=[APP, dangerous(PREVIEWS, "public-suffix")], allow_credentials=True
    )
    assert guard.decide("/", "https://app-1-team.vercel.app", "GET", {}).allowed


@pytest.mark.parametrize(
    "table",
    [
        {"dangerously": ["null"]},
        {"origin": 7, "dangerously": ["null"]},
        {"origin": APP, "dangerous": ["null"]},
        {"origin": APP, "dangerously": "null"},
        {"origin": APP, "dangerously": [7]},
    ],
)
def test_table_of_another_shape_is_a_problem_that_shows_the_right_one(
    table: dict[str, object],
) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.from_mapping({"allow_origins": [table, APP]})
    (problem,) = caught.value.problems
    assert problem.code == "type-invalid"
    assert problem.suggestion == '{"origin": "https://...", "dangerously": ["public-suffix"]}'


def test_suggested_table_in_a_file_is_toml(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(f'allow_origins = [{{ origin = "{APP}", flags = [] }}]\n', encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Guard.from_file(file)
    (problem,) = caught.value.problems
    assert problem.suggestion == '{ origin = "https://...", dangerously = ["public-suffix"] }'


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        (dangerous(APP, "credentials"), ["flag-unknown"]),
        (dangerous(APP, "null", "dangerously_allow_null_origin"), ["flag-unknown"]),
        (dangerous(APP), ["flag-unknown"]),
        (dangerous(APP, ["null"]), ["flag-unknown"]),  # type: ignore[arg-type]
        (dangerous(PREVIEWS, "public-sufix"), ["flag-unknown"]),
        (dangerous(f"{APP}/", "insecure"), ["origin-invalid"]),
        (dangerous(7, "insecure"), ["type-invalid"]),  # type: ignore[arg-type]
        (dangerous(dangerous(APP, "null"), "null"), ["type-invalid"]),  # type: ignore[arg-type]
        (dangerous(lambda origin: True, "insecure"), ["type-invalid"]),
        (dangerous("*", "public-suffix"), ["wildcard-with-credentials"]),
    ],
)
def test_wrong_flagged_entry_is_a_problem(entry: Any, codes: list[str]) -> None:
    assert [code for code, _ in find_codes(entry)] == codes


def test_flagged_entry_in_place_of_a_list_is_a_problem() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(allow_origins=dangerous(APP, "insecure"))  # type: ignore[arg-type]
    assert [problem.code for problem in caught.value.problems] == ["not-a-list"]


def test_flagged_wildcard_beside_others_is_a_problem() -> None:
    codes = [code for code, _ in find_codes(dangerous("*", "null"), APP, allow_credentials=False)]
    assert codes == ["wildcard-not-alone"]


def test_flagged_policy_is_equal_by_value_copied_and_pickled() -> None:
    policy = Policy(
        allow_origins=[APP, dangerous(PREVIEWS, "public-suffix")], allow_credentials=True
    )
    assert policy == pickle.loads(pickle.dumps(policy))
    assert copy.deepcopy(policy) is policy
    assert hash(policy) == hash(pickle.loads(pickle.dumps(policy)))
    assert policy.allow_origins[1] == dangerous(PREVIEWS, "public-suffix")
    assert policy != Policy(allow_origins=[APP])
    assert "dangerous('https://app-*-team.vercel.app', 'public-suffix')" in repr(policy)


def test_flagged_entry_is_changed_by_its_origin() -> None:
    policy = Policy(
        allow_origins=[APP, dangerous(PREVIEWS, "public-suffix")], allow_credentials=True
    )
    assert policy.with_origins(remove=[PREVIEWS]).allow_origins == (APP,)
    changed = policy.with_origins(add=[dangerous("https://*-x.vercel.app", "public-suffix")])
    assert decide_actual(changed, "https://a-x.vercel.app").allowed
    with pytest.raises(PolicyError, match="origin-public-suffix"):
        policy.with_origins(add=["https://*-x.vercel.app"])
