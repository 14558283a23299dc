"""Unknown fields, and the fields that were meant. Start-up only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, cast

from corsguard.errors import Problem
from corsguard.escaping import show_value
from corsguard.policy.peer_options import (
    ANY_ORIGIN_OFF_ADVICE,
    ANY_ORIGIN_OPTIONS,
    OPTION_ADVICE,
    ORIGIN_OPTIONS,
    REGEX_OPTIONS,
    RENAMED_OPTIONS,
    ROUTE_OPTIONS,
    normalise_name,
)
from corsguard.policy.validation import VALIDATORS

if TYPE_CHECKING:
    from corsguard.policy import Policy

__all__ = [
    "CANDIDATE_KEYS",
    "DOCUMENT_KEYS",
    "FIELDS",
    "GUARD_OPTIONS",
    "find_meant_fields",
    "find_unknown_fields",
    "is_origins_option",
    "is_routes_option",
    "is_table_of_fields",
    "reject_unknown_keywords",
]

_Parameters = ParamSpec("_Parameters")

GUARD_OPTIONS = ("enforce", "enforce_exempt", "own_origins")
"""The keys of a configuration beside a policy's fields, or beside `routes`."""

CANDIDATE_KEYS = (*VALIDATORS, "routes", *GUARD_OPTIONS)
"""The keys of the table `candidate`. A configuration has them too."""
DOCUMENT_KEYS = (*CANDIDATE_KEYS, "origin_sets", "candidate", "source", "shadow")
"""The keys of a configuration."""

_GUARD_NAMES = {normalise_name(name): name for name in (*GUARD_OPTIONS, "routes")}
FIELDS = frozenset(DOCUMENT_KEYS).difference(GUARD_OPTIONS)
"""The keys of a mapping of fields, which a mapping of policies by path prefix can't have."""
_FALSE_WORDS = frozenset({"false", "no", "off", "none", "0"})
_MIN_LIKENESS = 0.6
_MIN_LIKENESS_TO_PEERS = 0.8  # there are more of them, so more are similar by chance


def find_unknown_fields(
    given: Mapping[str, object], known: Iterable[str], prefix: str = ""
) -> list[Problem]:
    """Return a problem for each key of given that is not a known one.

    The suggestion is the known field that was meant. For an option of another library without a
    counterpart, it is an instruction. All known names begin with prefix.
    """
    names = tuple(known)
    return [
        Problem(
            "unknown-field",
            show_value(key, str),
            value,
            "unknown field",
            _suggest_field(show_value(key, str), value, names, prefix),
        )
        for key, value in given.items()
        if key not in names
    ]


def reject_unknown_keywords(init: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Wrap a Policy's `__init__` so that an unknown keyword is a PolicyError with the right name.

    Python's own TypeError would name the keyword, but not the field that was meant. Type checkers
    still see the signature of `init`.
    """

    @wraps(init)
    def checked_init(self: Policy, /, *given: Any, **fields: Any) -> None:
        if not VALIDATORS.keys() >= fields.keys():
            self.read(fields)  # raises: one of them is unknown
        cast(Callable[..., None], init)(self, *given, **fields)

    return cast(Callable[_Parameters, None], checked_init)


def find_meant_fields(given: Mapping[str, object], known: Iterable[str]) -> dict[str, object]:
    """Return known field -> the value of the unknown key that was meant to be it.

    Known fields that are given themselves are left out.
    """
    names = tuple(known)
    meant = {
        _find_meant_field(show_value(key, str), names): value
        for key, value in given.items()
        if key not in names
    }
    return {field: meant[field] for field in names if field in meant and field not in given}


def is_origins_option(key: object, value: object = True) -> bool:
    """Return True if an unknown key is an option for the allowed origins, however it is spelled.

    False for a flag that allows any origin and is switched off by its value.
    """
    name = normalise_name(show_value(key, str))
    if name in ANY_ORIGIN_OPTIONS:
        return not _is_false(value)
    return name in ORIGIN_OPTIONS or _find_meant_field(name, VALIDATORS) == "allow_origins"


def is_routes_option(key: object) -> bool:
    """Return True if an unknown key is an option for policies by path, or a path itself."""
    name = show_value(key, str)
    is_routes = (
        normalise_name(name) in ROUTE_OPTIONS or _find_meant_field(name, VALIDATORS) == "routes"
    )
    return is_routes or name.startswith("/")


def is_table_of_fields(given: Mapping[Any, object], policies: tuple[type, ...]) -> bool:
    """Return True for a mapping of fields, even misnamed ones, and not of policies by path.

    `policies` are the types of the values of a mapping by path.
    """
    if not FIELDS.isdisjoint(given):
        return True
    names = [key for key in given if isinstance(key, str)]
    if any(name.startswith("/") for name in names):
        return False
    return any(_is_policy_option(name) for name in names if not isinstance(given[name], policies))


def _is_policy_option(name: str) -> bool:
    option = normalise_name(name)
    return (
        option in OPTION_ADVICE
        or option in REGEX_OPTIONS
        or _find_meant_field(name, VALIDATORS) is not None
    )


def _suggest_field(key: str, value: object, names: tuple[str, ...], prefix: str) -> str:
    fields = {name.removeprefix(prefix).lower(): name for name in names}
    option = key.removeprefix(prefix)
    if option.startswith("/") and "routes" in fields:
        policy = "None" if value is None or value is False else "..."
        return f'{{"routes": {{"{option}": {policy}}}}}'
    if normalise_name(option) in REGEX_OPTIONS:
        return 're.compile(r"...") in allow_origins'
    if normalise_name(option) in ANY_ORIGIN_OPTIONS and _is_false(value):
        return ANY_ORIGIN_OFF_ADVICE
    if normalise_name(option) in OPTION_ADVICE:
        return OPTION_ADVICE[normalise_name(option)]
    # Many a short word is like it, such as a misspelt "allow".
    field = _find_meant_field(option, [name for name in fields if name != "shadow"])
    if field in fields:
        return fields[field]
    if field == "routes":
        return OPTION_ADVICE["resources"]
    if field in GUARD_OPTIONS:
        return f"{field} beside the policy, as in Guard(policy, {field}=...)"
    return f"one of {', '.join(names)}"


def _is_false(value: object) -> bool:
    """Return True for a value that switches an option off, in Python or in a variable."""
    return not value or str(value).strip().lower() in _FALSE_WORDS


def _find_meant_field(name: str, fields: Iterable[str]) -> str | None:
    """Return the field that an unknown name was most likely meant to be, or None.

    Names of fields and of peers' options are compared. A field wins where both are equally like
    the name.
    """
    option = normalise_name(name)
    ours = dict(_GUARD_NAMES)
    for field in fields:
        ours[normalise_name(field)] = ours[normalise_name(field).removeprefix("dangerously")] = (
            field
        )
    return ours.get(option) or RENAMED_OPTIONS.get(option) or _find_nearest_field(option, ours)


def _find_nearest_field(option: str, ours: Mapping[str, str]) -> str | None:
    from difflib import SequenceMatcher

    near = {
        name: table[name]
        for table, least in ((RENAMED_OPTIONS, _MIN_LIKENESS_TO_PEERS), (ours, _MIN_LIKENESS))
        if (name := _find_closest_name(option, table, least))
    }
    likeness = {name: SequenceMatcher(None, name, option).ratio() for name in reversed(near)}
    return near[max(likeness, key=likeness.__getitem__)] if near else None


def _find_closest_name(name: str, names: Iterable[str], least: float) -> str | None:
    """Return the one of names that is most like name, or None; likeness is from 0 to 1."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(names), n=1, cutoff=least)), None)
