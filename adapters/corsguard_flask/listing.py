"""The URL rules of an application, each with the policies that may apply to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from corsguard import Guard, Policy
from corsguard.guard.route_table import RouteRow
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.views import view_of

__all__ = ["placed", "rows_of"]

_EVERYWHERE = "every path"
_IMPLIED = {"HEAD", "OPTIONS"}
_OF_ONE_SEGMENT = re.compile(r"<(?:(?:string|int|float|uuid)(?:\([^)]*\))?:)?\w+>")
"""A variable whose values have no slash; any other one may have some."""

_Held = tuple[Policy | None, str]
"""A policy, and where it comes from."""


def rows_of(app: Flask, middleware: FlaskMiddleware) -> list[RouteRow]:
    """Return a row for each URL rule and each policy that may apply to some of its methods."""
    return [row for rule in app.url_map.iter_rules() for row in _rows(app, middleware, rule)]


def placed(guard: Guard) -> Iterator[tuple[str, Policy]]:
    """Yield the words for the place of each policy of a guard, and the policy."""
    for prefix, policy in _by_prefix(guard).items():
        if policy is not None:
            yield _route(prefix), policy


def _by_prefix(guard: Guard) -> dict[str, Policy | None]:
    policies = guard.policies
    return {"": policies} if policies is None or isinstance(policies, Policy) else dict(policies)


def _route(prefix: str) -> str:
    return f'route "{prefix}"' if prefix else _EVERYWHERE


def _rows(app: Flask, middleware: FlaskMiddleware, rule: Rule) -> Iterator[RouteRow]:
    views = middleware.read_views()
    by_policy: list[tuple[_Held, list[str]]] = []
    methods: set[str] = rule.methods or set()
    # Without methods, a rule takes any, and so has but one row.
    for method in sorted(methods - _IMPLIED or methods) or [""]:
        view = view_of(views, rule.endpoint, method)
        of_path = [] if view else _by_path(middleware.guard, rule)
        for held in [(view.policy, view.holder)] if view else of_path:
            listed = next((listed for known, listed in by_policy if known == held), None)
            if listed is None:
                by_policy.append((held, [method]))
            else:
                listed.append(method)
    domain = rule.host if app.url_map.host_matching else rule.subdomain
    url = f"{domain}|{rule.rule}" if domain else rule.rule
    for (policy, source), listed in by_policy:
        yield RouteRow(tuple(filter(None, listed)), url, policy, source)


def _by_path(guard: Guard, rule: Rule) -> list[_Held]:
    """Return the policy of a rule's path; several where that depends on its variables."""
    policies = _by_prefix(guard)
    if "" in policies:
        return [(policies[""], _EVERYWHERE)]
    covering = [prefix for prefix in policies if _covers(prefix, rule.rule)]
    nearest = max(covering, key=len, default=None)
    found: list[_Held]
    found = [(None, "no route")] if nearest is None else [(policies[nearest], _route(nearest))]
    others = [each for each in policies if each not in covering and _may_cover(each, rule.rule)]
    if others:
        found += [(policies[each], _route(each)) for each in others]
        return [(policy, f"{source} (depends on the path)") for policy, source in found]
    return found


def _covers(prefix: str, path: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{prefix.rstrip('/')}/")


def _may_cover(prefix: str, rule: str) -> bool:
    """Return True if some values of a rule's variables lead to a path below prefix."""
    segments = rule.rstrip("/").split("/")
    wanted = prefix.rstrip("/").split("/")
    for segment, literal in zip(segments, wanted, strict=False):
        if "<" in _OF_ONE_SEGMENT.sub("", segment):
            return True
        if segment != literal and "<" not in segment:
            return False
    return len(segments) >= len(wanted)
