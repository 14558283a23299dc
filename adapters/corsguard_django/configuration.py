"""The guard that settings.CORSGUARD and the views of the root URLconf configure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from django.conf import settings

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.errors import NO_POLICY
from corsguard.guard.arguments import build_configured_guard
from corsguard.guard.policy_list import iter_placed
from corsguard.guard.route_table import list_sourced
from corsguard.policy.suggestion_formats import as_item
from corsguard.policy.validation import VALIDATORS
from corsguard_django.urlconf import iter_view_policies
from corsguard_django.views import Views

__all__ = [
    "SETTING",
    "as_setting",
    "is_built",
    "is_shadow",
    "iter_guard_policies",
    "iter_policies",
    "load_guard",
    "load_views",
    "name_route",
]

SETTING = "CORSGUARD"


def load_views() -> Views:
    """Return the guard of the settings, and the views that have their own policies.

    Raises PolicyError with every problem of the settings, or else with every problem of the views.
    Without any policy that is the problem `no-policy`.
    """
    try:
        guard = load_guard()
    except PolicyError as error:
        raise PolicyError(map(as_setting, error.problems)) from None
    views = Views(guard)
    views.in_urlconf(None)
    has_view_policy = any(policy for _, policy in iter_view_policies())
    if not (guard.policies or guard.enforce or has_view_policy):
        raise PolicyError([as_setting(NO_POLICY)])
    return views


def iter_policies(guard: Guard) -> Iterator[tuple[str, Policy | None]]:
    """Yield every policy of a guard and of the root URLconf's views, after its place.

    A place is a setting or a view in words, such as `CORSGUARD.routes."/api"`. The policy is None
    for a route or view without CORS.
    """
    yield from iter_guard_policies(guard)
    for pattern, given in iter_view_policies():
        for policy, place in list_sourced(given, f'view "{pattern}"'):
            yield place, policy


def iter_guard_policies(guard: Guard) -> Iterator[tuple[str, Policy | None]]:
    """Yield every policy of a guard, without those of views, after its place."""
    policies = guard.policies
    if policies is not None and not isinstance(policies, Mapping):
        yield from iter_placed(SETTING, policies)
        return
    for prefix, given in (policies or {}).items():
        for policy, place in list_sourced(given, name_route(prefix)):
            yield place, policy


def name_route(prefix: str) -> str:
    """Return the place where the policy of a route prefix is configured, in words."""
    return f'{SETTING}.routes."{prefix}"'


def load_guard() -> Guard:
    """Return the guard of settings.CORSGUARD: a mapping, a Policy, a list of policies, or a Guard.

    Without that setting the guard has only the policies of views. Raises PolicyError.
    """
    given = getattr(settings, "CORSGUARD", None)
    if given is None:
        return Guard(None)
    return build_configured_guard(given, "CORSGUARD")


def is_built(guard: Guard) -> bool:
    """Return True if a guard was built from the settings, and is not itself the setting."""
    return guard is not getattr(settings, "CORSGUARD", None)


def is_shadow() -> bool:
    """Return True if settings.CORSGUARD only compares, beside the CORS layer that answers."""
    given = getattr(settings, SETTING, None)
    if isinstance(given, Guard):
        return given.shadow
    return isinstance(given, Mapping) and given.get("shadow") is True


def as_setting(problem: Problem) -> Problem:
    """Return a problem with its suggestion written as a dict, like the setting."""
    problem = as_item(problem)
    suggestion = _POLICY.sub(r"{\1}", problem.suggestion)
    suggestion = _KEYWORD.sub(r'"\1": ', suggestion)
    if suggestion.startswith("give a policy, such as"):
        suggestion = suggestion.replace("such as ", f"such as {SETTING} = ")
    return problem._replace(suggestion=suggestion)


_POLICY = re.compile(r"\bPolicy\(([^()]*)\)")
_KEYWORD = re.compile(
    rf"\b({'|'.join((*VALIDATORS, 'enforce', 'enforce_exempt', 'own_origins', 'shadow'))})="
)
