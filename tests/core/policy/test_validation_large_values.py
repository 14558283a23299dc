"""Values that Python or JSON can't represent are problems, not crashes."""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corsguard import Guard, Policy, PolicyError, Problem

A = "https://a.example"
LISTED = Policy(allow_origins=[A])
MANY_DIGITS = 10**5_000


def nested() -> list[Any]:
    """Return a list that is nested deeper than `repr` can follow."""
    values: list[Any] = []
    for _ in range(200_000):
        values = [values]
    return values


def problems(make: Callable[[Any], object], given: object) -> tuple[Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        make(given)
    assert str(caught.value)
    json.dumps(caught.value.as_dict(), allow_nan=False)
    return caught.value.problems


NUMBERS: list[dict[Any, Any]] = [
    {"allow_origins": [MANY_DIGITS]},
    {"allow_origins": MANY_DIGITS},
    {"allow_origins": [A], "allow_credentials": MANY_DIGITS},
    {"allow_origins": [A], "allow_methods": [MANY_DIGITS]},
    {"allow_origins": [A], "allow_headers": {MANY_DIGITS, "X-A"}},
    {"allow_origins": [A], "max_age": MANY_DIGITS},
    {"allow_origins": [A], "max_age": -MANY_DIGITS},
    {"allow_origins": [A], "max_age": [MANY_DIGITS]},
    {"allow_origins": [A], "predicate_timeout": MANY_DIGITS},
    {"allow_origins": [A], "enforce": MANY_DIGITS},
    {"allow_origins": [A], "own_origins": [MANY_DIGITS]},
    {"allow_origins": [A], MANY_DIGITS: 1},
    {"routes": {MANY_DIGITS: LISTED}},
    {"routes": {MANY_DIGITS: {"allow_origin": [A]}}},
    {"routes": {"/": MANY_DIGITS}},
    {"routes": MANY_DIGITS},
]


@pytest.mark.parametrize("number", range(len(NUMBERS)))
def test_number_of_too_many_digits_is_a_problem(number: int) -> None:
    found = problems(Guard.from_mapping, NUMBERS[number])
    assert any("<int>" in str(problem) or "<list>" in str(problem) for problem in found)


@pytest.mark.parametrize("field", ["allow_origins", "allow_methods", "max_age", "enforce"])
def test_value_nested_too_deeply_is_a_problem(field: str) -> None:
    [problem] = problems(Guard.from_mapping, {"allow_origins": [A], field: nested()})
    assert (problem.code, problem.message[:6]) == ("type-invalid", "<list>")


def test_file_with_a_long_number_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_text(f'allow_origins = ["{A}"]\nmax_age = 0x{"f" * 5_000}\n', encoding="utf-8")
    [problem] = problems(Guard.from_file, path)
    assert (problem.code, problem.suggestion) == ("max-age-out-of-range", "86400")


def test_file_nested_too_deeply_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "corsguard.toml"
    path.write_text(f"enforce = {'[' * 100_000}", encoding="utf-8")
    with pytest.raises(ValueError, match="nest"):
        Guard.from_file(path)


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, -(10**400)])
def test_as_dict_has_only_json_numbers(value: float) -> None:
    [problem] = problems(lambda value: Policy(allow_origins=[A], max_age=value), value)
    assert isinstance(problem.as_dict()["value"], str)


def test_regex_too_slow_for_deep_nesting() -> None:
    depth = 150  # which `re` reads, and its reader too, where the stack is not as full as here
    regex = re.compile(f"https://{'(?:a|' * depth}b{')' * depth}")
    room = sys.getrecursionlimit() - len(inspect.stack())
    [problem] = problems(lambda regex: called_from(room - depth, regex), regex)
    assert problem.code == "regex-too-slow"
    assert "too large to analyse" in problem.message


def called_from(depth: int, regex: re.Pattern[str]) -> Policy:
    """Build a policy so many calls further down the stack."""
    return called_from(depth - 1, regex) if depth else Policy(allow_origins=[regex])
