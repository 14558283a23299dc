"""Decorated views that no URL of an application leads to, so that their policies have no effect."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any
from weakref import ref

from flask import Blueprint, Flask

from corsguard import PolicyError, Problem
from corsguard.guard.callable_contents import get_module_name
from corsguard.guard.decorated_views import (
    build_unreachable_problem,
    find_hidden,
    find_unreachable,
    find_unreached,
    mark_reached,
)
from corsguard.guard.view_policies import iter_layers
from corsguard_flask.view_policies import list_view_layers

__all__ = [
    "check_exempt_views",
    "find_unreachable_views",
    "log_unreachable_views",
    "register_application",
]

_logger = logging.getLogger("corsguard")
_INSTALLED = ("site-packages", "dist-packages")

_applications: dict[int, ref[Flask]] = {}
"""id of an application with a CORSGuard -> weak reference to it."""

_logged: dict[int, ref[Any]] = {}
"""id of a decorated object that was logged -> weak reference to it."""


def register_application(app: Flask) -> None:
    """Register an application with a CORSGuard, whose views are not unreachable for any other."""
    key = id(app)
    _applications[key] = ref(app, lambda _: _applications.pop(key, None))


def check_exempt_views(app: Flask) -> None:
    """Raise PolicyError if a view of a URL is exempt, but the exemption has no effect.

    Either a wrapper without functools.wraps hides the exempt view, or the exempt object is a
    wrapper of the view and is not routed itself. The view would be served with the CORS headers of
    its path.
    """
    reached = list_view_layers(app)
    has_unreached = bool(find_unreached(reached, exempt=True))  # rare, and the rest takes time
    problems = _find_ineffective_exemptions(app, reached) if has_unreached else []
    if problems:
        raise PolicyError(problems)


def _find_ineffective_exemptions(app: Flask, reached: Sequence[object]) -> list[Problem]:
    everywhere = [*reached, *_list_layers_of_others(app)]
    views = {id(each) for each in reached}
    wrappers = [
        each
        for each in find_unreached(everywhere, exempt=True)
        if any(id(layer) in views for layer in iter_layers(each))
        and not _is_made_per_request(each, views)
    ]
    return [*find_hidden(reached, everywhere), *map(build_unreachable_problem, wrappers)]


def log_unreachable_views(app: Flask) -> None:
    """Log each exempt object of an application that no URL leads to, once per process.

    Raises nothing: the application may route the view only under some condition.
    """
    reached = list_view_layers(app)
    mark_reached(reached)  # for other applications, once this one is gone
    new = [each for each in find_unreached(reached, exempt=True) if id(each) not in _logged]
    problems = find_unreachable_views(app, exempt=True) if new else []
    if not problems:
        return
    found = {id(each) for each in [*reached, *_list_layers_of_others(app)]}
    for each in new:
        problem = build_unreachable_problem(each)
        if problem in problems and not _is_made_per_request(each, found) and _is_first_log(each):
            _logger.error("%s", problem)


def _is_made_per_request(decorated: object, found: Collection[int]) -> bool:
    """Return True if a layer is a method of a view class, decorated anew at each request."""
    owners = (type(getattr(layer, "__self__", None)) for layer in iter_layers(decorated))
    return any(id(owner) in found for owner in owners)


def _is_first_log(decorated: object) -> bool:
    """Return True the first time that an object is passed, in any thread and application."""
    key = id(decorated)
    reference = ref(decorated, lambda _: _logged.pop(key, None))
    return _logged.setdefault(key, reference) is reference


def find_unreachable_views(app: Flask, *, exempt: bool = False) -> list[Problem]:
    """Return a problem for each decorated object of an application that no URL leads to."""
    reached = list_view_layers(app)
    has_unreached = bool(find_unreached(reached, exempt=exempt))  # rare, and the rest takes time
    modules = _find_modules(app, reached) if has_unreached else set()
    others = _list_layers_of_others(app) if has_unreached else []
    return find_unreachable([*reached, *others], modules, exempt=exempt)


def _list_layers_of_others(app: Flask) -> list[object]:
    living = (each() for each in list(_applications.values()))
    return [
        found
        for other in living
        if other is not None and other is not app
        for found in list_view_layers(other)
    ]


def _find_modules(app: Flask, reached: Iterable[object]) -> set[str]:
    """Return the names of the modules that an application consists of.

    They are the modules of the application, its blueprints and its views. The modules that their
    global variables come from belong to it too, if they are in the same package or folder.
    """
    waiting = {app.import_name, *(each.import_name for each in app.blueprints.values())}
    waiting.update(_get_module(each) for each in reached)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        module = sys.modules.get(name)
        if module is not None and _is_module_of(app, module):
            waiting.update(set(_iter_named_modules(app, module)) - found)
    return found


def _iter_named_modules(app: Flask, module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        named = sys.modules.get(_get_module(value))
        if named is not None and _is_module_of(app, named):
            yield named.__name__


def _get_module(value: Any) -> str:
    return str(value.import_name) if issubclass(type(value), Blueprint) else get_module_name(value)


def _is_module_of(app: Flask, module: ModuleType) -> bool:
    package = app.import_name.partition(".")[0]
    if module.__name__.partition(".")[0] == package:
        return True
    file = getattr(module, "__file__", None) or ""
    inside = file.removeprefix(os.path.join(app.root_path, ""))
    return inside != file and not any(folder in inside for folder in _INSTALLED)
