"""The arguments of an adapter: a policy or a guard, or a policy's fields as keywords."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from corsguard.errors import NO_POLICY, POLICY_OR_FIELDS, PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.guard.guard import Guard
from corsguard.guard.options import Policies, find_shadow_problems
from corsguard.guard.policy_list import is_list
from corsguard.policy import Policy
from corsguard.policy.unknown_fields import FIELDS, GUARD_OPTIONS, is_table_of_fields

__all__ = ["build_configured_guard", "build_guard", "split_shadow"]

_OPTIONS = frozenset(GUARD_OPTIONS)
"""The keyword arguments of a guard besides its policies."""
_KINDS = (Guard, Policy)
"""Types that only the argument `policy` accepts."""


def build_guard(
    given: Guard | Policies,
    fields: Mapping[str, Any] = MappingProxyType({}),
    *,
    requires_policy: bool = True,
) -> Guard:
    """Return the guard for the arguments of an adapter: a policy, or its fields.

    `given` is a Guard, a Policy or a list of them, policies by route prefix, or None. `fields` are
    the keyword arguments beside it, in the one configuration shape. Without `requires_policy` both
    may be empty: all policies may be per-view policies.

    Raises PolicyError for both at once, for neither (`no-policy`), and for a policy that is not
    valid.
    """
    problems = _find_problems(given, fields)
    if problems:
        raise PolicyError(problems)
    if given is None and fields:
        guard = Guard.from_keywords(fields)
    else:
        guard = given if isinstance(given, Guard) else Guard(given)
    if requires_policy and not guard.policies and not guard.enforce:
        raise PolicyError([NO_POLICY])
    return guard


def split_shadow(
    given: object, fields: Mapping[str, Any] = MappingProxyType({})
) -> tuple[dict[str, Any], bool]:
    """Return the keyword arguments of an adapter without `shadow`, and True if it only compares.

    Without that keyword, the guard that was given says so, or the mapping of a setting. Raises
    PolicyError if it is not a bool.
    """
    rest = dict(fields)
    default: object = False
    if isinstance(given, Guard):
        default = given.shadow
    elif isinstance(given, Mapping):
        default = given.get("shadow", False)
    shadow = rest.pop("shadow", default)
    problems = find_shadow_problems(shadow)
    if problems:
        raise PolicyError(problems)
    return rest, shadow is True


def build_configured_guard(given: Any, place: str = "") -> Guard:
    """Return the guard of a framework's setting: a mapping in the same shape, a Policy, a
    list of policies, or a Guard.

    Raises PolicyError, which names `place` as where the mapping is.
    """
    if isinstance(given, Guard):
        return given
    if isinstance(given, Policy) or is_list(given):
        return Guard(given)
    return Guard.from_mapping(given, place)


def _find_problems(given: object, fields: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of the call itself, whatever the values are."""
    if given is None:
        return [
            Problem("unknown-field", name, value, "unknown field", "policy")
            for name, value in fields.items()
            if isinstance(value, _KINDS) and name not in FIELDS | _OPTIONS
        ]
    suggestion = POLICY_OR_FIELDS
    if fields:
        message = f"a policy was given, and the fields {', '.join(fields)} beside it"
        if fields.keys() <= _OPTIONS:
            options = ", ".join(f"{name}={show_value(value)}" for name, value in fields.items())
            suggestion = f"policy=Guard(Policy(...), {options})"
    elif isinstance(given, Mapping) and is_table_of_fields(given, _KINDS):
        message = f"{show_value(given)} is a dict of a policy's fields, which are keywords here"
    else:
        return []
    return [Problem("type-invalid", "policy", given, message, suggestion)]
