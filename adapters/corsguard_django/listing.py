"""What `manage.py corsguard routes` lists: where a policy holds, and the policy in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import get_resolver

from corsguard import Guard
from corsguard.cli.summary import summary
from corsguard.views import has_own_policy, own_policy
from corsguard_django.configuration import of_settings
from corsguard_django.views import handlers_of, nearest_holder

__all__ = ["listed"]

_OF_PATH = "that of its path"
_IMPLIED = frozenset({"HEAD", "OPTIONS"})


def listed(guard: Guard) -> Iterator[tuple[str, str]]:
    """Each route of a guard, and each view that has a policy of its own."""
    for place, policy in of_settings(guard):
        yield place, summary(policy)
    yield from _views(get_resolver().url_patterns, "/", _OF_PATH)


def _views(entries: Iterable[Any], prefix: str, around: str) -> Iterator[tuple[str, str]]:
    for entry in entries:
        pattern = f"{prefix}{entry.pattern}"
        holder = nearest_holder(entry.callback, [entry])
        held = around if holder is None else summary(own_policy(holder))
        by_policy = _by_policy(entry.callback, held)
        for policy, methods in by_policy.items():
            yield f'view "{pattern}" {", ".join(methods)}', policy
        if holder is not None and not by_policy:
            what = "include" if hasattr(entry, "url_patterns") else "view"
            yield f'{what} "{pattern}"', held
        yield from _views(getattr(entry, "url_patterns", ()), pattern, held)


def _by_policy(view: object, held: str) -> dict[str, list[str]]:
    """The methods of a view whose methods have policies of their own; held is that of the rest."""
    by_policy: dict[str, list[str]] = {}
    for method, handler in handlers_of(view).items():
        if method not in _IMPLIED:
            own = summary(own_policy(handler)) if has_own_policy(handler) else held
            by_policy.setdefault(own, []).append(method)
    return by_policy
