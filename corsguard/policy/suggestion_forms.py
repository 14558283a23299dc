"""The suggestion of a problem as it is written in a file or in the environment.

The checks suggest what Python reads. Start-up only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from corsguard.errors import (
    ALLOW_NOTHING,
    ALLOW_NOTHING_IN_MAPPING,
    NO_POLICY,
    NOTHING_AS_VARIABLE,
    Problem,
)

__all__ = ["as_item", "as_toml", "as_variable"]

_IN_TOML = {
    "True": "true",
    "False": "false",
    '{"/api": {...}}': '[routes."/api"]',
    '{"allow_origins": [...]}': "{ allow_origins = [...] }",
    '{"allow_origins": ["https://app.example.com"]}': (
        '{ allow_origins = ["https://app.example.com"] }'
    ),
}
_A_ROUTE = re.compile(r'(?:\{"routes": )?\{"(/[^"]*)": \.\.\.\}+')
_NO_ROUTE = re.compile(r'\{"routes": \{"(/[^"]*)": None\}\}')
_TEXT = r"""(?:"[^"]*"|'[^']*')"""
_TEXTS = rf"{_TEXT}(?:, {_TEXT})*"
# Not the brackets of IPv6, nor those of a TOML table or of prose.
_LIST = re.compile(rf"\[({_TEXTS})\]")
_VALUES = re.compile(_TEXTS)


def as_item(problem: Problem) -> Problem:
    """Return the problem of a mapping in the one configuration shape, which has a key for routes.

    What allows nothing there is not written as a Guard's policies by path prefix are.
    """
    return problem._replace(
        message=problem.message.replace(ALLOW_NOTHING, ALLOW_NOTHING_IN_MAPPING),
        suggestion=problem.suggestion.replace(ALLOW_NOTHING, ALLOW_NOTHING_IN_MAPPING),
    )


def as_toml(problem: Problem) -> Problem:
    """Return the problem of a TOML file with its suggestion as TOML."""
    if problem.code == "no-policy":
        return problem._replace(suggestion='allow_origins = ["https://app.example.com"]')
    suggestion = _without_regex(problem.suggestion, "a TOML file")
    suggestion = _A_ROUTE.sub(r'[routes."\1"]', suggestion)
    suggestion = _NO_ROUTE.sub(r'[routes] "\1" = false', suggestion)
    return problem._replace(suggestion=_IN_TOML.get(suggestion, suggestion))


def as_variable(problem: Problem, variables: Mapping[str, str]) -> Problem:
    """Return the problem of the environment with the variable in place of its field.

    `variables` has the variable of each field. The suggestion is without the quotes of lists.
    """
    if problem == NO_POLICY:
        return problem._replace(suggestion="CORSGUARD_ALLOW_ORIGINS=https://app.example.com")
    if problem.code == "unknown-field":
        return problem._replace(suggestion=_of_variables(problem.suggestion, variables))
    suggestion = _without_regex(problem.suggestion, _ENVIRONMENT)
    if problem.field not in variables:
        return problem._replace(suggestion=suggestion)
    if suggestion == problem.suggestion:
        suggestion = _without_quotes(suggestion.replace(ALLOW_NOTHING, _NOTHING_HERE))
    return problem._replace(field=variables[problem.field], suggestion=suggestion)


_NOTHING_HERE = f"to allow nothing, write {NOTHING_AS_VARIABLE}"
_NO_QUOTES = str.maketrans("", "", "\"'")
_ENVIRONMENT = "the environment"
_IN_PYTHON = "in Python, "


def _of_variables(suggestion: str, variables: Mapping[str, str]) -> str:
    """Return what to write instead of an unknown variable, each field named as its variable."""
    if suggestion.startswith("routes"):
        return f"in a file, {suggestion}: {_ENVIRONMENT} holds one policy"
    names = re.compile(rf"\b(?:{'|'.join(variables)})\b")
    suggestion = names.sub(lambda match: variables[match[0]], suggestion)
    if "re.compile(" in suggestion:
        return _without_regex(suggestion, _ENVIRONMENT)
    return _without_quotes(suggestion)


def _without_quotes(suggestion: str) -> str:
    """Return the suggestion with its lists, or all of it where it is nothing else, as a variable
    holds them. The quotes of prose stay."""
    suggestion = _LIST.sub(lambda match: _bare(match[1]), suggestion)
    return _bare(suggestion) if _VALUES.fullmatch(suggestion) else suggestion


def _bare(values: str) -> str:
    return values.translate(_NO_QUOTES)


def _without_regex(suggestion: str, place: str) -> str:
    if "re.compile(" not in suggestion or suggestion.startswith(_IN_PYTHON):
        return suggestion
    return f"{_IN_PYTHON}{suggestion}: {place} can't hold a regular expression"
