"""Decorated views that no URL of an application leads to."""

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
from corsguard.guard.decorated_views import (
    build_unreachable_problem,
    find_hidden,
    find_unreachable,
    find_unreached,
    mark_reached,
    module_of,
)
from corsguard.guard.view_policies import iter_layers
from corsguard_flask.views import reached_in

__all__ = ["check_reach", "log_unreachable", "register", "unreachable_views"]

_logger = logging.getLogger("corsguard")
_INSTALLED = ("site-packages", "dist-packages")

_applications: dict[int, ref[Flask]] = {}
"""id of an application that has a CORSGuard -> the application, as long as it lives."""

_logged: dict[int, ref[Any]] = {}
"""id of an object that was logged as one that no URL leads to -> that, as long as it lives."""


def register(app: Flask) -> None:
    """Remember an application: what its URLs lead to is not lost for any other."""
    key = id(app)
    _applications[key] = ref(app, lambda _: _applications.pop(key, None))


def check_reach(app: Flask) -> None:
    """Raise PolicyError where a view of a URL is exempt in a way that no look-up finds.

    Either it hides an exempt view, since a wrapper calls that without leading to it; or the exempt
    one is made of it, but is not the one in the URL. It would answer with the CORS headers of its
    path.
    """
    reached = reached_in(app)
    problems = _lost_in(app, reached) if find_unreached(reached, exempt=True) else []
    if problems:
        raise PolicyError(problems)


def _lost_in(app: Flask, reached: Sequence[object]) -> list[Problem]:
    everywhere = [*reached, *_reached_by_others(app)]
    views = {id(each) for each in reached}
    made_of_views = [
        each
        for each in find_unreached(everywhere, exempt=True)
        if any(id(layer) in views for layer in iter_layers(each))
        and not _is_of_request(each, views)
    ]
    return [*find_hidden(reached, everywhere), *map(build_unreachable_problem, made_of_views)]


def log_unreachable(app: Flask) -> None:
    """Log each exempt object of an application that no URL leads to, once per process.

    It raises nothing: a view that is added under some condition only is no fault.
    """
    reached = reached_in(app)
    mark_reached(reached)  # a view may outlive this application
    new = [each for each in find_unreached(reached, exempt=True) if id(each) not in _logged]
    problems = unreachable_views(app, exempt=True) if new else []
    if not problems:
        return
    found = {id(each) for each in [*reached, *_reached_by_others(app)]}
    for each in new:
        problem = build_unreachable_problem(each)
        if problem in problems and not _is_of_request(each, found) and _is_first(each):
            _logger.error("%s", problem)


def _is_of_request(decorated: object, found: Collection[int]) -> bool:
    """Return True for what a view's class makes of its method at each request, in any layer."""
    owners = (type(getattr(layer, "__self__", None)) for layer in iter_layers(decorated))
    return any(id(owner) in found for owner in owners)


def _is_first(lost: object) -> bool:
    """Return True once for an object, whichever thread or application asks first."""
    key = id(lost)
    reference = ref(lost, lambda _: _logged.pop(key, None))
    return _logged.setdefault(key, reference) is reference


def unreachable_views(app: Flask, *, exempt: bool = False) -> list[Problem]:
    """Return a problem for each decorated object of an application that no URL leads to."""
    reached = reached_in(app)
    is_any = bool(
        find_unreached(reached, exempt=exempt)
    )  # which is seldom, and the rest takes time
    modules = _modules(app, reached) if is_any else set()
    others = _reached_by_others(app) if is_any else []
    return find_unreachable([*reached, *others], modules, exempt=exempt)


def _reached_by_others(app: Flask) -> list[object]:
    living = (each() for each in list(_applications.values()))
    return [found for other in living if other not in (None, app) for found in reached_in(other)]


def _modules(app: Flask, reached: Iterable[object]) -> set[str]:
    """Return the names of the modules that an application consists of.

    Those of its views, of the application and its blueprints, and, of the same package or folder,
    those that these name in their global variables.
    """
    waiting = {app.import_name, *(each.import_name for each in app.blueprints.values())}
    waiting.update(_module_of(each) for each in reached)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        module = sys.modules.get(name)
        if module is not None and _belongs_to(app, module):
            waiting.update(set(_named_by(app, module)) - found)
    return found


def _named_by(app: Flask, module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        named = sys.modules.get(_module_of(value))
        if named is not None and _belongs_to(app, named):
            yield named.__name__


def _module_of(value: Any) -> str:
    return str(value.import_name) if issubclass(type(value), Blueprint) else module_of(value)


def _belongs_to(app: Flask, module: ModuleType) -> bool:
    package = app.import_name.partition(".")[0]
    if module.__name__.partition(".")[0] == package:
        return True
    file = getattr(module, "__file__", None) or ""
    inside = file.removeprefix(os.path.join(app.root_path, ""))
    return inside != file and not any(folder in inside for folder in _INSTALLED)
