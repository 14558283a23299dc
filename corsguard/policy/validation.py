"""The validator of each field of a policy."""

from __future__ import annotations

from collections.abc import Callable
from sys import float_info

from corsguard import fetch_spec
from corsguard.escaping import quote, show_value
from corsguard.policy.origin_validation import validate_origins
from corsguard.policy.problem_collector import (
    ProblemCollector,
    add_wildcard_not_alone,
    validate_strings,
)

__all__ = ["FLAGS", "VALIDATORS", "validate_flag"]


def validate_methods(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the names of methods."""
    names = validate_strings(found, field, value)
    for name in names:
        upper = name.upper()
        if not fetch_spec.is_token(name):
            message = f"{name!r} is not a valid method: a method is one token (RFC 9110, 5.6.2)"
            found.add("method-invalid", field, name, message, _suggest_tokens(found, field, name))
        elif upper in fetch_spec.FORBIDDEN_METHODS:
            message = f"{name!r} has no effect: browsers don't let a page send {upper}"
            found.add("method-forbidden", field, name, message, f"remove {name}")
        elif name != upper and upper in fetch_spec.REGISTERED_METHODS:
            message = (
                f"{name!r} does not allow {upper}: methods are case-sensitive, and browsers do not "
                "upper-case what a server allows"
            )
            found.add("method-case", field, name, message, upper)
    if "*" in names and len(names) > 1:
        add_wildcard_not_alone(found, field, names)
    return names


def validate_request_headers(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the names of request headers. `*` may have Authorization beside it (Fetch)."""
    names = _validate_header_names(found, field, value)
    for name in names:
        if name.lower() in fetch_spec.RESPONSE_HEADERS:
            _add_prohibited(found, field, name, "response")
    if "*" in names and {name.lower() for name in names} - {"*", "authorization"}:
        add_wildcard_not_alone(found, field, names)
    return names


def validate_response_headers(
    found: ProblemCollector, field: str, value: object
) -> tuple[str, ...]:
    """Return the names of response headers."""
    names = _validate_header_names(found, field, value)
    for name in names:
        lower = name.lower()
        if lower in fetch_spec.FORBIDDEN_RESPONSE_HEADERS:
            message = f"{name} has no effect: browsers hide it from every script"
            found.add("header-forbidden", field, name, message, f"remove {name}")
        elif lower == "origin" or lower.startswith("access-control-"):
            side = "response" if lower in fetch_spec.RESPONSE_HEADERS else "request"
            _add_prohibited(found, field, name, side)
    if "*" in names and len(names) > 1:
        add_wildcard_not_alone(found, field, names)
    return names


def validate_max_age(found: ProblemCollector, field: str, value: object) -> int | None:
    """Return seconds, or None where the header is to be omitted."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        seconds = _timedelta_seconds(value)
        if seconds is None:
            digits = show_value(value, str).strip().split(".")[0]
            meant = _limit_seconds(digits) if digits.isascii() and digits.isdecimal() else "7200"
            message = f"{show_value(value)} is neither an int of seconds, a timedelta nor None"
            found.add("type-invalid", field, value, message, meant)
            return None
    else:
        seconds = value
    if not 0 <= seconds <= fetch_spec.MAX_AGE_LIMIT:
        caps = ", ".join(f"{name} to {cap}" for name, cap in fetch_spec.MAX_AGE_CAPS.items())
        message = (
            f"{show_value(seconds)} is not between 0 and {fetch_spec.MAX_AGE_LIMIT} seconds; "
            f"browsers cap the value: {caps}"
        )
        suggestion = str(min(max(seconds, 0), fetch_spec.MAX_AGE_LIMIT))
        found.add("max-age-out-of-range", field, value, message, suggestion)
    return int(seconds)


def validate_timeout(found: ProblemCollector, field: str, value: object) -> float:
    """Return seconds, 1.0 where value is not a positive and finite number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        message = f"{show_value(value)} is not a number of seconds"
    elif 0 < value <= float_info.max:
        return float(value)
    else:
        message = f"{show_value(value)} is not a positive, finite number of seconds"
    found.add("type-invalid", field, value, message, "1.0")
    return 1.0


def validate_flag(found: ProblemCollector, field: str, value: object) -> bool:
    """Return value, or the bool that it was most likely meant to be."""
    if not isinstance(value, bool):
        meant = show_value(value, str).strip().lower() in {"true", "1", "yes", "on"}
        message = f"{show_value(value)} is not a bool"
        found.add("type-invalid", field, value, message, str(meant))
        return meant
    return value


VALIDATORS: dict[str, Callable[[ProblemCollector, str, object], object]] = {
    "allow_origins": validate_origins,
    "allow_credentials": validate_flag,
    "allow_methods": validate_methods,
    "allow_headers": validate_request_headers,
    "expose_headers": validate_response_headers,
    "max_age": validate_max_age,
    "predicate_timeout": validate_timeout,
    "dangerously_allow_insecure_origins": validate_flag,
    "dangerously_allow_public_suffixes": validate_flag,
    "dangerously_allow_null_origin": validate_flag,
}
"""Field -> validator, in the order of the signature of Policy.

A validator adds the problems of a value to the collector and returns the value in its normalised
form, without the parts that have the wrong type.
"""

FLAGS = tuple(field for field, validate in VALIDATORS.items() if validate is validate_flag)
"""The fields that are bools."""


def _validate_header_names(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    names = validate_strings(found, field, value)
    for name in names:
        if not fetch_spec.is_token(name):
            message = f"{name!r} is not a valid header name: a name is one token (RFC 9110, 5.6.2)"
            found.add("header-invalid", field, name, message, _suggest_tokens(found, field, name))
    return names


def _suggest_tokens(found: ProblemCollector, field: str, text: str) -> str:
    """Return the tokens in text that the field accepts, or the advice to remove it."""
    from corsguard.policy.suggestions import extract_names

    is_accepted = found.is_accepted
    tokens = [name for name in extract_names(field, text) if is_accepted(field, [name])]
    if field == "allow_headers":
        tokens = [
            name for name in tokens if not fetch_spec.is_forbidden_request_header(name.lower())
        ]
    # `*` must be alone, and the others say what is meant.
    quoted = [quote(name) for name in tokens if name != "*" or len(tokens) == 1]
    return ", ".join(quoted) or "remove it"


def _add_prohibited(found: ProblemCollector, field: str, name: str, side: str) -> None:
    """Add the problem of a CORS header; side is "request" or "response"."""
    message = f"{name} is a {side} header of the CORS protocol itself"
    found.add("header-prohibited", field, name, message, f"remove {name}")


def _limit_seconds(digits: str) -> str:
    """Return digits, or the largest `max_age` that is accepted; `int` refuses very long texts."""
    number = digits.lstrip("0") or "0"
    limit = str(fetch_spec.MAX_AGE_LIMIT)
    return number if (len(number), number) <= (len(limit), limit) else limit


def _timedelta_seconds(value: object) -> int | None:
    """Return the whole seconds of a timedelta, or None for another type."""
    from datetime import timedelta  # not for the many policies that have an int

    return value // timedelta(seconds=1) if isinstance(value, timedelta) else None
