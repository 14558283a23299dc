"""What an adapter was called with: a policy, or its fields as keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corsguard.errors import POLICY_OR_FIELDS, Problem
from corsguard.escaping import show_value
from corsguard.policy.unknown_fields import FIELDS, GUARD_OPTIONS, is_table_of_fields

__all__ = ["argument_problems"]

_OPTIONS = frozenset(GUARD_OPTIONS)
"""The keyword arguments of a guard besides its policies."""


def argument_problems(
    given: object, fields: Mapping[str, Any], kinds: tuple[type, ...]
) -> list[Problem]:
    """Return what is wrong with the call itself, whatever the values are.

    `given` is what was passed as the policy, `fields` are the other keyword arguments, and `kinds`
    are the types that only `policy` takes.
    """
    if given is None:
        return [
            Problem("unknown-field", name, value, "unknown field", "policy")
            for name, value in fields.items()
            if isinstance(value, kinds) and name not in FIELDS | _OPTIONS
        ]
    suggestion = POLICY_OR_FIELDS
    if fields:
        message = f"a policy was given, and the fields {', '.join(fields)} beside it"
        if fields.keys() <= _OPTIONS:
            options = ", ".join(f"{name}={show_value(value)}" for name, value in fields.items())
            suggestion = f"policy=Guard(Policy(...), {options})"
    elif isinstance(given, Mapping) and is_table_of_fields(given, kinds):
        message = f"{show_value(given)} is a dict of a policy's fields, which are keywords here"
    else:
        return []
    return [Problem("type-invalid", "policy", given, message, suggestion)]
