"""Formats of suggestions: as TOML, and as environment variables.

The validators suggest Python. Start-up only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from corsguard.errors import (
    ALLOW_NOTHING,
    ALLOW_NOTHING_IN_MAPPING,
    ALLOW_NOTHING_VARIABLE,
    NO_POLICY,
    Problem,
)

__all__ = ["as_item", "as_toml", "as_variable"]

_TOML_FORMS = {
    '{"origin": "https://...", "dangerously": ["public-suffix"]}': (
        '{ origin = "https://...", dangerously = ["public-suffix"] }'
    ),
    "True": "true",
    "False": "false",
    '{"/api": {...}}': '[routes."/api"]',
    '{"allow_origins": [...]}': "{ allow_origins = [...] }",
    '{"allow_origins": ["https://app.example.com"]}': (
        '{ allow_origins = ["https://app.example.com"] }'
    ),
}
_ROUTE_TABLE = re.compile(r'(?:\{"routes": )?\{"(/[^"]*)": \.\.\.\}+')
_ROUTE_WITHOUT_CORS = re.compile(r'\{"routes": \{"(/[^"]*)": None\}\}')
_QUOTED = r"""(?:"[^"]*"|'[^']*')"""
_QUOTED_LIST = rf"{_QUOTED}(?:, {_QUOTED})*"
# Not the brackets of IPv6, nor those of a TOML table or of prose.
_LIST = re.compile(rf"\[({_QUOTED_LIST})\]")
_VALUES = re.compile(_QUOTED_LIST)


def as_item(problem: Problem) -> Problem:
    """Return the problem of a mapping in the one configuration shape, which has a key for routes.

    Its suggestion to allow nothing differs from that of a Guard's policies by path prefix.
    """
    return problem._replace(
        message=problem.message.replace(ALLOW_NOTHING, ALLOW_NOTHING_IN_MAPPING),
        suggestion=problem.suggestion.replace(ALLOW_NOTHING, ALLOW_NOTHING_IN_MAPPING),
    )


def as_toml(problem: Problem) -> Problem:
    """Return the problem of a TOML file with its suggestion as TOML."""
    if problem.code == "no-policy":
        return problem._replace(suggestion='allow_origins = ["https://app.example.com"]')
    suggestion = _explain_regex(problem.suggestion, "a TOML file")
    suggestion = _ROUTE_TABLE.sub(r'[routes."\1"]', suggestion)
    suggestion = _ROUTE_WITHOUT_CORS.sub(r'[routes] "\1" = false', suggestion)
    return problem._replace(suggestion=_TOML_FORMS.get(suggestion, suggestion))


def as_variable(problem: Problem, variables: Mapping[str, str]) -> Problem:
    """Return the problem of the environment with the variable in place of its field.

    `variables` is field -> variable. The suggestion loses the quotes and brackets of lists.
    """
    if problem == NO_POLICY:
        return problem._replace(suggestion="CORSGUARD_ALLOW_ORIGINS=https://app.example.com")
    if problem.code == "unknown-field":
        return problem._replace(suggestion=_name_variables(problem.suggestion, variables))
    suggestion = _explain_regex(problem.suggestion, _ENVIRONMENT)
    if problem.field not in variables:
        return problem._replace(suggestion=suggestion)
    if suggestion == problem.suggestion:
        suggestion = _remove_quotes(suggestion.replace(ALLOW_NOTHING, _ALLOW_NOTHING_HERE))
    return problem._replace(field=variables[problem.field], suggestion=suggestion)


_ALLOW_NOTHING_HERE = f"to allow nothing, write {ALLOW_NOTHING_VARIABLE}"
_QUOTE_REMOVAL = str.maketrans("", "", "\"'")
_ENVIRONMENT = "the environment"
_IN_PYTHON = "in Python, "


def _name_variables(suggestion: str, variables: Mapping[str, str]) -> str:
    """Return the suggestion for an unknown variable, with each field named as its variable."""
    if suggestion.startswith("routes"):
        return f"in a file, {suggestion}: {_ENVIRONMENT} holds one policy"
    names = re.compile(rf"\b(?:{'|'.join(variables)})\b")
    suggestion = names.sub(lambda match: variables[match[0]], suggestion)
    if "re.compile(" in suggestion:
        return _explain_regex(suggestion, _ENVIRONMENT)
    return _remove_quotes(suggestion)


def _remove_quotes(suggestion: str) -> str:
    """Return the suggestion with its lists, or all of it where it is a list, as in a variable.

    The quotes of prose stay.
    """
    suggestion = _LIST.sub(lambda match: _unquote_values(match[1]), suggestion)
    return _unquote_values(suggestion) if _VALUES.fullmatch(suggestion) else suggestion


def _unquote_values(values: str) -> str:
    return values.translate(_QUOTE_REMOVAL)


def _explain_regex(suggestion: str, place: str) -> str:
    """Return the suggestion, with a note where it is a regular expression, which needs Python."""
    if "re.compile(" not in suggestion or suggestion.startswith(_IN_PYTHON):
        return suggestion
    return f"{_IN_PYTHON}{suggestion}: {place} can't hold a regular expression"
