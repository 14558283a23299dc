"""The rows of a route in the table of routes: one for each policy that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from corsguard.guard.guard import Guard
from corsguard.guard.policy_list import PolicyOrList, iter_placed
from corsguard.guard.route_table import RouteRow, SourcedPolicy, list_sourced
from corsguard.policy import Policy

__all__ = [
    "RuleSyntax",
    "build_rows",
    "describe_route",
    "list_path_policies",
    "list_placed",
    "map_prefixes",
]

_EVERYWHERE = "every path"
_IMPLIED = {"HEAD", "OPTIONS"}


class RuleSyntax(NamedTuple):
    """How a framework writes the variables of a URL rule."""

    opening: str
    """The character that begins a variable."""
    one_segment: re.Pattern[str]
    """A variable whose values contain no slash; those of others may."""


def build_rows(
    url: str, methods: Iterable[str], list_policies: Callable[[str], Iterable[SourcedPolicy]]
) -> Iterator[RouteRow]:
    """Yield a row for each policy that may apply to some methods of a URL.

    `list_policies` returns those of one method. Without methods the URL takes any,
    which is "" there.
    """
    by_policy: list[tuple[SourcedPolicy, list[str]]] = []
    methods = set(methods)
    for method in sorted(methods - _IMPLIED or methods) or [""]:
        for each in list_policies(method):
            listed = next((listed for other, listed in by_policy if other == each), None)
            if listed is None:
                by_policy.append((each, [method]))
            else:
                listed.append(method)
    for (policy, source), listed in by_policy:
        yield RouteRow(tuple(filter(None, listed)), url, policy, source)


def list_placed(guard: Guard) -> Iterator[tuple[str, Policy]]:
    """Yield where each policy of a guard is configured, and the policy."""
    for prefix, given in map_prefixes(guard).items():
        yield from iter_placed(describe_route(prefix), given)


def list_path_policies(guard: Guard, rule: str, syntax: RuleSyntax) -> Sequence[SourcedPolicy]:
    """Return the policy of a rule's path, or several if it depends on the rule's variables."""
    policies = map_prefixes(guard)
    if "" in policies:
        return list_sourced(policies[""], _EVERYWHERE)
    applying = [prefix for prefix in policies if _applies(prefix, rule)]
    longest = max(applying, key=len, default=None)
    found: list[SourcedPolicy] = [(None, "no route")]
    if longest is not None:
        found = list_sourced(policies[longest], describe_route(longest))
    rest = (each for each in policies if each not in applying)
    others = [each for each in rest if _may_apply(each, rule, syntax)]
    if others:
        for each in others:
            found += list_sourced(policies[each], describe_route(each))
        return [(policy, f"{source} (depends on the path)") for policy, source in found]
    return found


def map_prefixes(guard: Guard) -> Mapping[str, PolicyOrList | None]:
    """Return route prefix -> its policies; the prefix is empty where they apply to every path."""
    policies = guard.policies
    return policies if isinstance(policies, Mapping) else {"": policies}


def describe_route(prefix: str) -> str:
    """Return a route in words, every path for an empty prefix."""
    return f'route "{prefix}"' if prefix else _EVERYWHERE


def _applies(prefix: str, path: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")


def _may_apply(prefix: str, rule: str, syntax: RuleSyntax) -> bool:
    """Return True if the path is below prefix for some values of a rule's variables."""
    segments = rule.rstrip("/").split("/")
    wanted = prefix.rstrip("/").split("/")
    for segment, literal in zip(segments, wanted, strict=False):
        if syntax.opening in syntax.one_segment.sub("", segment):
            return True
        if segment != literal and syntax.opening not in segment:
            return False
    return len(segments) >= len(wanted)
