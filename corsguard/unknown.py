"""Fields that do not exist, and the fields that were meant. Start-up only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from corsguard.escape import shown
from corsguard.peers import INSTEAD, NAMES, OF_ORIGINS, OF_ROUTES, REGEX_OPTIONS, plain
from corsguard.problem import Problem

__all__ = ["GUARD_OPTIONS", "means_origins", "means_routes", "meant_fields", "unknown_fields"]

GUARD_OPTIONS = ("enforce", "enforce_exempt", "own_origins")
"""What stands beside a policy's fields, or beside `routes`, in a configuration."""

_OF_GUARD = {plain(name): name for name in (*GUARD_OPTIONS, "routes")}
_LEAST_LIKENESS_TO_PEERS = 0.8  # theirs are more, so that a near one tells less


def unknown_fields(
    given: Mapping[str, object], known: Iterable[str], prefix: str = ""
) -> list[Problem]:
    """Return a problem for each key of given that is not a known one.

    Its suggestion is the known field that was meant; or, for an option of another library that
    has no counterpart, what to do. All known names begin with prefix.
    """
    names = tuple(known)
    return [
        Problem(
            "unknown-field",
            shown(key, str),
            value,
            f"there is no field {shown(key)}",
            _suggestion(shown(key, str), names, prefix),
        )
        for key, value in given.items()
        if key not in names
    ]


def meant_fields(given: Mapping[str, object], known: Iterable[str]) -> dict[str, object]:
    """Return the values of the unknown keys that are a known field under another name.

    The known fields that are given as well are left out.
    """
    names = tuple(known)
    meant = {
        _meant(shown(key, str), names): value for key, value in given.items() if key not in names
    }
    return {field: meant[field] for field in names if field in meant and field not in given}


def means_origins(key: object) -> bool:
    """Return True if an unknown key says which origins are allowed, however it is spelled."""
    name = shown(key, str)
    return plain(name) in OF_ORIGINS or _meant(name, ("allow_origins",)) == "allow_origins"


def means_routes(key: object) -> bool:
    """Return True if an unknown key says what holds for a path, or is a path."""
    name = shown(key, str)
    return plain(name) in OF_ROUTES or name.startswith("/")


def _suggestion(key: str, names: tuple[str, ...], prefix: str) -> str:
    fields = {name.removeprefix(prefix).lower(): name for name in names}
    option = key.removeprefix(prefix)
    if option.startswith("/") and "routes" in fields:
        return f'{{"routes": {{"{option}": ...}}}}'
    if plain(option) in REGEX_OPTIONS:
        return 're.compile(r"...") in allow_origins'
    if plain(option) in INSTEAD:
        return INSTEAD[plain(option)]
    field = _meant(option, fields)
    if field in fields:
        return fields[field]
    if field == "routes":
        return INSTEAD["resources"]
    if field in GUARD_OPTIONS:
        return f"{field} beside the policy, as in Guard(policy, {field}=...)"
    return f"one of {', '.join(names)}"


def _meant(name: str, fields: Iterable[str]) -> str | None:
    """Return the field that an unknown name was most likely meant to be, or None."""
    from corsguard.mending import closest_name

    option = plain(name)
    ours = {**_OF_GUARD, **{plain(field): field for field in fields}}
    field = ours.get(option) or NAMES.get(option)
    if field is None:
        near = closest_name(option, NAMES, _LEAST_LIKENESS_TO_PEERS)
        field = NAMES[near] if near else ours.get(closest_name(option, ours) or "")
    return field
