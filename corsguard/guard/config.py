"""The one configuration shape, read from a mapping, a TOML file or the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from types import MappingProxyType
from typing import Any, NamedTuple

from corsguard.errors import NO_POLICY, PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.guard.options import Policies, PolicyTable, name_place
from corsguard.guard.policy_list import is_list, name_entry, reject_entry
from corsguard.policy import Policy
from corsguard.policy.safety import find_warnings
from corsguard.policy.suggestion_formats import as_item, as_toml, as_variable
from corsguard.policy.unknown_fields import (
    GUARD_OPTIONS,
    find_unknown_fields,
    is_origins_option,
    is_routes_option,
)
from corsguard.policy.validation import VALIDATORS

__all__ = [
    "Settings",
    "as_item",
    "as_toml",
    "name_variable",
    "read_environ",
    "read_file",
    "read_mapping",
]

_PREFIX = "CORSGUARD_"
_VARIABLES = {field: f"{_PREFIX}{field.upper()}" for field in (*VALIDATORS, *GUARD_OPTIONS)}
_LISTS = frozenset(
    {
        "allow_origins",
        "allow_methods",
        "allow_headers",
        "expose_headers",
        "enforce_exempt",
        "own_origins",
    }
)
_TABLE = '{"allow_origins": [...]}'
_SOME_ORIGIN = "https://app.example.com"


class Settings(NamedTuple):
    """The parameters of a Guard that a configuration sets, and the problems of reading it."""

    policies: Policies
    enforce: Any
    enforce_exempt: Any
    own_origins: Any
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """The warnings of the policies that were read, which don't depend on enforcement."""


class _Found(NamedTuple):
    problems: list[Problem]
    warnings: list[Problem]


def read_file(path: str | PathLike[str]) -> Settings:
    """Read the settings of a TOML file.

    Raises OSError if the file can't be read, and ValueError if it is not TOML.
    """
    import tomllib

    with open(path, "rb") as file:
        content = file.read()
    try:
        mapping = tomllib.loads(content.decode("utf-8-sig"))  # some editors put a BOM first
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        why = f"not UTF-8, as TOML must be (at line {line})"
    except RecursionError:
        why = "can't be read: nested too deeply"
    except ValueError as error:
        why = f"not TOML: {error}"
    else:
        return read_mapping(mapping)
    raise ValueError(f"{fspath(path)}: {why}")


def read_mapping(mapping: Mapping[str, Any]) -> Settings:
    """Read the settings of a mapping: a policy's fields or `routes`, and the guard's options."""
    if not isinstance(mapping, Mapping):
        message = f"{show_value(mapping)} is not a table of a policy's fields, or of routes"
        suggestion = '{"allow_origins": ["https://app.example.com"]}'
        problem = Problem("type-invalid", "policy", mapping, message, suggestion)
        return Settings(None, False, (), (), (problem,), ())
    known = (*VALIDATORS, "routes", *GUARD_OPTIONS)
    others = {key: value for key, value in mapping.items() if key not in known}
    return _build_settings(mapping, others, find_unknown_fields(mapping, known))


def read_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings of the variables whose names begin with CORSGUARD_."""
    given = {name: text for name, text in environ.items() if name.startswith(_PREFIX)}
    mapping = {
        field: _parse_value(field, given[variable])
        for field, variable in _VARIABLES.items()
        if variable in given
    }
    known = set(_VARIABLES.values())
    others = {
        name.removeprefix(_PREFIX): _parse_value("", text)
        for name, text in given.items()
        if name not in known
    }
    unknown = find_unknown_fields(given, _VARIABLES.values(), _PREFIX)
    if _is_none(mapping.get("allow_origins")):
        return _allow_nothing(mapping, others, unknown)
    settings = _build_settings(mapping, others, unknown)
    names = (name for name in environ if name.startswith("CORS_"))
    theirs = [name for name in names if is_origins_option(name, value=False)]  # of flags, none
    if theirs and NO_POLICY in settings.problems:
        rename = f"rename {theirs[0]} to {_VARIABLES['allow_origins']}"
        return settings._replace(problems=(NO_POLICY._replace(suggestion=rename),))
    return settings


def name_variable(problem: Problem) -> Problem:
    """Return a problem of the environment that names the variable instead of its field."""
    return as_variable(problem, _VARIABLES)


def _build_settings(
    mapping: Mapping[str, Any], others: Mapping[str, object], unknown: list[Problem]
) -> Settings:
    """Build the settings of a mapping.

    `others` are the unknown keys of the mapping, and `unknown` the problems that report them.
    """
    found = _Found(unknown, [])
    fields = {key: value for key, value in mapping.items() if key in VALIDATORS}
    enforce = mapping.get("enforce", False)
    enforced = enforce is True or enforce == "report"
    policies: Policies = None
    if "routes" in mapping:
        policies = _read_routes(mapping["routes"], found, enforced=enforced)
        found.problems.extend(_report_beside_routes(key, value) for key, value in fields.items())
    elif fields:
        policies = _read_policy(fields, found, reported=others, enforced=enforced)
    elif not enforce and not any(
        is_origins_option(*item) or is_routes_option(item[0]) for item in others.items()
    ):
        found.problems.append(NO_POLICY)
    return Settings(
        policies,
        enforce,
        mapping.get("enforce_exempt", ()),
        mapping.get("own_origins", ()),
        tuple(found.problems),
        tuple(found.warnings),
    )


def _is_none(origins: object) -> bool:
    """Return True for the list of a variable with the value `none`: no origin is allowed."""
    return isinstance(origins, list) and [origin.lower() for origin in origins] == ["none"]


def _allow_nothing(
    mapping: Mapping[str, Any], others: Mapping[str, object], unknown: list[Problem]
) -> Settings:
    """Build settings that allow no origin, and validate the other fields all the same."""
    settings = _build_settings({**mapping, "allow_origins": [_SOME_ORIGIN]}, others, unknown)
    return settings._replace(policies={"/": None}, warnings=())


def _read_policy(
    given: object,
    found: _Found,
    place: str = "",
    *,
    reported: Mapping[str, object] = MappingProxyType({}),
    enforced: bool,
) -> Policy | None:
    """Return the policy of a table of fields, None if it is not valid.

    Adds problems and warnings to `found`, with `place` as where the table is. `reported` are
    unknown keys that have a problem already. `enforced` is True if the guard enforces, which a
    policy's validation takes into account.
    """
    try:
        policy = Policy.read(given, reported=reported, enforced=enforced)
    except PolicyError as error:
        found.problems.extend(problem.within(place) for problem in error.problems)
        return None
    found.warnings.extend(warning.within(place) for warning in find_warnings(policy))
    return policy


def _read_routes(given: object, found: _Found, *, enforced: bool) -> PolicyTable:
    if not isinstance(given, Mapping):
        message = f"{show_value(given)} is not a table from path prefix to policy"
        found.problems.append(Problem("type-invalid", "routes", given, message, '{"/api": {...}}'))
        return {}
    routes: PolicyTable = {}
    for prefix, entry in given.items():
        place = name_place(prefix)
        if entry is None or entry is False or isinstance(entry, Policy):
            routes[prefix] = entry or None
        elif is_list(entry):
            routes[prefix] = _read_list(entry, found, place, enforced=enforced)
        elif not isinstance(entry, Mapping):
            message = f"{show_value(entry)} is neither a table of a policy's fields nor false"
            found.problems.append(Problem("type-invalid", place, entry, message, _TABLE))
        else:
            routes[prefix] = _read_policy(entry, found, place, enforced=enforced)
    return routes


def _read_list(
    given: Sequence[object], found: _Found, place: str, *, enforced: bool
) -> tuple[Policy, ...] | None:
    """Return the policies of a list of tables, None if one of them is not valid."""
    policies: list[Policy] = []
    for index, entry in enumerate(given):
        at = name_entry(place, index)
        policy = entry if isinstance(entry, Policy) else None
        if isinstance(entry, Mapping):
            policy = _read_policy(entry, found, at, enforced=enforced)
        elif policy is None:
            found.problems.append(reject_entry(at, entry, _TABLE))
        if policy is not None:
            policies.append(policy)
    return tuple(policies) if len(policies) == len(given) else None


def _report_beside_routes(field: str, value: object) -> Problem:
    message = f"{field} is configured beside `routes`, where it applies to no path"
    return Problem("unknown-field", field, value, message, f'routes."/".{field}')


def _parse_value(field: str, text: str) -> object:
    """Convert the text of a variable to the type of its field; return the text if it can't be."""
    text = text.strip()
    if field in _LISTS:
        return [part for element in text.split(",") if (part := element.strip())]
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return float(text) if field == "predicate_timeout" else int(text)
    except ValueError:
        return text
