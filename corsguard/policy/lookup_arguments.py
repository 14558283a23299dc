"""The validation of the arguments of an OriginLookup."""

from __future__ import annotations

from collections.abc import Callable
from sys import float_info
from typing import Any

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.policy.lookup_state import Limits
from corsguard.policy.predicates import takes_request

__all__ = ["PREDICATE_FORMS", "describe_signature", "validate_arguments"]

PREDICATE_FORMS = "a callable of (origin) or of (origin, request), sync or async"


def validate_arguments(predicate: object, given: Limits, defaults: Limits) -> None:
    """Raise PolicyError with every problem of the arguments of an OriginLookup."""
    problems = [*_validate_predicate(predicate)]
    for name, value, default in zip(Limits._fields, given, defaults, strict=True):
        problems.extend(_validate_number(name, value, str(default)))
    if problems:
        raise PolicyError([problem.within("OriginLookup") for problem in problems])


def describe_signature(predicate: Callable[..., Any]) -> str:
    """Return why a callable can't be asked about an origin, or an empty text."""
    try:
        takes_request(predicate)
    except TypeError as error:
        return f"{show_value(predicate)} takes {error}, not (origin) and not (origin, request)"
    return ""


def _validate_predicate(predicate: object) -> list[Problem]:
    if not callable(predicate):
        message = f"{show_value(predicate)} is not a callable"
    elif hasattr(predicate, "find_allowed"):
        message = f"{show_value(predicate)} is a look-up itself"
    else:
        message = describe_signature(predicate)
    if not message:
        return []
    return [Problem("type-invalid", "predicate", predicate, message, PREDICATE_FORMS)]


def _validate_number(name: str, value: object, default: str) -> list[Problem]:
    is_count = name.startswith("max_")
    kinds = int if is_count else (int, float)
    least = 1 if is_count else 0
    if isinstance(value, kinds) and not isinstance(value, bool):
        if least <= value <= float_info.max:
            return []
        limits = "at least 1" if is_count else "at least 0, and finite"
        message = f"{show_value(value)} is out of range: it must be {limits}"
    else:
        unit = "an int" if is_count else "a number of seconds"
        message = f"{show_value(value)} is not {unit}"
    return [Problem("type-invalid", name, value, message, default)]
