"""New locks in a forked child, as other threads may have held the old ones.

A fork copies the memory of a process, but only the thread that forks. A lock that another thread
holds stays held in the child for ever, and data that the thread was replacing stays inconsistent.
So every object with a lock registers a method that replaces the lock and repairs the data in the
child.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any
from weakref import ref

__all__ = ["restart_in_child"]

_IMPORTED_LATE = (
    "datetime",
    "difflib",
    "idna",
    "inspect",
    "ipaddress",
    "json",
    "posixpath",
    "publicsuffixlist",
    "tomllib",
    "urllib.parse",
)
"""Modules that functions of corsguard import late. Importing all takes 30 ms, once."""
_IF_IMPORTED = frozenset({"asyncio"})
"""Large modules, imported before a fork only if something else has begun to import them."""

_PACKAGES = ("corsguard", "corsguard.policy", "corsguard.engine", "corsguard.guard")

_restarts: dict[int, tuple[ref[Any], Callable[[Any], None]]] = {}
"""id of an object with locks -> (weak reference to it, its method that makes new ones)."""


def restart_in_child(restart: Callable[[], None]) -> None:
    """Register a bound method to call in each forked child, as long as its object is alive.

    The method makes new locks, and completes changes that another thread had begun.
    """
    method: Any = restart
    key = id(method.__self__)

    def forget(_: object, restarts: dict[int, Any] = _restarts) -> None:
        restarts.pop(key, None)  # a default, as globals are gone when Python exits

    _restarts[key] = ref(method.__self__, forget), method.__func__


def _import_all() -> None:
    """Import all modules that a request or a new policy may need, before the process forks.

    A child can't replace the import lock of a module that another thread was importing.
    """
    if not _restarts:
        return
    for name in (*_IMPORTED_LATE, *_list_own_modules(), *(_IF_IMPORTED & sys.modules.keys())):
        import_module(name)


def _list_own_modules() -> list[str]:
    """Return the names of the modules that requests and policies need."""
    from pkgutil import iter_modules

    names = []
    for package in _PACKAGES:
        found = iter_modules(import_module(package).__path__)
        names += [f"{package}.{module.name}" for module in found if not module.ispkg]
    return [name for name in names if name != "corsguard.__main__"]


def _restart_all() -> None:
    owners = [(reference(), restart) for reference, restart in list(_restarts.values())]
    for owner, restart in [each for each in owners if each[0] is not None]:
        restart(owner)


# Windows has no fork, and no such function; `dict` takes the same arguments and does nothing.
getattr(os, "register_at_fork", dict)(before=_import_all, after_in_child=_restart_all)
