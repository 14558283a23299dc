"""Decorated views that no URL of an application leads to, so that their policies have no effect.

Shared by the adapters of frameworks whose application is an object: a process may have several.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import ref

from corsguard.errors import PolicyError, Problem
from corsguard.guard.callable_contents import get_module_name
from corsguard.guard.decorated_views import (
    build_unreachable_problem,
    find_hidden,
    find_unreachable,
    find_unreached,
    mark_reached,
)
from corsguard.guard.view_policies import iter_layers

__all__ = ["Project", "ViewAudit"]

App = TypeVar("App")

_logger = logging.getLogger("corsguard")
_INSTALLED = ("site-packages", "dist-packages")


class Project(NamedTuple):
    """Where the code of an application is."""

    module: str
    """The name of the module that created the application."""
    folder: str
    """The folder of that module; other folders are not searched."""
    get_module: Callable[[Any], str] = get_module_name
    """Returns the module of an object that a module of the project refers to."""

    def find_modules(self, objects: Iterable[object], names: Iterable[str] = ()) -> set[str]:
        """Return the names of the modules that an application consists of.

        They are those of its module, of its views (`objects`) and of `names`. The modules that
        their global variables come from belong to it too, if they are in the same package or
        folder.
        """
        waiting = {self.module, *names, *map(self.get_module, objects)}
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            found.add(name)
            module = sys.modules.get(name)
            if module is not None and self._includes(module):
                waiting.update(set(self._iter_named_modules(module)) - found)
        return found

    def _iter_named_modules(self, module: ModuleType) -> Iterator[str]:
        for value in list(vars(module).values()):
            named = sys.modules.get(self.get_module(value))
            if named is not None and self._includes(named):
                yield named.__name__

    def _includes(self, module: ModuleType) -> bool:
        package = self.module.partition(".")[0]
        if module.__name__.partition(".")[0] == package:
            return True
        file = getattr(module, "__file__", None) or ""
        inside = file.removeprefix(os.path.join(self.folder, ""))
        return inside != file and not any(folder in inside for folder in _INSTALLED)


class ViewAudit(Generic[App]):
    """The search for unreachable views in the applications of one framework.

    `list_layers` returns every object of an application whose decorators the adapter takes into
    account. `find_modules` returns the names of the modules that it consists of, given it and those
    objects.
    """

    def __init__(
        self,
        list_layers: Callable[[App], list[object]],
        find_modules: Callable[[App, Iterable[object]], set[str]],
    ) -> None:
        self._list_layers = list_layers
        self._find_modules = find_modules
        self._applications: dict[int, ref[App]] = {}  # id of an application -> reference to it
        self._logged: dict[int, ref[Any]] = {}  # id of a logged object -> reference to it

    def register(self, app: App) -> None:
        """Register an application with corsguard, whose views are reached for all the others."""
        key = id(app)
        self._applications[key] = ref(app, lambda _: self._applications.pop(key, None))

    def check_exempt(self, app: App) -> None:
        """Raise PolicyError if a view of a URL is exempt, but the exemption has no effect.

        Either a wrapper without functools.wraps hides the exempt view, or the exempt object is a
        wrapper of the view and is not routed itself. The view would be served with the CORS headers
        of its path.
        """
        reached = self._list_layers(app)
        has_unreached = bool(find_unreached(reached, exempt=True))  # rare, and the rest takes time
        problems = self._find_ineffective_exemptions(app, reached) if has_unreached else []
        if problems:
            raise PolicyError(problems)

    def _find_ineffective_exemptions(self, app: App, reached: Sequence[object]) -> list[Problem]:
        everywhere = [*reached, *self._list_layers_of_others(app)]
        views = {id(each) for each in reached}
        wrappers = [
            each
            for each in find_unreached(everywhere, exempt=True)
            if any(id(layer) in views for layer in iter_layers(each))
            and not _is_made_per_request(each, views)
        ]
        return [*find_hidden(reached, everywhere), *map(build_unreachable_problem, wrappers)]

    def log(self, app: App) -> None:
        """Log each exempt object of an application that no URL leads to, once per process.

        Raises nothing: the application may route the view only under some condition.
        """
        reached = self._list_layers(app)
        mark_reached(reached)  # for other applications, once this one is gone
        new = [
            each for each in find_unreached(reached, exempt=True) if id(each) not in self._logged
        ]
        problems = self.find(app, exempt=True) if new else []
        if not problems:
            return
        found = {id(each) for each in [*reached, *self._list_layers_of_others(app)]}
        for each in new:
            problem = build_unreachable_problem(each)
            is_hidden = problem in problems and not _is_made_per_request(each, found)
            if is_hidden and self._is_first_log(each):
                _logger.error("%s", problem)

    def find(self, app: App, *, exempt: bool = False) -> list[Problem]:
        """Return a problem for each decorated object of an application that no URL leads to."""
        reached = self._list_layers(app)
        has_unreached = bool(find_unreached(reached, exempt=exempt))  # rare
        modules = self._find_modules(app, reached) if has_unreached else set()
        others = self._list_layers_of_others(app) if has_unreached else []
        return find_unreachable([*reached, *others], modules, exempt=exempt)

    def _list_layers_of_others(self, app: App) -> list[object]:
        living = (each() for each in list(self._applications.values()))
        return [
            found
            for other in living
            if other is not None and other is not app
            for found in self._list_layers(other)
        ]

    def _is_first_log(self, decorated: object) -> bool:
        """Return True the first time that an object is passed, in any thread and application."""
        key = id(decorated)
        reference = ref(decorated, lambda _: self._logged.pop(key, None))
        return self._logged.setdefault(key, reference) is reference


def _is_made_per_request(decorated: object, found: Collection[int]) -> bool:
    """Return True if a layer is a method of a view class, decorated anew at each request."""
    owners = (type(getattr(layer, "__self__", None)) for layer in iter_layers(decorated))
    return any(id(owner) in found for owner in owners)
