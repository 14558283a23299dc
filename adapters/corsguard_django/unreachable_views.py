"""The decorated views that no URL of the project leads to, or that a wrapper hides."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

from django.urls import get_resolver

from corsguard import Problem
from corsguard.guard import decorated_views
from corsguard.guard.callable_contents import get_module_name
from corsguard.guard.view_policies import has_policy, iter_layers
from corsguard_django.view_layers import (
    get_handlers,
    get_view_class,
    iter_handler_layers,
    iter_parts,
    iter_view_layers,
)

__all__ = ["find_hidden_views", "find_unreachable_views", "iter_entries"]

# These packages define wrappers around the views of a project, and none of its views.
_FOREIGN_PACKAGES = sys.stdlib_module_names | set(
    "adrf corsguard corsguard_django django ninja rest_framework".split()
)


def find_hidden_views(entries: Iterable[Any]) -> list[Problem]:
    """Return a problem for each exempt view that entries lead to, but a wrapper hides.

    Its requests would get the policy of their path. A wrapper that is decorated itself hides
    nothing, as its own policy wins. Nor is a view hidden that another URLconf leads to: the wrapper
    is a view of its own then. Everything found is marked as reached.
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

    `Views` has marked those of the root URLconf as reached. An object belongs to the project if
    its module also defines a view of that URLconf, or is named in it. With `exempt`, only objects
    decorated by `@cors_exempt` count.
    """
    if exempt and not decorated_views.has_exempt():
        return []
    resolver = get_resolver()
    modules = set(_iter_modules(resolver.url_patterns, resolver.urlconf_module))
    reached = list(_iter_reached(iter_entries(resolver.url_patterns)))
    if decorated_views.find_unreachable(reached, modules, exempt=exempt):
        # A middleware may choose another URLconf.
        decorated_views.mark_reached(_iter_reached_elsewhere())
    return decorated_views.find_unreachable(reached, modules, exempt=exempt)


def iter_entries(patterns: Iterable[Any]) -> Iterator[Any]:
    """Yield the entries of a URLconf, with those of every include()."""
    for entry in patterns:
        yield entry
        yield from iter_entries(getattr(entry, "url_patterns", ()))


def _iter_reached(entries: Iterable[Any]) -> Iterator[object]:
    """Yield each object behind the entries of a URLconf that may hold a policy."""
    for entry in entries:
        yield entry
        yield getattr(entry, "urlconf_name", None)
        yield from iter_parts(entry.callback)


def _iter_reached_elsewhere() -> Iterator[object]:
    """Yield the same for every loaded module that has `urlpatterns`."""
    for module in list(sys.modules.values()):
        with suppress(Exception):  # an include() of an unused URLconf may be broken
            yield from list(_iter_reached(iter_entries(vars(module)["urlpatterns"])))


def _iter_undecorated_parts(view: object) -> Iterator[object]:
    """Yield the layers of a view and of its handlers, as far as no policy covers them."""
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
    """Yield the names of a URL module, and of the modules of whatever it has imported."""
    if isinstance(urlconf, ModuleType):
        yield urlconf.__name__
        for value in list(vars(urlconf).values()):
            yield from _iter_project_module(get_module_name(value))


def _iter_project_module(module: object) -> Iterator[str]:
    if isinstance(module, str) and module.partition(".")[0] not in _FOREIGN_PACKAGES:
        yield module
