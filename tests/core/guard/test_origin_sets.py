from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, PolicyWarning

A, B, C = "https://a.example", "https://b.example", "https://*.c.example"
REFERENCE = {"set": "partners"}


@pytest.mark.parametrize(
    "value",
    [[A, B], (A, B), f"\n{A}\r\n  {B}  \n", f"# partners\n{A}\n\n# {C}\n{B}\n"],
)
def test_set_is_a_list_or_a_text_with_one_origin_a_line(value: object) -> None:
    guard = Guard.from_mapping(
        {"allow_origins": [C, REFERENCE], "origin_sets": {"partners": value}}
    )

    assert guard.policies == Policy(allow_origins=[C, A, B])


def test_sets_are_in_files_and_in_policies_by_route(tmp_path: Path) -> None:
    file = tmp_path / "corsguard.toml"
    file.write_text(
        f"""
        [routes."/api"]
        allow_origins = [{{ set = "partners" }}, {{ set = "previews" }}]
        [[routes."/list"]]
        allow_origins = [{{ set = "previews" }}]
        [[routes."/list"]]
        allow_origins = ["{A}"]
        [origin_sets]
        partners = ["{A}"]
        previews = '''
        {C}
        '''
        """
    )

    guard = Guard.from_file(file)

    assert guard.policy_for("/api") == Policy(allow_origins=[A, C])
    assert guard.policies_for("/list") == (Policy(allow_origins=[C]), Policy(allow_origins=[A]))


def find_problems(given: dict[str, Any]) -> list[tuple[str, str, str]]:
    with pytest.raises(PolicyError) as caught:
        Guard.from_mapping(given)
    return [(each.code, each.field, each.suggestion) for each in caught.value.problems]


def test_unknown_set_is_reported_with_those_that_there_are() -> None:
    problem = ("set-unknown", "allow_origins", "one of partners, others")
    given = {
        "allow_origins": [A, {"set": "partner"}],
        "origin_sets": {"partners": [B], "others": [C]},
    }
    assert problem in find_problems(given)


def test_reference_without_sets_says_where_to_write_them() -> None:
    given = {"allow_origins": [REFERENCE]}
    assert find_problems(given) == [("set-unknown", "allow_origins", "add the table `origin_sets`")]


@pytest.mark.parametrize("name", [5, None, ["partners"]])
def test_name_of_a_set_is_a_str(name: object) -> None:
    found = find_problems({"allow_origins": [A, {"set": name}]})
    assert [code for code, *_ in found] == ["set-unknown"]


def test_reference_has_no_other_keys() -> None:
    given = {
        "allow_origins": [A, {"set": "partners", "dangerously": ["null"]}],
        "origin_sets": {"partners": [B]},
    }
    assert find_problems(given)[0] == ("type-invalid", "allow_origins", '{"set": "NAME"}')


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([A], "origin_sets"),
        ({"partners": 5}, "origin_sets.partners"),
        ({"partners": [5]}, "origin_sets.partners"),
        ({"partners": [{"origin": A}]}, "origin_sets.partners"),
    ],
)
def test_sets_of_another_type_are_reported(value: object, place: str) -> None:
    found = find_problems({"allow_origins": [A], "origin_sets": value})
    assert ("type-invalid", place) in [each[:2] for each in found]


def test_origins_of_a_set_are_validated() -> None:
    given = {
        "allow_origins": [REFERENCE],
        "origin_sets": {"partners": "https://a.example/\nnull"},
        "allow_credentials": True,
    }
    assert {code for code, *_ in find_problems(given)} == {"origin-invalid", "origin-null"}


def test_empty_set_allows_no_origin_and_is_refused_alone() -> None:
    given = {"allow_origins": [REFERENCE], "origin_sets": {"partners": []}}
    assert [code for code, *_ in find_problems(given)] == ["no-origins"]


def test_unused_set_is_warned_of() -> None:
    with pytest.warns(PolicyWarning, match="no policy refers to this set"):
        Guard.from_mapping({"allow_origins": [A], "origin_sets": {"partners": [B]}})
