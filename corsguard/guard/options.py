"""The policies and options of a guard in the form in which they are given, and their validation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from corsguard.engine.csrf import Enforce
from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.guard.policy_list import (
    POLICY_FORMS,
    PlacedPolicy,
    PolicyOrList,
    freeze_list,
    is_list,
    iter_placed,
    reject_list,
)
from corsguard.guard.routes import Routes, validate_prefixes
from corsguard.policy import Policy
from corsguard.policy.origin_validation import accept_option, validate_own_origins
from corsguard.policy.problem_collector import ProblemCollector, validate_strings
from corsguard.policy.safety import find_exposure
from corsguard.policy.unknown_fields import is_table_of_fields

__all__ = [
    "EVERYWHERE",
    "Options",
    "PlacedViewPolicy",
    "Policies",
    "PolicyTable",
    "find_guarded",
    "find_shadow_problems",
    "list_by_prefix",
    "name_place",
    "validate_options",
]

Policies = PolicyOrList | Mapping[str, PolicyOrList | None] | None
"""One policy or list of policies for every path, or policies by route prefix, or none."""
PolicyTable = dict[str, PolicyOrList | None]
"""Route prefix -> policy or tuple of policies, None for no CORS there."""
PlacedViewPolicy = tuple[str, PolicyOrList]
"""Where the policy of a view, or its list of policies, is configured, and that policy."""

EVERYWHERE = ""
"""The prefix of a policy that applies to every path, whatever the path looks like."""


class Options(NamedTuple):
    """The options of a guard, as they were given."""

    enforce: Enforce = False
    enforce_exempt: Iterable[str] = ()
    own_origins: Iterable[str] = ()


def validate_options(
    policies: Policies,
    table: PolicyTable,
    options: Options,
    views: Collection[PlacedViewPolicy],
) -> tuple[Options, Routes[None]]:
    """Return the options in the form in which they are kept, and the table of the exempt prefixes.

    Raises PolicyError with every problem of the options and of the table of policies.
    """
    found = ProblemCollector(accept_option)
    if not (options.enforce is True or options.enforce is False or options.enforce == "report"):
        found.problems.append(_reject_enforce(options.enforce))
    enforce_exempt = validate_strings(found, "enforce_exempt", options.enforce_exempt)
    found.problems.extend(validate_prefixes("enforce_exempt", enforce_exempt))
    own_origins = validate_own_origins(found, "own_origins", options.own_origins)
    exempt: Routes[None] = Routes(dict.fromkeys(enforce_exempt))
    if isinstance(policies, Mapping) and is_table_of_fields(table, (Policy,)):
        message = f"{show_value(policies)} is a table of fields, not of policies by path prefix"
        found.add("type-invalid", "policy", policies, message, POLICY_FORMS)
        table = {}
    if isinstance(policies, Mapping):
        found.problems.extend(validate_prefixes("routes", table))
    found.problems.extend(_reject_other_types(table))
    if options.enforce:
        found.problems.extend(_reject_unenforceable(find_guarded(table, exempt)))
        for view, given in views:
            for place, policy in iter_placed(view, given):
                found.problems.extend(problem.within(place) for problem in find_exposure(policy))
    if found.problems:
        raise PolicyError(found.problems)
    return Options(options.enforce, enforce_exempt, own_origins), exempt


def find_shadow_problems(shadow: object) -> list[Problem]:
    """Return the problem of a value of `shadow` that is not a bool."""
    if isinstance(shadow, bool):
        return []
    message = f"{show_value(shadow)} is not a bool"
    return [Problem("type-invalid", "shadow", shadow, message, "True or False")]


def _reject_enforce(enforce: object) -> Problem:
    message = f"{show_value(enforce)} is neither a bool nor 'report'"
    meant = show_value(enforce, str).strip().lower()
    suggestion = "True, False or 'report'"
    if meant == "report":
        suggestion = "'report'"
    elif meant in {"true", "1", "yes", "on", "false", "0", "no", "off", "none", ""}:
        suggestion = str(meant in {"true", "1", "yes", "on"})
    return Problem("type-invalid", "enforce", enforce, message, suggestion)


def list_by_prefix(policies: Policies) -> PolicyTable:
    """Return the policies by route prefix. The prefix of those for every path is EVERYWHERE."""
    if isinstance(policies, Mapping):  # the caller may change theirs
        return {prefix: freeze_list(policy) for prefix, policy in policies.items()}
    return {} if policies is None else {EVERYWHERE: freeze_list(policies)}


def name_place(prefix: str) -> str:
    """Return the place of a route's policy, as a problem names it; empty for every path."""
    return f'routes."{show_value(prefix, str)}"' if prefix else ""


def _reject_other_types(table: Mapping[str, object]) -> Iterator[Problem]:
    """Yield a problem for each value that is neither a Policy, a list of policies, nor None."""
    for prefix, policy in table.items():
        if is_list(policy):
            yield from reject_list(name_place(prefix), policy)
        elif policy is not None and not isinstance(policy, Policy):
            message = f"{show_value(policy)} is not a Policy"
            suggestion = "None" if prefix and policy is False else POLICY_FORMS
            place = name_place(prefix) or "policy"
            yield Problem("type-invalid", place, policy, message, suggestion)


def find_guarded(table: PolicyTable, exempt: Routes[None]) -> list[PlacedPolicy]:
    """Return the policies on the routes that are not exempt; other types are reported already."""
    return [
        (place, policy)
        for prefix, given in table.items()
        if (isinstance(given, Policy) or is_list(given)) and isinstance(prefix, str)
        if not (prefix and exempt.find(prefix))
        for place, policy in iter_placed(name_place(prefix), given)
        if isinstance(policy, Policy)
    ]


def _reject_unenforceable(guarded: Iterable[PlacedPolicy]) -> Iterator[Problem]:
    """Yield a problem for what must not be in a policy under `enforce`."""
    for place, policy in guarded:
        if policy.allow_list.is_any:
            yield Problem(
                "enforce-with-wildcard",
                "allow_origins",
                "*",
                "`*` lets every site do everything, which leaves nothing to enforce",
                "list the origins, or exempt the path",
            ).within(place)
        if not policy.allow_credentials:  # with credentials, these have been checked
            yield from (problem.within(place) for problem in find_exposure(policy))
