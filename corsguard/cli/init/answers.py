"""The answers that a configuration file is written from, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from corsguard import Policy, PolicyError, Problem
from corsguard.origin import OriginError, OriginPattern
from corsguard.policy.safety import find_warnings
from corsguard.policy.suggestion_formats import as_toml

__all__ = ["Answers", "find_answer_problems", "find_answer_warnings", "fix_values", "split_values"]

_SEPARATORS = re.compile(r"[\s,]+")
_PLACEHOLDER = "your-name"
"""The label that a suggestion has in place of one that only the user knows."""


class Answers(NamedTuple):
    """The answers. None for one that is not given yet."""

    origins: tuple[str, ...] | None = None
    has_cookies: bool | None = None
    methods: tuple[str, ...] | None = None
    headers: tuple[str, ...] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the policy; an answer that is not given is left out."""
        given = {
            "allow_origins": self.origins,
            "allow_credentials": self.has_cookies,
            "allow_methods": self.methods,
            "allow_headers": self.headers,
        }
        return {
            field: list(value) if isinstance(value, tuple) else value
            for field, value in given.items()
            if value is not None
        }


def split_values(text: str) -> tuple[str, ...]:
    """Return the values of a list that is separated by commas or spaces. `none` is no value."""
    values = dict.fromkeys(_SEPARATORS.split(text))
    return tuple(value for value in values if value.lower() not in {"", "none"})


def find_answer_problems(answers: Answers) -> list[Problem]:
    """Return why a policy with these answers does not start, with suggestions as TOML."""
    try:
        Policy.read(answers.fields)
    except PolicyError as error:
        return [as_toml(problem) for problem in error.problems]
    return []


def find_answer_warnings(answers: Answers) -> list[Problem]:
    """Return what is rarely meant in answers that start."""
    return [as_toml(warning) for warning in find_warnings(Policy.read(answers.fields))]


def fix_values(values: Iterable[str], problems: Iterable[Problem]) -> tuple[str, ...]:
    """Return the values with those replaced that have a problem, or removed if no fix is known.

    Where the list as a whole has one, `*` is removed, which has to be alone.
    """
    fixes: dict[str, str] = {}
    for problem in problems:
        if isinstance(problem.value, str):
            fixes[problem.value] = _read_fix(problem)
        else:
            fixes["*"] = ""
    fixed = [fixes.get(value, value) for value in values]
    return tuple(dict.fromkeys(value for value in fixed if value))


def _read_fix(problem: Problem) -> str:
    """Return the value that a suggestion names; empty if it is an instruction."""
    value = problem.suggestion.partition(", or ")[0]
    if _PLACEHOLDER in value:
        return ""
    if problem.field == "allow_origins":
        try:
            OriginPattern.parse(value)
        except OriginError:
            return ""
    return "" if " " in value else value
