"""The validators of origins: those of a policy, and those of the service itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from re import Pattern
from typing import Any, cast

from corsguard.errors import ALLOW_NOTHING
from corsguard.escaping import show_value
from corsguard.origin import Origin, OriginError, OriginPattern
from corsguard.policy.allow_list import AllowList
from corsguard.policy.lookup_arguments import PREDICATE_FORMS, describe_signature
from corsguard.policy.origin_entry import FLAGS_OF_ENTRIES, FlaggedEntry, OriginEntry, unwrap
from corsguard.policy.problem_collector import (
    ProblemCollector,
    add_wildcard_not_alone,
    add_wrong_type,
    list_entries,
    validate_strings,
)

__all__ = ["accept_option", "check_allow_list", "validate_origins", "validate_own_origins"]


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
        add_wildcard_not_alone(found, field, list(map(unwrap, allow_list.entries)))


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
        entry = _validate_flags(found, field, entry)
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


def _validate_flags(found: ProblemCollector, field: str, entry: FlaggedEntry) -> FlaggedEntry:
    """Add the problems of the flags of an entry; return it with the flags that count here."""
    known = ", ".join(FLAGS_OF_ENTRIES)
    unknown = [flag for flag in sorted(entry.flags, key=show_value) if flag not in FLAGS_OF_ENTRIES]
    for flag in unknown:
        message = f"{show_value(flag)} is not a flag of an origin"
        found.add("flag-unknown", field, str(entry), message, f"one of {known}")
    if not entry.flags:
        message = f"{entry.origin!r} is called dangerous, and no flag says which check to lift"
        suggestion = f"the entry alone, or add one of {known}"
        found.add("flag-unknown", field, str(entry.origin), message, suggestion)
    if not isinstance(entry.origin, (str, Pattern)) and callable(entry.origin):
        message = "a callable takes no flags: what it may allow is decided for the whole policy"
        suggestion = "the callable alone, and dangerously_allow_insecure_origins if that is meant"
        found.add("type-invalid", field, entry.origin, message, suggestion)
    # No second problem for an entry that says its flags in a wrong way.
    return entry._replace(flags=frozenset(FLAGS_OF_ENTRIES)) if unknown else entry


def _validate_entry(found: ProblemCollector, field: str, entry: object) -> bool:
    """Return False for an entry of a wrong type."""
    if isinstance(entry, str):
        _validate_pattern(found, field, entry)
    elif isinstance(entry, Pattern):
        _validate_regex(found, field, entry)
    elif not callable(entry):
        message = f"{show_value(entry)} is neither a str, a compiled regex nor a callable"
        add_wrong_type(found, field, entry, message)
        return False
    elif message := describe_signature(entry):
        found.add("type-invalid", field, entry, message, PREDICATE_FORMS)
    return True


def validate_own_origins(found: ProblemCollector, field: str, value: object) -> tuple[str, ...]:
    """Return the origins of a service itself, an option of a guard: neither patterns nor opaque."""
    origins = validate_strings(found, field, value)
    for origin in origins:
        reason = _find_own_origin_error(origin)
        if reason:
            message = f"{origin!r} is not a valid origin of a service: {reason}"
            _add_invalid_origin(found, field, origin, message)
    return origins


def accept_option(field: str, value: object, /, *_: str) -> bool:
    """Return True if an option of a guard accepts value, a list."""
    if field != "own_origins":
        return True
    entries = cast(Iterable[object], value)
    return all(isinstance(entry, str) and not _find_own_origin_error(entry) for entry in entries)


def _validate_pattern(found: ProblemCollector, field: str, text: str) -> None:
    try:
        OriginPattern.parse(text)
    except OriginError as error:
        message = f"{text!r} is not a valid origin: {error}"
        _add_invalid_origin(found, field, text, message)


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
    better = suggest_pattern(pattern, found.is_accepted)
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


def _add_invalid_origin(found: ProblemCollector, field: str, text: str, message: str) -> None:
    from corsguard.policy.suggestions import suggest_origin

    suggestion = suggest_origin(field, text, found.is_accepted)
    found.add("origin-invalid", field, text, message, suggestion)


def _find_own_origin_error(text: str) -> str | None:
    """Return why text is not the origin of a service, or None if it is."""
    try:
        opaque = Origin.parse(text).opaque
    except OriginError as error:
        return str(error)
    return "it is opaque, so pages of any site and any file can send it" if opaque else None
