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
from corsguard_django.view_layers import (
    get_handlers,
    get_view_class,
    iter_handler_layers,
    iter_parts,
    iter_view_layers,
)

__all__ = ["find_hidden_views", "find_unreachable_views", "iter_entries"]

# What these define is no view of the project: functions around its views.
_FOREIGN_PACKAGES = sys.stdlib_module_names | set(
    "adrf corsguard corsguard_django django ninja rest_framework".split()
)


def find_hidden_views(entries: Iterable[Any]) -> list[Problem]:
    """Return a problem for each exempt view that entries lead to, but a wrapper hides.

    Its requests would be answered with the policy of their path. A view that is decorated itself
    has a policy that wins, whatever it contains. So has one that another URLconf leads to: what is
    around it here is another view. All that is found is marked as reached.
    """
    if not decorated_views.has_exempt():
        return []
    every = list(entries)
    reached = list(_iter_reached(every))
    decorated_views.mark_reached(reached)
    views = [part for entry in every for part in _iter_undecorated_parts(entry.callback)]
    if decorated_views.find_hidden(views, reached):
        decorated_views.mark_reached(_iter_reached_elsewhere())
    return decorated_views.find_hidden(views, reached)


def find_unreachable_views(*, exempt: bool = False) -> list[Problem]:
    """Return a problem for each decorated object of the project that no URL leads to.

    `Views` has marked those of the root URLconf. The project's objects are those of the modules
    that define what that leads to, or that it names. With `exempt`, only what `@cors_exempt` has
    decorated.
    """
    if exempt and not decorated_views.has_exempt():
        return []
    resolver = get_resolver()
    modules = set(_iter_modules(resolver.url_patterns, resolver.urlconf_module))
    reached = list(_iter_reached(iter_entries(resolver.url_patterns)))
    if decorated_views.find_unreachable(reached, modules, exempt=exempt):
        decorated_views.mark_reached(
            _iter_reached_elsewhere()
        )  # a middleware may choose another URLconf
    return decorated_views.find_unreachable(reached, modules, exempt=exempt)


def iter_entries(patterns: Iterable[Any]) -> Iterator[Any]:
    """Yield the entries of a URLconf, and those of what it includes."""
    for entry in patterns:
        yield entry
        yield from iter_entries(getattr(entry, "url_patterns", ()))


def _iter_reached(entries: Iterable[Any]) -> Iterator[object]:
    """Yield everything behind the entries of a URLconf whose policy is found there."""
    for entry in entries:
        yield entry
        yield getattr(entry, "urlconf_name", None)
        yield from iter_parts(entry.callback)


def _iter_reached_elsewhere() -> Iterator[object]:
    """Yield the same for every other module that is loaded and has a URLconf."""
    for module in list(sys.modules.values()):
        with suppress(Exception):  # an include() of it may be broken, which nobody has asked for
            yield from list(_iter_reached(iter_entries(vars(module)["urlpatterns"])))


def _iter_undecorated_parts(view: object) -> Iterator[object]:
    """Yield the parts of a view and of its handlers that have no policy, whole or by method."""
    parts = list(iter_view_layers(view))
    if any(map(has_policy, (*parts, get_view_class(view)))):
        return
    yield from parts
    for handler in get_handlers(view).values():
        of_handler = list(iter_handler_layers(handler))
        if not any(map(has_policy, of_handler)):
            yield from of_handler


def _iter_modules(patterns: Iterable[Any], urlconf: object) -> Iterator[str]:
    """Yield the names of the modules that define the views of a project."""
    yield from _iter_named_modules(urlconf)
    for entry in iter_entries(patterns):
        yield from _iter_named_modules(
            getattr(entry, "urlconf_name", None) and entry.urlconf_module
        )
        for layer in iter_layers(entry.callback):
            yield from _iter_project_module(getattr(layer, "__module__", None))


def _iter_named_modules(urlconf: object) -> Iterator[str]:
    """Yield a module of URLs, and what it has imported, or imported from."""
    if isinstance(urlconf, ModuleType):
        yield urlconf.__name__
        for value in list(vars(urlconf).values()):
            yield from _iter_project_module(decorated_views.module_of(value))


def _iter_project_module(module: object) -> Iterator[str]:
    if isinstance(module, str) and module.partition(".")[0] not in _FOREIGN_PACKAGES:
        yield module
