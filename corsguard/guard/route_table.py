"""The routes of an application beside the policies that apply to them.

`flask cors check` and Django's system checks report where the two do not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from corsguard.errors import Problem
from corsguard.fetch_spec import SAFELISTED_METHODS
from corsguard.guard.policy_list import PolicyOrList, iter_placed
from corsguard.policy import Policy

__all__ = ["RouteRow", "SourcedPolicy", "compare_routes", "list_sourced"]

_ALWAYS_ALLOWED = frozenset({*SAFELISTED_METHODS, "OPTIONS"})
"""Methods without an entry in `allow_methods`: safelisted ones, and that of preflights."""
_ANY_METHOD = ""
_MOST_PLACES = 3


SourcedPolicy = tuple[Policy | None, str]
"""A policy, None for no CORS, and where it is configured in words."""


class RouteRow(NamedTuple):
    """A URL of an application, and a policy that applies to some of its methods.

    A URL has one row for each policy that may apply to it.
    """

    methods: tuple[str, ...]
    """In upper case; empty where the route takes any method."""
    url: str
    """The URL or its pattern, as the framework writes it."""
    policy: Policy | None
    """None for no CORS."""
    source: str
    """Where the policy is configured, for a message: `route "/api"`, `the view items`."""


class _PolicyUse(NamedTuple):
    """A policy, where it is configured, and which methods its routes take."""

    policy: Policy
    places: dict[str, None]
    methods: set[str]


def list_sourced(given: PolicyOrList | None, source: str) -> list[SourcedPolicy]:
    """Return a policy with its source, or each policy of a list with its own, or no CORS."""
    placed = [(policy, place) for place, policy in iter_placed(source, given)]
    return [*placed] or [(None, source)]


def compare_routes(
    rows: Iterable[RouteRow], placed: Iterable[tuple[str, Policy]] = ()
) -> list[Problem]:
    """Return a warning for each route and policy that do not fit each other.

    `route-method-not-allowed` is a route with a method that none of its policies allows. A route
    without CORS is a decision, so it is not reported. `method-not-routed` is a policy that allows
    a method that none of its routes takes.

    `placed` yields (place, policy) for the policies that may have no route at all; the place is the
    text that names the policy in a message.
    """
    rows = list(rows)
    return [*_find_methods_not_allowed(rows), *_find_methods_not_routed(rows, placed)]


def _find_methods_not_allowed(rows: Iterable[RouteRow]) -> Iterator[Problem]:
    by_url: dict[str, list[RouteRow]] = {}
    for row in rows:
        if row.policy is not None:
            by_url.setdefault(row.url, []).append(row)
    for url, found in by_url.items():
        allowed = {method for row in found for method in row.methods if _allows(row, method)}
        for row in found:
            missing = [method for method in row.methods if method not in allowed]
            if missing:
                yield _build_not_allowed_problem(url, row, missing)
                allowed.update(missing)  # reported once


def _allows(row: RouteRow, method: str) -> bool:
    allowed = row.policy.allow_methods if row.policy else ()
    return method in _ALWAYS_ALLOWED or "*" in allowed or method in allowed


def _build_not_allowed_problem(url: str, row: RouteRow, missing: Sequence[str]) -> Problem:
    names = ", ".join(missing)
    message = f"the policy from {row.source} does not allow {names}, so no page may send it"
    allowed = row.policy.allow_methods if row.policy else ()
    suggestion = f"{_format_field([*allowed, *missing])}, if pages of other origins need it"
    return Problem("route-method-not-allowed", f'route "{url}"', names, message, suggestion)


def _find_methods_not_routed(
    rows: Iterable[RouteRow], placed: Iterable[tuple[str, Policy]]
) -> Iterator[Problem]:
    for policy, places, methods in _group_by_policy(rows, placed):
        routed = _ALWAYS_ALLOWED | methods | {"*"}
        unused = [name for name in policy.allow_methods if name not in routed]
        if _ANY_METHOD in methods or not unused:
            continue
        names = ", ".join(unused)
        message = f"allows {names}, but none of its routes takes that method"
        used = [name for name in policy.allow_methods if name not in unused]
        suggestion = _format_field(used) if used else "remove allow_methods"
        field = f"policy from {_join_places(places)}"
        yield Problem("method-not-routed", field, names, message, suggestion)


def _join_places(places: Collection[str]) -> str:
    shown = list(places)[:_MOST_PLACES]
    more = len(places) - len(shown)
    return " and ".join([*shown, *([f"{more} more"] if more else [])])


def _group_by_policy(
    rows: Iterable[RouteRow], placed: Iterable[tuple[str, Policy]]
) -> list[_PolicyUse]:
    """Group rows by policy. Equal policies are one, as in the table of routes."""
    groups: list[_PolicyUse] = []

    def find_group(policy: Policy) -> _PolicyUse:
        # A callable of a policy need not be hashable, so there is no dict of policies.
        for group in groups:
            if group.policy == policy:
                return group
        groups.append(_PolicyUse(policy, {}, set()))
        return groups[-1]

    for row in rows:
        if row.policy is not None:
            group = find_group(row.policy)
            group.places[row.source] = None
            group.methods.update(row.methods or {_ANY_METHOD})
    for place, policy in placed:
        find_group(policy).places.setdefault(place)
    return groups


def _format_field(methods: Iterable[str]) -> str:
    listed = ", ".join(f'"{method}"' for method in methods)
    return f"allow_methods=[{listed}]"
