"""The one configuration shape, read from a mapping, a TOML file or the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from types import MappingProxyType
from typing import Any, NamedTuple

from corsguard.errors import NO_POLICY, PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.guard.options import (
    Options,
    Policies,
    PolicyTable,
    find_shadow_problems,
    name_place,
)
from corsguard.guard.origin_sets import OriginSets, SetUse
from corsguard.guard.policy_list import is_list, name_entry, reject_entry
from corsguard.guard.snapshot import Snapshot
from corsguard.guard.source_options import SourceOptions, read_source
from corsguard.policy import Policy
from corsguard.policy.safety import find_warnings
from corsguard.policy.suggestion_formats import as_item, as_toml, as_variable
from corsguard.policy.unknown_fields import (
    CANDIDATE_KEYS,
    DOCUMENT_KEYS,
    GUARD_OPTIONS,
    find_unknown_fields,
    is_origins_option,
    is_routes_option,
)
from corsguard.policy.validation import VALIDATORS

__all__ = [
    "POLICY_KEYS",
    "Compiled",
    "Settings",
    "as_item",
    "as_toml",
    "name_variable",
    "parse_toml",
    "read_environ",
    "read_file",
    "read_mapping",
]

_PREFIX = "CORSGUARD_"
_VARIABLES = {
    **{field: f"{_PREFIX}{field.upper()}" for field in (*VALIDATORS, *GUARD_OPTIONS)},
    **{f"source.{name}": f"{_PREFIX}SOURCE_{name.upper()}" for name in SourceOptions._fields},
    "source.url": f"{_PREFIX}SOURCE",
    "shadow": f"{_PREFIX}SHADOW",
}
"""Field, or place of an option of the source -> variable."""
_SOURCE_TOKEN = f"{_PREFIX}SOURCE_TOKEN"
"""The variable with the bearer token of an HTTPSource, which that reads itself."""
POLICY_KEYS = (*VALIDATORS, "routes", "origin_sets", "candidate")
"""The keys that a configuration with a `source` can't have: its document has the policies."""
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
_FRACTIONS = frozenset({"predicate_timeout", "source.poll"})
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
    options: frozenset[str] = frozenset()
    """The names of the options of the guard that the configuration sets."""
    set_uses: tuple[SetUse, ...] = ()
    """The policies that refer to sets of origins."""
    candidate: Settings | None = None
    """The settings that are only tried beside these."""
    source: SourceOptions | None = None
    """What the guard follows, in place of policies."""
    shadow: bool = False
    """True if adapters only compare the policies with what the application answers."""

    def fill_options(self, defaults: Options) -> Options:
        """Return the options of the guard. Those that the configuration does not set stay."""
        return defaults._replace(**{name: getattr(self, name) for name in self.options})

    def compile(self, base: Snapshot | None = None, defaults: Options = Options()) -> Compiled:  # noqa: B008  # immutable
        """Return the policies and options, compiled, and those of the candidate.

        Of `base`, the snapshot that they replace, the policies of views stay. `defaults` are the
        options that the configuration does not set.

        Raises PolicyError with every problem.
        """
        compiled: list[Snapshot | None] = [None, None]
        problems = list(self.problems)
        for index, (settings, place) in enumerate(((self, ""), (self.candidate, "candidate"))):
            if settings is None:
                continue
            options = settings.fill_options(defaults)
            try:
                if base is None:
                    compiled[index] = Snapshot(settings.policies, options)
                else:
                    compiled[index] = base.replace_all(settings.policies, options)
            except PolicyError as error:
                problems += [each.within(place) for each in error.problems]
        snapshot, candidate = compiled
        if problems or snapshot is None:
            raise PolicyError(problems)
        return Compiled(snapshot, candidate)


class Compiled(NamedTuple):
    """The settings of a configuration, compiled."""

    snapshot: Snapshot
    candidate: Snapshot | None


class _Found(NamedTuple):
    problems: list[Problem]
    warnings: list[Problem]


def read_file(path: str | PathLike[str]) -> Settings:
    """Read the settings of a TOML file.

    Raises OSError if the file can't be read, and ValueError if it is not TOML.
    """
    with open(path, "rb") as file:
        content = file.read()
    return read_mapping(parse_toml(content, fspath(path)))


def parse_toml(content: bytes, name: str) -> dict[str, Any]:
    """Return the mapping that the content of a TOML file is. Raises ValueError, with its name."""
    import tomllib

    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # some editors put a BOM first
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        why = f"not UTF-8, as TOML must be (at line {line})"
    except RecursionError:
        why = "can't be read: nested too deeply"
    except ValueError as error:
        why = f"not TOML: {error}"
    raise ValueError(f"{name}: {why}")


def read_mapping(mapping: Mapping[str, Any]) -> Settings:
    """Read the settings of a mapping: a policy's fields or `routes`, and the guard's options."""
    if not isinstance(mapping, Mapping):
        message = f"{show_value(mapping)} is not a table of a policy's fields, or of routes"
        suggestion = '{"allow_origins": ["https://app.example.com"]}'
        problem = Problem("type-invalid", "policy", mapping, message, suggestion)
        return Settings(None, False, (), (), (problem,), ())
    sets = OriginSets(mapping.get("origin_sets"))
    settings = _read_shape(mapping, DOCUMENT_KEYS, sets)
    problems, candidate = settings.problems, None
    if "candidate" in mapping:
        candidate = _read_candidate(mapping["candidate"], sets)
        problems += tuple(each.within("candidate") for each in candidate.problems)
    return settings._replace(
        problems=(*problems, *sets.problems),
        warnings=(*settings.warnings, *sets.find_unused()),
        candidate=candidate,
    )


def _read_candidate(given: Any, sets: OriginSets) -> Settings:
    if isinstance(given, Mapping):
        return _read_shape(given, CANDIDATE_KEYS, sets)
    return read_mapping(given)  # which reports the wrong type


def _read_shape(mapping: Mapping[str, Any], known: tuple[str, ...], sets: OriginSets) -> Settings:
    """Read the settings of a mapping with known keys; `sets` gets the policies that use them."""
    others = {key: value for key, value in mapping.items() if key not in known}
    count = len(sets.uses)
    settings = _build_settings(mapping, others, find_unknown_fields(mapping, known), sets)
    return settings._replace(set_uses=tuple(sets.uses[count:]))


def read_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings of the variables whose names begin with CORSGUARD_."""
    given = {name: text for name, text in environ.items() if name.startswith(_PREFIX)}
    mapping: dict[str, object] = {
        field: _parse_value(field, given[variable])
        for field, variable in _VARIABLES.items()
        if variable in given
    }
    source = {name: mapping.pop(f"source.{name}", None) for name in SourceOptions._fields}
    if any(value is not None for value in source.values()):
        mapping["source"] = {name: value for name, value in source.items() if value is not None}
    known = {*_VARIABLES.values(), _SOURCE_TOKEN}
    unclaimed = {name: text for name, text in given.items() if name not in known}
    others = {
        name.removeprefix(_PREFIX): _parse_value("", text) for name, text in unclaimed.items()
    }
    unknown = find_unknown_fields(unclaimed, _VARIABLES.values(), _PREFIX)
    if _is_none(mapping.get("allow_origins")):
        return _allow_nothing(mapping, others, unknown)
    settings = _build_settings(mapping, others, unknown, OriginSets())
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
    mapping: Mapping[str, Any],
    others: Mapping[str, object],
    unknown: list[Problem],
    sets: OriginSets,
) -> Settings:
    """Build the settings of a mapping.

    `others` are the unknown keys of the mapping, and `unknown` the problems that report them.
    `sets` are what policies may refer to.
    """
    found = _Found(unknown, [])
    fields = {key: value for key, value in mapping.items() if key in VALIDATORS}
    enforce = mapping.get("enforce", False)
    enforced = enforce is True or enforce == "report"
    policies: Policies = None
    source = None
    shadow = mapping.get("shadow", False)
    found.problems.extend(find_shadow_problems(shadow))
    if "source" in mapping:
        source = read_source(mapping["source"], found.problems)
        found.problems.extend(_report_beside_source(mapping))
    if "routes" in mapping:
        policies = _read_routes(mapping["routes"], found, sets, enforced=enforced)
        found.problems.extend(_report_beside_routes(key, value) for key, value in fields.items())
    elif fields:
        given = sets.expand(fields)
        policies = _read_policy(given, found, reported=others, enforced=enforced)
    elif (
        not enforce
        and "source" not in mapping
        and not any(
            is_origins_option(*item) or is_routes_option(item[0]) for item in others.items()
        )
    ):
        found.problems.append(NO_POLICY)
    return Settings(
        policies,
        enforce,
        mapping.get("enforce_exempt", ()),
        mapping.get("own_origins", ()),
        tuple(found.problems),
        tuple(found.warnings),
        frozenset(mapping.keys() & set(GUARD_OPTIONS)),
        source=source,
        shadow=shadow is True,
    )


def _is_none(origins: object) -> bool:
    """Return True for the list of a variable with the value `none`: no origin is allowed."""
    return isinstance(origins, list) and [origin.lower() for origin in origins] == ["none"]


def _allow_nothing(
    mapping: Mapping[str, Any], others: Mapping[str, object], unknown: list[Problem]
) -> Settings:
    """Build settings that allow no origin, and validate the other fields all the same."""
    mapping = {**mapping, "allow_origins": [_SOME_ORIGIN]}
    settings = _build_settings(mapping, others, unknown, OriginSets())
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


def _read_routes(given: object, found: _Found, sets: OriginSets, *, enforced: bool) -> PolicyTable:
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
            tables = [sets.expand(each, prefix, index) for index, each in enumerate(entry)]
            routes[prefix] = _read_list(tables, found, place, enforced=enforced)
        elif not isinstance(entry, Mapping):
            message = f"{show_value(entry)} is neither a table of a policy's fields nor false"
            found.problems.append(Problem("type-invalid", place, entry, message, _TABLE))
        else:
            given = sets.expand(entry, prefix)
            routes[prefix] = _read_policy(given, found, place, enforced=enforced)
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


def _report_beside_source(mapping: Mapping[str, Any]) -> list[Problem]:
    """Return the problem of policies beside a source, from which they would come."""
    beside = [key for key in POLICY_KEYS if key in mapping]
    if not beside:
        return []
    message = f"{', '.join(beside)} beside `source`, whose document has the policies"
    suggestion = "remove either `source`, or the policies here"
    return [Problem("source-with-policy", "source", None, message, suggestion)]


def _parse_value(field: str, text: str) -> object:
    """Convert the text of a variable to the type of its field; return the text if it can't be."""
    text = text.strip()
    if field.startswith("source.") and field != "source.poll":
        return text
    if field in _LISTS:
        return [part for element in text.split(",") if (part := element.strip())]
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return float(text) if field in _FRACTIONS else int(text)
    except ValueError:
        return text
