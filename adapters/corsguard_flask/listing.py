"""The URL rules of an application, each with the policies that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flask import Flask
from werkzeug.routing import Rule

from corsguard import Guard, Policy
from corsguard.guard.policy_list import PolicyOrList, iter_placed
from corsguard.guard.route_table import RouteRow, SourcedPolicy, list_sourced
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.view_policies import get_view

__all__ = ["placed", "rows_of"]

_EVERYWHERE = "every path"
_IMPLIED = {"HEAD", "OPTIONS"}
_ONE_SEGMENT = re.compile(r"<(?:(?:string|int|float|uuid)(?:\([^)]*\))?:)?\w+>")
"""A variable of a URL rule whose values contain no slash; those of other converters may."""


def rows_of(app: Flask, middleware: FlaskMiddleware) -> list[RouteRow]:
    """Return a row for each URL rule and each policy that may apply to some of its methods."""
    return [row for rule in app.url_map.iter_rules() for row in _iter_rows(app, middleware, rule)]


def placed(guard: Guard) -> Iterator[tuple[str, Policy]]:
    """Yield where each policy of a guard is configured, and the policy."""
    for prefix, given in _map_prefixes(guard).items():
        yield from iter_placed(_describe_route(prefix), given)


def _map_prefixes(guard: Guard) -> Mapping[str, PolicyOrList | None]:
    policies = guard.policies
    return policies if isinstance(policies, Mapping) else {"": policies}


def _describe_route(prefix: str) -> str:
    return f'route "{prefix}"' if prefix else _EVERYWHERE


def _iter_rows(app: Flask, middleware: FlaskMiddleware, rule: Rule) -> Iterator[RouteRow]:
    views = middleware.read_views()
    by_policy: list[tuple[SourcedPolicy, list[str]]] = []
    methods: set[str] = rule.methods or set()
    # A rule without methods takes any method, and has one row.
    for method in sorted(methods - _IMPLIED or methods) or [""]:
        view = get_view(views, rule.endpoint, method)
        of_path = [] if view else _list_path_policies(middleware.guard, rule)
        for each in list_sourced(view.policy, view.holder) if view else of_path:
            listed = next((listed for other, listed in by_policy if other == each), None)
            if listed is None:
                by_policy.append((each, [method]))
            else:
                listed.append(method)
    domain = rule.host if app.url_map.host_matching else rule.subdomain
    url = f"{domain}|{rule.rule}" if domain else rule.rule
    for (policy, source), listed in by_policy:
        yield RouteRow(tuple(filter(None, listed)), url, policy, source)


def _list_path_policies(guard: Guard, rule: Rule) -> list[SourcedPolicy]:
    """Return the policy of a rule's path, or several if it depends on the rule's variables."""
    policies = _map_prefixes(guard)
    if "" in policies:
        return list_sourced(policies[""], _EVERYWHERE)
    applying = [prefix for prefix in policies if _applies(prefix, rule.rule)]
    longest = max(applying, key=len, default=None)
    found: list[SourcedPolicy]
    found = (
        [(None, "no route")]
        if longest is None
        else list_sourced(policies[longest], _describe_route(longest))
    )
    others = [each for each in policies if each not in applying and _may_apply(each, rule.rule)]
    if others:
        for each in others:
            found += list_sourced(policies[each], _describe_route(each))
        return [(policy, f"{source} (depends on the path)") for policy, source in found]
    return found


def _applies(prefix: str, path: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")


def _may_apply(prefix: str, rule: str) -> bool:
    """Return True if the path is below prefix for some values of a rule's variables."""
    segments = rule.rstrip("/").split("/")
    wanted = prefix.rstrip("/").split("/")
    for segment, literal in zip(segments, wanted, strict=False):
        if "<" in _ONE_SEGMENT.sub("", segment):
            return True
        if segment != literal and "<" not in segment:
            return False
    return len(segments) >= len(wanted)
