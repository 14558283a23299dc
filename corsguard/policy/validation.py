"""The checks of each field of a Policy: what they find, and the value in the form it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from re import Pattern
from sys import float_info
from typing import Any, Protocol, cast

from corsguard import fetch_spec
from corsguard.errors import ALLOW_NOTHING, Problem
from corsguard.escaping import list_values, quote, show_value
from corsguard.origin import Origin, OriginError, OriginPattern
from corsguard.policy.predicates import Predicate

__all__ = ["FLAGS", "VALIDATORS", "Findings", "OriginEntry", "Starts", "anything", "list_values"]

OriginEntry = str | Pattern[str] | Predicate

_LISTS = {"allow_origins": '["https://app.example.com"]'}
"""What to write for what is no list, where an empty one would not start."""


class Starts(Protocol):
    """Tells whether a value of a policy's field starts, and whether it would with more flags."""

    def __call__(self, field: str, value: object, /, *lifting: str) -> bool: ...


def anything(*_: object) -> bool:
    """Return True: for checks whose suggestions nobody will read."""
    return True


class Findings:
    """The problems found so far, and a check for each kind of field that adds to them.

    `starts` tries a suggestion before it is shown.
    """

    def __init__(self, *, starts: Starts = anything) -> None:
        self.problems: list[Problem] = []
        self._starts = starts

    def add(self, code: str, field: str, value: object, message: str, suggestion: str) -> None:
        self.problems.append(Problem(code, field, value, message, suggestion))

    def flag(self, field: str, value: object) -> bool:
        if not isinstance(value, bool):
            meant = show_value(value, str).strip().lower() in {"true", "1", "yes", "on"}
            self.add("type-invalid", field, value, f"{show_value(value)} is not a bool", str(meant))
            return meant
        return value

    def seconds(self, field: str, value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            message = f"{show_value(value)} is not a number of seconds"
        elif 0 < value <= float_info.max:
            return float(value)
        else:
            message = f"{show_value(value)} seconds is no time that passes"
        self.add("type-invalid", field, value, message, "1.0")
        return 1.0

    def max_age(self, field: str, value: object) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            seconds = _timedelta_seconds(value)
            if seconds is None:
                digits = show_value(value, str).strip().split(".")[0]
                meant = _within_limit(digits) if digits.isascii() and digits.isdecimal() else "7200"
                message = f"{show_value(value)} is neither an int of seconds, a timedelta nor None"
                self.add("type-invalid", field, value, message, meant)
                return None
        else:
            seconds = value
        if not 0 <= seconds <= fetch_spec.MAX_AGE_LIMIT:
            caps = ", ".join(f"{name} to {cap}" for name, cap in fetch_spec.MAX_AGE_CAPS.items())
            message = (
                f"{show_value(seconds)} is not from 0 to {fetch_spec.MAX_AGE_LIMIT} seconds; "
                f"browsers cap it: {caps}"
            )
            suggestion = str(min(max(seconds, 0), fetch_spec.MAX_AGE_LIMIT))
            self.add("max-age-out-of-range", field, value, message, suggestion)
        return int(seconds)

    def origins(self, field: str, value: object) -> tuple[OriginEntry, ...]:
        entries = self._entries(field, value)
        if not entries and not self.problems:
            self.add(
                "no-origins",
                field,
                value,
                f"no origin is listed, so no page could read a response; {ALLOW_NOTHING}",
                "list an origin, or remove the policy",
            )
        kept: list[OriginEntry] = []
        for entry in entries:
            if isinstance(entry, str):
                self._origin(field, entry)
            elif isinstance(entry, Pattern):
                self._regex(field, entry)
            elif not callable(entry):
                message = f"{show_value(entry)} is neither a str, a compiled regex nor a callable"
                self._of_another_type(field, entry, message)
                continue
            kept.append(entry)
        if "*" in kept and any(entry != "*" for entry in kept):
            self._not_alone(field, kept)
        return tuple(kept)

    def own_origin(self, field: str, text: str) -> None:
        why = _why_not_own(text)
        if why:
            self._not_an_origin(field, text, f"{text!r} is no origin of a service: {why}")

    def methods(self, field: str, value: object) -> tuple[str, ...]:
        names = self.strings(field, value)
        for name in names:
            upper = name.upper()
            if not fetch_spec.is_token(name):
                self.add(
                    "method-invalid",
                    field,
                    name,
                    f"{name!r} is not a method: one token of RFC 9110",
                    self._tokens(field, name),
                )
            elif upper in fetch_spec.FORBIDDEN_METHODS:
                self.add(
                    "method-forbidden",
                    field,
                    name,
                    f"no browser lets a page send {upper}",
                    f"remove {name}",
                )
            elif name != upper and upper in fetch_spec.REGISTERED_METHODS:
                self.add(
                    "method-case",
                    field,
                    name,
                    f"methods are compared letter by letter, and {name!r} is not {upper}: browsers "
                    "do not upper-case what a server allows",
                    upper,
                )
        if "*" in names and len(names) > 1:
            self._not_alone(field, names)
        return names

    def request_headers(self, field: str, value: object) -> tuple[str, ...]:
        names = self._headers(field, value)
        for name in names:
            lower = name.lower()
            if lower in fetch_spec.RESPONSE_HEADERS:
                self._prohibited(field, name, "response")
        if "*" in names and {name.lower() for name in names} - {"*", "authorization"}:
            self._not_alone(field, names)
        return names

    def response_headers(self, field: str, value: object) -> tuple[str, ...]:
        names = self._headers(field, value)
        for name in names:
            lower = name.lower()
            if lower in fetch_spec.FORBIDDEN_RESPONSE_HEADERS:
                self.add(
                    "header-forbidden",
                    field,
                    name,
                    f"browsers keep {name} from every script",
                    f"remove {name}",
                )
            elif lower == "origin" or lower.startswith("access-control-"):
                side = "response" if lower in fetch_spec.RESPONSE_HEADERS else "request"
                self._prohibited(field, name, side)
        if "*" in names and len(names) > 1:
            self._not_alone(field, names)
        return names

    def _entries(self, field: str, value: object) -> Sequence[object]:
        if isinstance(value, (str, bytes, Pattern)) or callable(value):
            from corsguard.policy.suggestions import listed_instead

            parts = value.split(",") if isinstance(value, str) else [value]
            entries = [part.strip() if isinstance(part, str) else part for part in parts]
            suggestion = listed_instead(
                field, entries, self._starts_in(field), _LISTS.get(field, "a list")
            )
            self.add("not-a-list", field, value, f"{show_value(value)} is not a list", suggestion)
            return entries
        if not isinstance(value, Iterable) or isinstance(value, Mapping):
            suggestion = _LISTS.get(field, "[]")
            self.add("type-invalid", field, value, f"{show_value(value)} is not a list", suggestion)
            return []
        if isinstance(value, (set, frozenset)):
            return sorted(
                value, key=show_value
            )  # the same policy gives the same headers on every run
        return list(value)

    def strings(self, field: str, value: object) -> tuple[str, ...]:
        strings: dict[str, None] = {}
        for entry in self._entries(field, value):
            if isinstance(entry, str):
                strings[entry] = None
            else:
                self._of_another_type(field, entry, f"{show_value(entry)} is not a str")
        return tuple(strings)

    def _of_another_type(self, field: str, entry: object, message: str) -> None:
        from corsguard.policy.suggestions import instead_of_entry

        suggestion = instead_of_entry(field, entry, self._starts_in(field))
        self.add("type-invalid", field, entry, message, suggestion)

    def _headers(self, field: str, value: object) -> tuple[str, ...]:
        names = self.strings(field, value)
        for name in names:
            if not fetch_spec.is_token(name):
                self.add(
                    "header-invalid",
                    field,
                    name,
                    f"{name!r} is not a header name: one token of RFC 9110",
                    self._tokens(field, name),
                )
        return names

    def _tokens(self, field: str, text: str) -> str:
        """Return the names in text that start, `*` only where it is the one."""
        from corsguard.policy.suggestions import names_in

        sound = [name for name in names_in(field, text) if self._starts(field, [name])]
        if field == "allow_headers":
            sound = [
                name for name in sound if not fetch_spec.is_forbidden_request_header(name.lower())
            ]
        # `*` stands alone: the others say what is meant.
        tokens = [quote(name) for name in sound if name != "*" or len(sound) == 1]
        return ", ".join(tokens) or "remove it"

    def _prohibited(self, field: str, name: str, side: str) -> None:
        message = f"{name} is a {side} header of the CORS protocol itself"
        self.add("header-prohibited", field, name, message, f"remove {name}")

    def _not_alone(self, field: str, entries: Iterable[object]) -> None:
        from corsguard.policy.suggestions import instead_of_star

        message = "`*` covers everything, so the other entries can't be meant"
        suggestion = instead_of_star(field, entries, self._starts)
        self.add("wildcard-not-alone", field, tuple(entries), message, suggestion)

    def _origin(self, field: str, text: str) -> None:
        try:
            OriginPattern.parse(text)
        except OriginError as error:
            self._not_an_origin(field, text, f"{text!r} is no origin that a browser sends: {error}")

    def _not_an_origin(self, field: str, text: str, message: str) -> None:
        from corsguard.policy.suggestions import instead_of_origin

        suggestion = instead_of_origin(field, text, self._starts_in(field))
        self.add("origin-invalid", field, text, message, suggestion)

    def _starts_in(self, field: str) -> Starts:
        return self._starts if field in VALIDATORS else _starts_in_guard

    def _regex(self, field: str, pattern: Pattern[Any]) -> None:
        from corsguard.policy.redos import is_linear
        from corsguard.policy.regex_ast import has_bare_dot
        from corsguard.policy.regex_overmatch import open_domains
        from corsguard.policy.suggestions import pattern_instead

        source = pattern.pattern
        if not isinstance(source, str):
            message = "the regular expression matches bytes, and origins are str"
            suggestion = f"re.compile({source.decode('latin-1')!r})"
            self.add("type-invalid", field, pattern, message, suggestion)
            return
        better = pattern_instead(pattern, self._starts)
        if not is_linear(pattern):
            message = (
                f"{source!r} can read one text in many ways and tries all, or is too large to tell"
            )
            suggestion = better or (
                "one repeat, such as [a-z0-9-]+, or repeats that end where the next begins, "
                "such as [a-z0-9]+-[a-z0-9]+"
            )
            self.add("regex-too-slow", field, pattern, message, suggestion)
        elif has_bare_dot(pattern):
            message = f"{source!r} has an unescaped `.`, which matches any character"
            suggestion = better or r"escape each dot (\.) and write [a-z0-9-]+ for a label"
            self.add("regex-too-wide", field, pattern, message, suggestion)
        elif too_wide := open_domains(pattern):
            message, suggestion = too_wide
            self.add("regex-too-wide", field, pattern, message, better or suggestion)


VALIDATORS: dict[str, Callable[[Findings, str, object], object]] = {
    "allow_origins": Findings.origins,
    "allow_credentials": Findings.flag,
    "allow_methods": Findings.methods,
    "allow_headers": Findings.request_headers,
    "expose_headers": Findings.response_headers,
    "max_age": Findings.max_age,
    "predicate_timeout": Findings.seconds,
    "dangerously_allow_insecure_origins": Findings.flag,
    "dangerously_allow_public_suffixes": Findings.flag,
    "dangerously_allow_null_origin": Findings.flag,
}
"""Every field of a policy, in the order of its signature, with its check."""

FLAGS = tuple(field for field, check in VALIDATORS.items() if check is Findings.flag)


def _starts_in_guard(field: str, value: object, /, *_: str) -> bool:
    """Return True if a list starts as an option of a guard."""
    if field != "own_origins":
        return True
    entries = cast(Iterable[object], value)
    return all(isinstance(entry, str) and not _why_not_own(entry) for entry in entries)


def _why_not_own(text: str) -> str | None:
    """Return why text is not the origin of a service, or None if it is."""
    try:
        opaque = Origin.parse(text).opaque
    except OriginError as error:
        return str(error)
    return "pages of any site and any file can have it" if opaque else None


def _within_limit(digits: str) -> str:
    """Return the number of seconds, or the largest that starts; `int` refuses very long ones."""
    number = digits.lstrip("0") or "0"
    limit = str(fetch_spec.MAX_AGE_LIMIT)
    return number if (len(number), number) <= (len(limit), limit) else limit


def _timedelta_seconds(value: object) -> int | None:
    from datetime import timedelta  # not for the many policies that have an int

    return value // timedelta(seconds=1) if isinstance(value, timedelta) else None
