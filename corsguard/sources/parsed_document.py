"""A document with all checks done, and the policies of one after changes of its sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from corsguard.errors import PolicyError, Problem
from corsguard.guard.config import Settings, read_text
from corsguard.guard.guard import Guard
from corsguard.guard.options import Policies
from corsguard.guard.policy_list import PolicyOrList
from corsguard.policy import Policy
from corsguard.policy.suggestion_formats import as_toml
from corsguard.policy.warning_filter import ignore_policy_warnings

if TYPE_CHECKING:
    from corsguard.guard.origin_sets import SetUse
    from corsguard.guard.snapshot import Snapshot
    from corsguard.sources.changes import SetChange

__all__ = ["ParsedDocument", "change_sets", "parse_document", "read_document"]


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
        settings = read_document(text)
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


def read_document(text: str) -> Settings:
    """Return the settings of a document, with the problems of its policies in them.

    Raises PolicyError for a text that is not TOML.
    """
    try:
        settings = read_text(text.encode("utf-8", "surrogatepass"), "document")
    except ValueError as error:
        suggestion = "correct the text, which `corsguard check` reads too"
        message = str(error).removeprefix("document: ")
        raise PolicyError(
            [Problem("document-invalid", "document", None, message, suggestion)]
        ) from None
    if settings.source is not None:
        message = "a document that is followed can't name the source to follow"
        problem = Problem("source-in-document", "source", None, message, "remove it")
        return settings._replace(problems=(*settings.problems, problem))
    return settings


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
