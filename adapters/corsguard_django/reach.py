"""Which decorated objects the URLs of a project lead to, and which they do not."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

from django.urls import get_resolver

from corsguard import Problem
from corsguard.guard import decorated_views
from corsguard.guard.view_policies import has_policy, iter_layers
from corsguard_django.layers import class_of, handler_layers, handlers_of, parts_of, view_layers

__all__ = ["entries_of", "hidden_in", "unreachable_views"]

# What these define is no view of the project: functions around its views.
_OF_OTHERS = sys.stdlib_module_names | set(
    "adrf corsguard corsguard_django django ninja rest_framework".split()
)


def hidden_in(entries: Iterable[Any]) -> list[Problem]:
    """Return a problem for each exempt view that entries lead to, but a wrapper hides.

    Its requests would be answered with the policy of their path. A view that is decorated itself
    has a policy that wins, whatever it contains. So has one that another URLconf leads to: what is
    around it here is another view. All that is found is marked as reached.
    """
    if not decorated_views.has_exempt():
        return []
    every = list(entries)
    reached = list(_reached_by(every))
    decorated_views.mark_reached(reached)
    views = [part for entry in every for part in _undecorated_parts(entry.callback)]
    if decorated_views.find_hidden(views, reached):
        decorated_views.mark_reached(_elsewhere())
    return decorated_views.find_hidden(views, reached)


def unreachable_views(*, exempt: bool = False) -> list[Problem]:
    """Return a problem for each decorated object of the project that no URL leads to.

    `Views` has marked those of the root URLconf. The project's objects are those of the modules
    that define what that leads to, or that it names. With `exempt`, only what `@cors_exempt` has
    decorated.
    """
    if exempt and not decorated_views.has_exempt():
        return []
    resolver = get_resolver()
    modules = set(_modules(resolver.url_patterns, resolver.urlconf_module))
    reached = list(_reached_by(entries_of(resolver.url_patterns)))
    if decorated_views.find_unreachable(reached, modules, exempt=exempt):
        decorated_views.mark_reached(_elsewhere())  # a middleware may choose another URLconf
    return decorated_views.find_unreachable(reached, modules, exempt=exempt)


def entries_of(patterns: Iterable[Any]) -> Iterator[Any]:
    """Yield the entries of a URLconf, and those of what it includes."""
    for entry in patterns:
        yield entry
        yield from entries_of(getattr(entry, "url_patterns", ()))


def _reached_by(entries: Iterable[Any]) -> Iterator[object]:
    """Yield everything behind the entries of a URLconf whose policy is found there."""
    for entry in entries:
        yield entry
        yield getattr(entry, "urlconf_name", None)
        yield from parts_of(entry.callback)


def _elsewhere() -> Iterator[object]:
    """Yield the same for every other module that is loaded and has a URLconf."""
    for module in list(sys.modules.values()):
        with suppress(Exception):  # an include() of it may be broken, which nobody has asked for
            yield from list(_reached_by(entries_of(vars(module)["urlpatterns"])))


def _undecorated_parts(view: object) -> Iterator[object]:
    """Yield the parts of a view and of its handlers that have no policy, whole or by method."""
    parts = list(view_layers(view))
    if any(map(has_policy, (*parts, class_of(view)))):
        return
    yield from parts
    for handler in handlers_of(view).values():
        of_handler = list(handler_layers(handler))
        if not any(map(has_policy, of_handler)):
            yield from of_handler


def _modules(patterns: Iterable[Any], urlconf: object) -> Iterator[str]:
    """Yield the names of the modules that define the views of a project."""
    yield from _named_by(urlconf)
    for entry in entries_of(patterns):
        yield from _named_by(getattr(entry, "urlconf_name", None) and entry.urlconf_module)
        for layer in iter_layers(entry.callback):
            yield from _of_project(getattr(layer, "__module__", None))


def _named_by(urlconf: object) -> Iterator[str]:
    """Yield a module of URLs, and what it has imported, or imported from."""
    if isinstance(urlconf, ModuleType):
        yield urlconf.__name__
        for value in list(vars(urlconf).values()):
            yield from _of_project(decorated_views.module_of(value))


def _of_project(module: object) -> Iterator[str]:
    if isinstance(module, str) and module.partition(".")[0] not in _OF_OTHERS:
        yield module
