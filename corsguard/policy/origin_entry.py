"""An entry of `allow_origins`, with the checks that are lifted from it."""

from __future__ import annotations

from re import Pattern
from typing import NamedTuple

from corsguard.policy.predicates import Predicate

__all__ = ["FLAGS_OF_ENTRIES", "FlaggedEntry", "OriginEntry", "dangerous", "unwrap", "wrap"]

BareEntry = str | Pattern[str] | Predicate
"""An origin or a pattern, a regular expression, or a callable."""

FLAGS_OF_ENTRIES = {
    "insecure": "dangerously_allow_insecure_origins",
    "public-suffix": "dangerously_allow_public_suffixes",
    "null": "dangerously_allow_null_origin",
}
"""The flag of an entry -> the field of a policy that lifts the same check from all entries."""


class FlaggedEntry(NamedTuple):
    """An entry of `allow_origins` from which checks are lifted."""

    origin: BareEntry
    flags: frozenset[str] = frozenset()
    """Some of `insecure`, `public-suffix` and `null`."""

    def __repr__(self) -> str:
        return f"dangerous({', '.join(map(repr, (self.origin, *sorted(self.flags))))})"

    def __str__(self) -> str:
        return f"{self.origin} (dangerously: {', '.join(sorted(self.flags))})"


OriginEntry = BareEntry | FlaggedEntry
"""An entry of `allow_origins`."""


def dangerous(origin: BareEntry, *flags: str) -> FlaggedEntry:
    """Return an entry of `allow_origins` from which the checks that flags name are lifted.

    `insecure` allows plain http, `public-suffix` names that anyone can register, and `null` the
    origins that are not one. Each does for this entry what the field `dangerously_...` of Policy
    does for all of them. A callable takes no flags. Policy validates the entry.
    """
    # Validated with the policy, whatever their types are.
    return FlaggedEntry(
        origin, frozenset(each if isinstance(each, str) else repr(each) for each in flags)
    )


def unwrap(entry: OriginEntry) -> BareEntry:
    """Return an entry without its flags."""
    return entry.origin if isinstance(entry, FlaggedEntry) else entry


def wrap(entry: OriginEntry) -> FlaggedEntry:
    """Return an entry with its flags, which most have none of."""
    return entry if isinstance(entry, FlaggedEntry) else FlaggedEntry(entry)
