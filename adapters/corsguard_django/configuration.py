"""The guard that settings.CORSGUARD and the views of the root URLconf ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.conf import settings

from corsguard import Guard, Policy, PolicyError, Problem
from corsguard.errors import NO_POLICY
from corsguard.guard.arguments import build_configured_guard
from corsguard.policy.suggestion_forms import as_item
from corsguard.policy.validation import VALIDATORS
from corsguard_django.views import Views
from corsguard_django.walk import decorated_in

__all__ = [
    "SETTING",
    "configured",
    "guard_of_settings",
    "in_settings",
    "of_settings",
    "place_of",
    "placed",
]

SETTING = "CORSGUARD"


def configured() -> Views:
    """The guard that the settings ask for, and the views that have policies of their own.

    Raises PolicyError: with every problem of the settings, or else with every one of the views.
    """
    try:
        guard = guard_of_settings()
    except PolicyError as error:
        raise PolicyError(map(in_settings, error.problems)) from None
    views = Views(guard)
    views.in_urlconf(None)
    somewhere = guard.policies or guard.enforce or any(policy for _, policy in decorated_in())
    if not somewhere:
        raise PolicyError([in_settings(NO_POLICY)])
    return views


def placed(guard: Guard) -> Iterator[tuple[str, Policy | None]]:
    """Every policy of a guard and of the root URLconf's views, and where it stands."""
    yield from of_settings(guard)
    for pattern, policy in decorated_in():
        yield f'view "{pattern}"', policy


def of_settings(guard: Guard) -> Iterator[tuple[str, Policy | None]]:
    """Every policy of a guard alone, and where it stands."""
    policies = guard.policies
    if isinstance(policies, Policy):
        yield SETTING, policies
    else:
        for prefix, policy in (policies or {}).items():
            yield place_of(prefix), policy


def place_of(prefix: str) -> str:
    """Return where the policy of a route prefix is configured."""
    return f'{SETTING}.routes."{prefix}"'


def guard_of_settings() -> Guard:
    """The guard of settings.CORSGUARD: a mapping in the one shape, a Policy or a Guard.

    Without that setting, a guard that has no policy but those of views. Raises PolicyError.
    """
    given = getattr(settings, "CORSGUARD", None)
    if given is None:
        return Guard(None)
    return build_configured_guard(given, "CORSGUARD")


def in_settings(problem: Problem) -> Problem:
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
