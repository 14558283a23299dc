"""The policies and options of a guard in the form in which they are given, and their validation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from corsguard.engine.csrf import Enforce
from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.guard.routes import Routes, validate_prefixes
from corsguard.policy import Policy
from corsguard.policy.safety import find_exposure
from corsguard.policy.unknown_fields import is_table_of_fields
from corsguard.policy.validation import (
    ProblemCollector,
    validate_own_origins,
    validate_strings,
)

__all__ = [
    "EVERYWHERE",
    "Options",
    "PlacedPolicy",
    "Policies",
    "find_guarded",
    "list_by_prefix",
    "name_place",
    "validate_options",
]

Policies = Policy | Mapping[str, Policy | None] | None
"""One policy for every path, or policies by route prefix, or none."""
PlacedPolicy = tuple[str, Policy]
"""Where a policy is configured, as a problem names it, and the policy."""

EVERYWHERE = ""
"""The prefix of a policy that applies to every path, whatever the path looks like."""
_POLICY_FORMS = "Policy(allow_origins=[...]), or Guard.from_mapping for a table of fields"


class Options(NamedTuple):
    """The options of a guard, as they were given."""

    enforce: Enforce = False
    enforce_exempt: Iterable[str] = ()
    own_origins: Iterable[str] = ()


def validate_options(
    policies: Policies,
    table: dict[str, Policy | None],
    options: Options,
    views: Collection[PlacedPolicy],
) -> tuple[Options, Routes[None]]:
    """Return the options in the form in which they are kept, and the table of the exempt prefixes.

    Raises PolicyError with every problem of the options and of the table of policies.
    """
    found = ProblemCollector()
    if not (options.enforce is True or options.enforce is False or options.enforce == "report"):
        found.problems.append(_reject_enforce(options.enforce))
    enforce_exempt = validate_strings(found, "enforce_exempt", options.enforce_exempt)
    found.problems.extend(validate_prefixes("enforce_exempt", enforce_exempt))
    own_origins = validate_own_origins(found, "own_origins", options.own_origins)
    exempt: Routes[None] = Routes(dict.fromkeys(enforce_exempt))
    if isinstance(policies, Mapping) and is_table_of_fields(table, (Policy,)):
        message = f"{show_value(policies)} is a table of fields, not of policies by path prefix"
        found.add("type-invalid", "policy", policies, message, _POLICY_FORMS)
        table = {}
    if isinstance(policies, Mapping):
        found.problems.extend(validate_prefixes("routes", table))
    found.problems.extend(_reject_other_types(table))
    if options.enforce:
        found.problems.extend(_reject_unenforceable(find_guarded(table, exempt)))
        for place, policy in views:
            found.problems.extend(problem.within(place) for problem in find_exposure(policy))
    if found.problems:
        raise PolicyError(found.problems)
    return Options(options.enforce, enforce_exempt, own_origins), exempt


def _reject_enforce(enforce: object) -> Problem:
    message = f"{show_value(enforce)} is neither a bool nor 'report'"
    meant = show_value(enforce, str).strip().lower()
    suggestion = "'report'" if meant == "report" else str(meant in {"true", "1", "yes", "on"})
    return Problem("type-invalid", "enforce", enforce, message, suggestion)


def list_by_prefix(policies: Policies) -> dict[str, Policy | None]:
    """Return the policies as route prefix -> Policy, or None for no CORS there."""
    if isinstance(policies, Mapping):
        return dict(policies)  # the caller may change theirs
    return {} if policies is None else {EVERYWHERE: policies}


def name_place(prefix: str) -> str:
    """Return the place of a route's policy, as a problem names it; empty for every path."""
    return f'routes."{show_value(prefix, str)}"' if prefix else ""


def _reject_other_types(table: Mapping[str, object]) -> Iterator[Problem]:
    """Yield a problem for each value that is neither a Policy nor None."""
    for prefix, policy in table.items():
        if policy is not None and not isinstance(policy, Policy):
            message = f"{show_value(policy)} is not a Policy"
            suggestion = "None" if prefix and policy is False else _POLICY_FORMS
            place = name_place(prefix) or "policy"
            yield Problem("type-invalid", place, policy, message, suggestion)


def find_guarded(table: Mapping[str, Policy | None], exempt: Routes[None]) -> dict[str, Policy]:
    """Return the policies on the routes that are not exempt; other types are reported already."""
    return {
        prefix: policy
        for prefix, policy in table.items()
        if isinstance(policy, Policy) and isinstance(prefix, str)
        if not (prefix and exempt.find(prefix))
    }


def _reject_unenforceable(guarded: Mapping[str, Policy]) -> Iterator[Problem]:
    """Yield a problem for what must not be in a policy under `enforce`."""
    for prefix, policy in guarded.items():
        if policy.allow_list.is_any:
            yield Problem(
                "enforce-with-wildcard",
                "allow_origins",
                "*",
                "`*` lets every site do everything, which leaves nothing to enforce",
                "list the origins, or exempt the path",
            ).within(name_place(prefix))
        if not policy.allow_credentials:  # with credentials, these have been checked
            yield from (problem.within(name_place(prefix)) for problem in find_exposure(policy))
