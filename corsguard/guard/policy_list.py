"""Lists of policies at one place, of which the first that covers an origin decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard, TypeVar

from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.policy import Policy

__all__ = [
    "POLICY_FORMS",
    "PlacedPolicy",
    "PolicyOrList",
    "find_unreachable_policies",
    "freeze_list",
    "freeze_policy",
    "is_list",
    "iter_placed",
    "list_policies",
    "name_entry",
    "reject_entry",
    "reject_list",
]

PolicyOrList = Policy | Sequence[Policy]
"""One policy, or a list of several, of which the first that covers an origin decides."""
PlacedPolicy = tuple[str, Policy]
"""Where a policy is configured, as a problem names it, and the policy."""

POLICY_FORMS = "Policy(allow_origins=[...]), or Guard.from_mapping for a table of fields"
_EVERYWHERE = "policies"
"""The place of a list for every path: the parameter of Guard."""

Value = TypeVar("Value")


def is_list(given: object) -> TypeGuard[Sequence[Policy]]:
    """Return True for a list of policies. Its items may be of other types, but not all are str."""
    if not isinstance(given, (list, tuple)):
        return False
    return not given or not all(isinstance(entry, str) for entry in given)


def freeze_list(given: Value) -> Value | tuple[Policy, ...]:
    """Return a list of policies as a tuple, which can't change, and anything else as it is."""
    return tuple(given) if is_list(given) else given


def freeze_policy(given: PolicyOrList) -> PolicyOrList:
    """Return a policy, or a list as a tuple. Raises PolicyError if the list is not valid."""
    problems = list(reject_list("", given)) if is_list(given) else []
    if problems:
        raise PolicyError(problems)
    return freeze_list(given)


def list_policies(given: PolicyOrList | None) -> tuple[Policy, ...]:
    """Return the policies at a place, in order; none for no CORS."""
    if given is None:
        return ()
    return (given,) if isinstance(given, Policy) else tuple(given)


def name_entry(place: str, index: int) -> str:
    """Return the place of an entry of a list: `routes."/"[1]`."""
    return f"{place or _EVERYWHERE}[{index}]"


def iter_placed(place: str, given: PolicyOrList | None) -> Iterator[PlacedPolicy]:
    """Yield each policy of a place, and where it is configured."""
    if isinstance(given, Policy):
        yield place, given
        return
    for index, policy in enumerate(list_policies(given)):
        yield name_entry(place, index), policy


def reject_list(place: str, given: Sequence[object]) -> Iterator[Problem]:
    """Yield the problems of a list: that it is empty, those of its items, and of their order."""
    if not given:
        message = "the list is empty, so it has no policy"
        suggestion = "list a policy; for no CORS, write None, or false in a file, and no list"
        yield Problem("type-invalid", place or _EVERYWHERE, given, message, suggestion)
    for index, entry in enumerate(given):
        if not isinstance(entry, Policy):
            yield reject_entry(name_entry(place, index), entry)
    yield from find_unreachable_policies(place, given)


def reject_entry(place: str, entry: object, forms: str = POLICY_FORMS) -> Problem:
    """Return the problem of an item of a list that is not a policy. `forms` are those of one."""
    if entry is None or entry is False:
        message = f"{entry} in a list is not a policy, and turns nothing off"
        suggestion = "remove it: an origin that no policy of the list covers is refused"
    elif is_list(entry):
        message = f"{show_value(entry)} is a list in a list of policies"
        suggestion = "put its policies into the outer list"
    else:
        message, suggestion = f"{show_value(entry)} is not a Policy", forms
    return Problem("type-invalid", place, entry, message, suggestion)


def find_unreachable_policies(place: str, given: Sequence[object]) -> Iterator[Problem]:
    """Yield a problem for each policy after one that lists `*`, which covers every origin."""
    covering = ""
    for index, policy in enumerate(given):
        if not isinstance(policy, Policy):
            continue
        if covering:
            yield Problem(
                "policy-unreachable",
                name_entry(place, index),
                None,
                f"no request reaches this policy: {covering} lists `*`, which covers every origin",
                "put the policy of `*` last, or remove this one",
            )
        elif policy.allow_list.is_any:
            covering = name_entry(place, index)
