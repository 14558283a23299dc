"""The system checks of a project's CORS configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning  # noqa: A004  # so Django says

from corsguard import Guard, PolicyError, Problem
from corsguard.errors import build_problem_url
from corsguard.guard.route_table import compare_routes
from corsguard.policy.warning_filter import ignore_policy_warnings
from corsguard_django.asgi_checks import check_protocols
from corsguard_django.configuration import (
    as_setting,
    is_built,
    iter_guard_policies,
    iter_policies,
    load_views,
)
from corsguard_django.csrf_checks import check_csrf
from corsguard_django.listing import rows_of
from corsguard_django.middleware_checks import check_leftovers, check_middleware
from corsguard_django.unreachable_views import find_unreachable_views

__all__ = ["TAG", "check_configuration"]

TAG = "corsguard"


def check_configuration(**_: Any) -> list[CheckMessage]:
    """Report each problem and warning of the policies, and conflicts with other settings."""
    messages = _find_messages()
    for message in messages:
        url = build_problem_url(str(message.id).removeprefix(f"{TAG}."))
        message.hint = f"{message.hint}\n\tSee: {url}"
    return messages


def _find_messages() -> list[CheckMessage]:
    messages: list[CheckMessage] = [*check_middleware(), *check_leftovers()]
    try:
        with ignore_policy_warnings():  # reported below, each with an id
            guard = load_views().guard
    except PolicyError as error:
        return [*messages, *(_build_message(_find_level(each), each) for each in error.problems)]
    try:
        return [*messages, *_check_guard(guard)]
    finally:
        if is_built(guard):
            guard.unfollow()


def _find_level(problem: Problem) -> type[Error | Warning]:
    # Commands such as `collectstatic` run where the source is not reached. The server won't start.
    return Warning if problem.code == "source-unavailable" else Error


def _check_guard(guard: Guard) -> Iterator[CheckMessage]:
    for place, policy in iter_policies(guard):
        problems = [warning.problem for warning in policy.warnings] if policy else []
        yield from (_build_message(Warning, problem.within(place)) for problem in problems)
    unreachable = guard.adapter.snapshot.find_unreachable_origins()
    yield from (_build_message(Warning, problem) for problem in unreachable)
    yield from (_build_message(Error, problem) for problem in find_unreachable_views())
    yield from (_build_message(Info, problem) for problem in _compare_with_urls(guard))
    yield from check_protocols(guard)
    if guard.enforce and settings.CSRF_TRUSTED_ORIGINS:
        yield from check_csrf(guard)


def _build_message(level: type[Error | Info | Warning], problem: Problem) -> CheckMessage:
    text = f"{problem.field}: {problem.message}"
    return level(text, hint=problem.suggestion, id=f"{TAG}.{problem.code}")


def _compare_with_urls(guard: Guard) -> Iterator[Problem]:
    """Yield a warning for each policy and URL of the project that do not fit each other."""
    with_policy = [(place, policy) for place, policy in iter_guard_policies(guard) if policy]
    for problem in compare_routes(rows_of(guard), with_policy):
        is_view = "CORSGUARD" not in problem.message + problem.field
        yield problem if is_view else as_setting(problem)
