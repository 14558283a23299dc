"""Whether the origins of a policy cover an origin, whatever their number."""

from __future__ import annotations

from collections.abc import Callable
from re import Pattern

from corsguard.engine.decision import Reason
from corsguard.origin import MAX_LENGTH, Origin, OriginError, is_insecure
from corsguard.policy.allow_list import AllowList
from corsguard.policy.origin_lookup import OriginLookup
from corsguard.policy.predicates import FunctionPredicate
from corsguard.policy.timed_predicate import Recorder, TimedPredicate

__all__ = ["OriginMatcher"]


class OriginMatcher:
    """The allow-list of a policy under the rules of its other fields.

    `secure_only` refuses plain http from regular expressions and callables; with credentials and
    under enforcement they do not lift that rule.
    """

    def __init__(self, listed: AllowList, *, secure_only: bool) -> None:
        self.listed: AllowList = listed
        self._secure_only = secure_only
        self._regexes: list[Callable[[str], object]] = [
            entry.origin.fullmatch for entry in listed.special if isinstance(entry.origin, Pattern)
        ]
        self._insecure_regexes: list[Callable[[str], object]] = [
            entry.origin.fullmatch
            for entry in listed.special
            if isinstance(entry.origin, Pattern) and "insecure" in entry.flags
        ]
        self.predicates: list[FunctionPredicate | OriginLookup | TimedPredicate] = [
            entry if isinstance(entry, OriginLookup) else FunctionPredicate(entry)
            for entry in listed.predicates
        ]
        self.lookups: list[OriginLookup] = [
            entry for entry in listed.predicates if isinstance(entry, OriginLookup)
        ]
        self.takes_request: bool = any(each.takes_request for each in self.predicates)
        """True if a predicate depends on more of the request than its origin."""
        remembered = sum(lookup.limits.max_entries for lookup in self.lookups)
        self.countable: int = listed.exact_count + remembered
        """The number of origins that are listed, or that look-ups may remember."""

    def time_predicates(self, record: Recorder) -> None:
        """Record each call of a predicate from now on. Calling this again changes nothing."""
        self.predicates = [
            each if isinstance(each, TimedPredicate) else TimedPredicate(each, record)
            for each in self.predicates
        ]

    def match(self, origin: str) -> Reason | None:
        """Return ALLOWED, ORIGIN_INVALID or ORIGIN_NOT_ALLOWED; None if the predicates decide."""
        if len(origin) > MAX_LENGTH:  # not worth hashing
            return Reason.ORIGIN_INVALID
        if self.listed.has_exact(origin):
            return Reason.ALLOWED
        try:
            parsed = Origin.parse(origin)
        except OriginError:
            return Reason.ORIGIN_INVALID
        if self.listed.has_pattern(parsed):
            return Reason.ALLOWED
        if parsed.opaque:
            return Reason.ORIGIN_NOT_ALLOWED
        is_refused = self.refuses_plain_http(parsed)
        regexes = self._insecure_regexes if is_refused else self._regexes
        if regexes and any(fullmatch(origin) for fullmatch in regexes):
            return Reason.ALLOWED
        return None if self.predicates and not is_refused else Reason.ORIGIN_NOT_ALLOWED

    def refuses_plain_http(self, origin: Origin) -> bool:
        """Return True if origin is plain http, which nothing but a flag allows here."""
        return self._secure_only and is_insecure(origin)

    def may_match(self, origin: str) -> bool:
        """Return True if a regular expression matches origin, or a predicate could."""
        return bool(self.predicates) or any(fullmatch(origin) for fullmatch in self._regexes)
