"""The guard that settings.CORSGUARD and the views of the root URLconf ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.conf import settings

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.errors import NO_POLICY
from corsguard.policy.suggestion_forms import as_item
from corsguard.policy.validation import VALIDATORS
from corsguard_django.urlconf import iter_view_policies
from corsguard_django.views import Views

__all__ = [
    "SETTING",
    "as_setting",
    "iter_guard_policies",
    "iter_policies",
    "load_guard",
    "load_views",
    "name_route",
]

SETTING = "CORSGUARD"


def load_views() -> Views:
    """The guard that the settings ask for, and the views that have policies of their own.

    Raises PolicyError: with every problem of the settings, or else with every one of the views.
    """
    try:
        guard = load_guard()
    except PolicyError as error:
        raise PolicyError(map(as_setting, error.problems)) from None
    views = Views(guard)
    views.in_urlconf(None)
    somewhere = guard.policies or guard.enforce or any(policy for _, policy in iter_view_policies())
    if not somewhere:
        raise PolicyError([as_setting(NO_POLICY)])
    return views


def iter_policies(guard: Guard) -> Iterator[tuple[str, Policy | None]]:
    """Every policy of a guard and of the root URLconf's views, and where it stands."""
    yield from iter_guard_policies(guard)
    for pattern, policy in iter_view_policies():
        yield f'view "{pattern}"', policy


def iter_guard_policies(guard: Guard) -> Iterator[tuple[str, Policy | None]]:
    """Every policy of a guard alone, and where it stands."""
    policies = guard.policies
    if isinstance(policies, Policy):
        yield SETTING, policies
    else:
        for prefix, policy in (policies or {}).items():
            yield name_route(prefix), policy


def name_route(prefix: str) -> str:
    """Return where the policy of a route prefix is configured."""
    return f'{SETTING}.routes."{prefix}"'


def load_guard() -> Guard:
    """The guard of settings.CORSGUARD: a mapping in the one shape, a Policy or a Guard.

    Without that setting, a guard that has no policy but those of views. Raises PolicyError.
    """
    given = getattr(settings, "CORSGUARD", None)
    if given is None:
        return Guard(None)
    return Guard.configured(given, "CORSGUARD")


def as_setting(problem: Problem) -> Problem:
    """Return a problem of the setting as the setting is written, as a dict."""
    problem = as_item(problem)
    suggestion = _POLICY.sub(r"{\1}", problem.suggestion)
    suggestion = _KEYWORD.sub(r'"\1": ', suggestion)
    if suggestion.startswith("give a policy, such as"):
        suggestion = suggestion.replace("such as ", f"such as {SETTING} = ")
    return problem._replace(suggestion=suggestion)


_POLICY = re.compile(r"\bPolicy\(([^()]*)\)")
_KEYWORD = re.compile(
    rf"\b({'|'.join((*VALIDATORS, 'enforce', 'enforce_exempt', 'own_origins'))})="
)
