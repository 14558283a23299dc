"""Decorated views that no URL of an application leads to."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType
from weakref import ref

from flask import Blueprint, Flask

from corsguard import PolicyError, Problem
from corsguard.decorated import hidden_in, unreachable, unreachable_problem, unreached
from corsguard.views import layers
from corsguard_flask.views import reached_in

__all__ = ["check_reach", "log_unreachable", "register", "unreachable_views"]

_logger = logging.getLogger("corsguard")
_INSTALLED = ("site-packages", "dist-packages")

_applications: dict[int, ref[Flask]] = {}
"""id of an application that has a CORSGuard -> the application, as long as it lives."""


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
    if not unreached(reached, exempt=True):
        return
    everywhere = [*reached, *_reached_by_others(app)]
    problems = hidden_in(reached, everywhere)
    views = {id(each) for each in reached}
    for each in unreached(everywhere, exempt=True):
        if any(id(layer) in views for layer in layers(each)):
            problems.append(unreachable_problem(each))
    if problems:
        raise PolicyError(problems)


def log_unreachable(app: Flask) -> None:
    """Log each exempt object of an application that no URL leads to.

    It raises nothing: a view that is added under some condition only is no fault.
    """
    for problem in unreachable_views(app, exempt=True):
        _logger.error("%s", problem)


def unreachable_views(app: Flask, *, exempt: bool = False) -> list[Problem]:
    """Return a problem for each decorated object of an application that no URL leads to."""
    reached = reached_in(app)
    if not unreached(reached, exempt=exempt):
        return []
    modules = _modules(app, reached)
    return unreachable([*reached, *_reached_by_others(app)], modules, exempt=exempt)


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


def _module_of(value: object) -> str:
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, Blueprint):
        return value.import_name
    # Of nothing else but by its class: an attribute of a proxy, say, may need a request.
    owner = value if isinstance(value, (type, FunctionType)) else type(value)
    return str(owner.__module__)


def _belongs_to(app: Flask, module: ModuleType) -> bool:
    package = app.import_name.partition(".")[0]
    if module.__name__.partition(".")[0] == package:
        return True
    file = getattr(module, "__file__", None) or ""
    inside = file.removeprefix(os.path.join(app.root_path, ""))
    return inside != file and not any(folder in inside for folder in _INSTALLED)
