"""A document with all checks done, and the policies of one after changes of its sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from corsguard.errors import PolicyError, Problem
from corsguard.guard.config import Settings, parse_toml, read_mapping
from corsguard.guard.guard import Guard
from corsguard.guard.options import Policies
from corsguard.guard.origin_sets import read_set
from corsguard.guard.policy_list import PolicyOrList
from corsguard.policy import Policy
from corsguard.policy.suggestion_formats import as_toml
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard.sources.changes import SetChange

if TYPE_CHECKING:
    from corsguard.guard.origin_sets import SetUse
    from corsguard.guard.snapshot import Snapshot

__all__ = ["ParsedDocument", "ReadDocument", "change_sets", "parse_document", "read_document"]

_MAX_COMPARED = 300_000
"""Entries of a set that is compared with an earlier one. Comparing more would hold up requests."""


class ParsedDocument(NamedTuple):
    """A document that is valid."""

    settings: Settings
    guard: Guard
    candidate: Guard | None


def parse_document(text: str) -> ParsedDocument:
    """Return a document whose policies and options are valid, and those of its candidate.

    Raises PolicyError with every problem. Emits no warnings: they are in `guard.warnings`.
    """
    try:
        settings = read_document(text).settings
        compiled = settings.compile()
    except PolicyError as error:
        raise PolicyError(map(as_toml, error.problems)) from None
    candidate = None if compiled.candidate is None else _build_guard(compiled.candidate)
    return ParsedDocument(settings, _build_guard(compiled.snapshot), candidate)


def _build_guard(snapshot: Snapshot) -> Guard:
    with ignore_policy_warnings():  # the caller reads `guard.warnings`
        return Guard(
            snapshot.policies,
            enforce=snapshot.enforce,
            enforce_exempt=snapshot.enforce_exempt,
            own_origins=snapshot.own_origins,
        )


class ReadDocument(NamedTuple):
    """A document whose policies may have problems, which are in its settings."""

    settings: Settings
    rest: Mapping[str, object]
    """The document without its sets."""
    sets: Mapping[str, object]
    """Name of a set -> its value."""


def read_document(text: str, previous: ReadDocument | None = None) -> ReadDocument:
    """Read a document. What it shares with the sets of a previous one is not validated again.

    Raises PolicyError for a text that is not TOML.
    """
    try:
        mapping = parse_toml(text.encode("utf-8", "surrogatepass"), "document")
    except ValueError as error:
        suggestion = "correct the text, which `corsguard check` reads too"
        message = str(error).removeprefix("document: ")
        raise PolicyError(
            [Problem("document-invalid", "document", None, message, suggestion)]
        ) from None
    rest = {key: value for key, value in mapping.items() if key != "origin_sets"}
    sets = mapping.get("origin_sets")
    found = sets if isinstance(sets, Mapping) else {}
    if previous is not None and found is sets and rest == previous.rest:
        changes = _compare_sets(previous.sets, found)
        changed = None if changes is None else change_sets(previous.settings, changes)
        if changed is not None:
            return ReadDocument(changed, rest, found)
    settings = read_mapping(mapping)
    if settings.source is not None:
        message = "a document that is followed can't name the source to follow"
        problem = Problem("source-in-document", "source", None, message, "remove it")
        settings = settings._replace(problems=(*settings.problems, problem))
    if settings.shadow:
        message = "a document can't switch shadow mode on, which is an option of the adapter"
        problem = Problem("unknown-field", "shadow", None, message, "remove it")
        settings = settings._replace(problems=(*settings.problems, problem))
    return ReadDocument(settings, rest, found)


def _compare_sets(
    before: Mapping[str, object], after: Mapping[str, object]
) -> dict[str, SetChange] | None:
    """Return the changes between the sets of two documents; None if they are not worth it."""
    if before.keys() != after.keys():
        return None
    changes = {}
    for name, value in after.items():
        if value == before[name]:
            continue
        old, new = read_set(before[name]), read_set(value)
        if old is None or new is None or len(old) + len(new) > 2 * _MAX_COMPARED:
            return None
        if not all(isinstance(entry, str) for entry in new):
            return None
        there, wanted = set(old), set(new)
        add = tuple(str(entry) for entry in new if entry not in there)
        remove = tuple(str(entry) for entry in old if entry not in wanted)
        if len(add) + len(remove) > len(new) // 4:
            return None
        changes[name] = SetChange(add, remove)
    return changes


def change_sets(settings: Settings, changes: Mapping[str, SetChange]) -> Settings | None:
    """Return the settings after changes of sets of origins; None if the whole document is needed.

    Only what changes is validated. None also if that has a problem: the whole document says which.
    """
    if settings.candidate is not None or settings.problems:
        return None  # of policies with problems, some are left out
    policies = settings.policies
    for use in settings.set_uses:
        changed = [changes[name] for name in use.names if name in changes]
        if not changed:
            continue
        if len(use.names) > 1:  # an origin that is removed from one set may be in another
            return None
        try:
            policies = _replace_policy(policies, use, changed[0])
        except PolicyError:
            return None
    return settings._replace(policies=policies)


def _replace_policy(policies: Policies, use: SetUse, change: SetChange) -> Policies:
    """Return the policies with another one where `use` says. Raises PolicyError."""
    if isinstance(policies, Policy):
        return _change_policy(policies, use, change)
    table = dict(policies) if isinstance(policies, Mapping) else {}
    table[use.prefix] = _replace_entry(table[use.prefix], use, change)
    return table


def _replace_entry(given: PolicyOrList | None, use: SetUse, change: SetChange) -> PolicyOrList:
    if isinstance(given, Policy):
        return _change_policy(given, use, change)
    policies = list(given or ())
    at = use.position or 0
    policies[at] = _change_policy(policies[at], use, change)
    return tuple(policies)


def _change_policy(policy: Policy, use: SetUse, change: SetChange) -> Policy:
    remove = [origin for origin in change.remove if origin not in use.others]
    return policy.replace_origins(add=change.add, remove=remove)[0]
