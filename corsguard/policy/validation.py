"""The validator of each field of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from re import Pattern
from sys import float_info
from typing import Any, Protocol, cast

from corsguard import fetch_spec
from corsguard.errors import ALLOW_NOTHING, Problem
from corsguard.escaping import list_values, quote, show_value
from corsguard.origin import Origin, OriginError, OriginPattern
from corsguard.policy.allow_list import (
    FLAGS_OF_ENTRIES,
    AllowList,
    FlaggedEntry,
    OriginEntry,
    unwrap,
)
from corsguard.policy.lookup_arguments import PREDICATE_FORMS, describe_signature

__all__ = [
    "FLAGS",
    "VALIDATORS",
    "AcceptanceTest",
    "ProblemCollector",
    "accept_anything",
    "check_allow_list",
    "list_entries",
    "list_values",
    "validate_flag",
    "validate_own_origins",
    "validate_strings",
]


class AcceptanceTest(Protocol):
    """A function that returns True if a field accepts a value, when the flags named are set too."""

    def __call__(self, field: str, value: object, /, *flags: str) -> bool: ...


def accept_anything(*_: object) -> bool:
    """Return True: the test of a collector whose suggestions are not shown."""
    return True


class ProblemCollector:
    """The problems found so far.

    `is_accepted` tests a suggestion before it is shown.
    """

    def __init__(self, is_accepted: AcceptanceTest = accept_anything) -> None:
        self.problems: list[Problem] = []
        self._is_accepted = is_accepted

    def add(self, code: str, field: str, value: object, message: str, suggestion: str) -> None:
        """Add a problem. The parameters are the attributes of Problem."""
        self.problems.append(Problem(code, field, value, message, suggestion))

    def acceptance_test(self, field: str) -> AcceptanceTest:
        """Return the test of suggestions for a policy's field or for a guard's option."""
        return self._is_accepted if field in VALIDATORS else _is_accepted_by_guard


def validate_origins(found: ProblemCollector, field: str, value: object) -> AllowList:
    """Return the entries of `allow_origins` that have the right type."""
    # The result of a callable is checked when it is called.
    entries = cast(Sequence[OriginEntry], list_entries(found, field, value))
    if not entries and not found.problems:
        _add_no_origins(found, field, value)
    allow_list = AllowList(entries, partial(_accept_entry, found, field))
    _check_wildcard(found, field, allow_list)
    return allow_list


def check_allow_list(found: ProblemCollector, field: str, allow_list: AllowList) -> None:
    """Add the problems of a list whose entries are valid each."""
    if not allow_list:
        _add_no_origins(found, field, ())
    _check_wildcard(found, field, allow_list)


def _check_wildcard(found: ProblemCollector, field: str, allow_list: AllowList) -> None:
    if allow_list.is_any and any(unwrap(entry) != "*" for entry in allow_list.entries):
        _add_wildcard_not_alone(found, field, list(map(unwrap, allow_list.entries)))


def _add_no_origins(found: ProblemCollector, field: str, value: object) -> None:
    message = f"the list is empty, so no page could read a response; {ALLOW_NOTHING}"
    found.add("no-origins", field, value, message, "list an origin, or remove the policy")


def _accept_entry(found: ProblemCollector, field: str, entry: object) -> OriginEntry | None:
    """Return an entry in its normalised form, or None for one of a wrong type."""
    if isinstance(entry, Mapping) and not entry.keys().isdisjoint(("origin", "dangerously")):
        entry = _read_table(found, field, entry)
        if entry is None:
            return None
    if isinstance(entry, FlaggedEntry):
        _validate_flags(found, field, entry)
    is_typed = _validate_entry(found, field, unwrap(cast(OriginEntry, entry)))
    return cast(OriginEntry, entry) if is_typed else None


def _read_table(
    found: ProblemCollector, field: str, table: Mapping[object, object]
) -> FlaggedEntry | None:
    """Return the entry that a file has as a table, `{ origin = "...", dangerously = [...] }`."""
    origin, given = table.get("origin"), table.get("dangerously", ())
    if not isinstance(origin, str) or set(table) - {"origin", "dangerously"}:
        message = f"{show_value(table)} is not an origin with flags"
        _add_table_form(found, field, table, message)
        return None
    if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) for each in given):
        message = f"{show_value(given)} is not a list of the flags of {origin}"
        _add_table_form(found, field, table, message)
        return FlaggedEntry(origin, frozenset(FLAGS_OF_ENTRIES))  # no problem twice
    return FlaggedEntry(origin, frozenset(given))


def _add_table_form(found: ProblemCollector, field: str, table: object, message: str) -> None:
    suggestion = '{"origin": "https://...", "dangerously": ["public-suffix"]}'
    found.add("type-invalid", field, table, message, suggestion)


def _validate_flags(found: ProblemCollector, field: str, entry: FlaggedEntry) -> None:
    """Add the problems of the flags of an entry."""
    known = ", ".join(FLAGS_OF_ENTRIES)
    unknown = [flag for flag in sorted(entry.flags, key=show_value) if flag not in FLAGS_OF_ENTRIES]
    for flag in unknown:
        message = f"{show_value(flag)} is not a flag of an origin"
        found.add("flag-unknown", field, entry, message, f"one of {known}")
    if not entry.flags:
        message = f"{entry.origin!r} is called dangerous, and no flag says which check to lift"
        found.add("flag-unknown", field, entry, message, f"the entry alone, or add one of {known}")
    if not isinstance(entry.origin, (str, Pattern)) and callable(entry.origin):
        message = "a callable takes no flags: what it may allow is decided for the whole policy"
        suggestion = "the callable alone, and dangerously_allow_insecure_origins if that is meant"
        found.add("type-invalid", field, entry, message, suggestion)


def _validate_entry(found: ProblemCollector, field: str, entry: object) -> bool:
    """Return False for an entry of a wrong type."""
    if isinstance(entry, str):
        _validate_pattern(found, field, entry)
    elif isinstance(entry, Pattern):
        _validate_regex(found, field, entry)
    elif not callable(entry):
        message = f"{show_value(entry)} is neither a str, a compiled regex nor a callable"
        _add_wrong_type(found, field, entry, message)
        return False
    elif message := describe_signature(entry):
        found.add("type-invalid", field, entry, message, PREDICATE_FORMS)
    return True


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
        _add_wildcard_not_alone(found, field, names)
    return names


def validate_request_headers(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the names of request headers. `*` may have Authorization beside it (Fetch)."""
    names = _validate_header_names(found, field, value)
    for name in names:
        if name.lower() in fetch_spec.RESPONSE_HEADERS:
            _add_prohibited(found, field, name, "response")
    if "*" in names and {name.lower() for name in names} - {"*", "authorization"}:
        _add_wildcard_not_alone(found, field, names)
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
        _add_wildcard_not_alone(found, field, names)
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


def validate_own_origins(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the origins of a service itself, an option of a guard: neither patterns nor opaque."""
    origins = validate_strings(found, field, value)
    for origin in origins:
        reason = _find_own_origin_error(origin)
        if reason:
            message = f"{origin!r} is not a valid origin of a service: {reason}"
            _add_invalid_origin(found, field, origin, message)
    return origins


def validate_strings(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the str entries of a list, without duplicates."""
    strings: dict[str, None] = {}
    for entry in list_entries(found, field, value):
        if isinstance(entry, str):
            strings[entry] = None
        else:
            _add_wrong_type(found, field, entry, f"{show_value(entry)} is not a str")
    return tuple(strings)


_LIST_EXAMPLES = {"allow_origins": '["https://app.example.com"]'}
"""Field -> the list to suggest in place of another type, where an empty list is refused."""


def list_entries(found: ProblemCollector, field: str, value: object) -> Sequence[object]:
    """Return the entries of value, or value itself as the one entry where it is not a list."""
    if isinstance(value, (str, bytes, Pattern)) or callable(value):
        from corsguard.policy.suggestions import suggest_list

        parts = value.split(",") if isinstance(value, str) else [value]
        entries = [part.strip() if isinstance(part, str) else part for part in parts]
        suggestion = suggest_list(
            field, entries, found.acceptance_test(field), _LIST_EXAMPLES.get(field, "a list")
        )
        found.add("not-a-list", field, value, f"{show_value(value)} is not a list", suggestion)
        return entries
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        suggestion = _LIST_EXAMPLES.get(field, "[]")
        found.add("type-invalid", field, value, f"{show_value(value)} is not a list", suggestion)
        return []
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (set, frozenset)):  # the same policy sends the same headers on every run
        return sorted(value, key=show_value)
    return list(value)


def _add_wrong_type(found: ProblemCollector, field: str, entry: object, message: str) -> None:
    from corsguard.policy.suggestions import suggest_entries

    suggestion = suggest_entries(field, entry, found.acceptance_test(field))
    found.add("type-invalid", field, entry, message, suggestion)


def _add_wildcard_not_alone(found: ProblemCollector, field: str, entries: Iterable[object]) -> None:
    from corsguard.policy.suggestions import suggest_wildcard_choice

    message = "`*` covers everything, so the other entries have no effect"
    suggestion = suggest_wildcard_choice(field, entries, found.acceptance_test(field))
    found.add("wildcard-not-alone", field, tuple(entries), message, suggestion)


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

    is_accepted = found.acceptance_test(field)
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


def _validate_pattern(found: ProblemCollector, field: str, text: str) -> None:
    try:
        OriginPattern.parse(text)
    except OriginError as error:
        message = f"{text!r} is not a valid origin: {error}"
        _add_invalid_origin(found, field, text, message)


def _add_invalid_origin(found: ProblemCollector, field: str, text: str, message: str) -> None:
    from corsguard.policy.suggestions import suggest_origin

    suggestion = suggest_origin(field, text, found.acceptance_test(field))
    found.add("origin-invalid", field, text, message, suggestion)


def _validate_regex(found: ProblemCollector, field: str, pattern: Pattern[Any]) -> None:
    from corsguard.policy.redos import is_linear
    from corsguard.policy.regex_ast import has_bare_dot
    from corsguard.policy.regex_overmatch import describe_open_domains
    from corsguard.policy.suggestions import suggest_pattern

    source = pattern.pattern
    if not isinstance(source, str):
        message = f"{source!r} is a regular expression of bytes, and origins are str"
        suggestion = f"re.compile({source.decode('latin-1')!r})"
        found.add("type-invalid", field, pattern, message, suggestion)
        return
    better = suggest_pattern(pattern, found.acceptance_test(field))
    if not is_linear(pattern):
        message = (
            f"{source!r} may backtrack for too long: it can match one text in many ways, or is too "
            "large to analyse"
        )
        suggestion = better or (
            "use one repeat, such as [a-z0-9-]+, or repeats with a separator between them, "
            "such as [a-z0-9]+-[a-z0-9]+"
        )
        found.add("regex-too-slow", field, pattern, message, suggestion)
    elif has_bare_dot(pattern):
        message = f"{source!r} has an unescaped `.`, which matches any character"
        suggestion = better or r"escape each dot (\.) and write [a-z0-9-]+ for a label"
        found.add("regex-too-wide", field, pattern, message, suggestion)
    elif too_wide := describe_open_domains(pattern):
        message, suggestion = too_wide
        found.add("regex-too-wide", field, pattern, message, better or suggestion)


def _is_accepted_by_guard(field: str, value: object, /, *_: str) -> bool:
    """Return True if an option of a guard accepts value, a list."""
    if field != "own_origins":
        return True
    entries = cast(Iterable[object], value)
    return all(isinstance(entry, str) and not _find_own_origin_error(entry) for entry in entries)


def _find_own_origin_error(text: str) -> str | None:
    """Return why text is not the origin of a service, or None if it is."""
    try:
        opaque = Origin.parse(text).opaque
    except OriginError as error:
        return str(error)
    return "it is opaque, so pages of any site and any file can send it" if opaque else None


def _limit_seconds(digits: str) -> str:
    """Return digits, or the largest `max_age` that is accepted; `int` refuses very long texts."""
    number = digits.lstrip("0") or "0"
    limit = str(fetch_spec.MAX_AGE_LIMIT)
    return number if (len(number), number) <= (len(limit), limit) else limit


def _timedelta_seconds(value: object) -> int | None:
    """Return the whole seconds of a timedelta, or None for another type."""
    from datetime import timedelta  # not for the many policies that have an int

    return value // timedelta(seconds=1) if isinstance(value, timedelta) else None
