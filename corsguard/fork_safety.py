"""Locks that are free in a forked child, whatever the other threads did at that moment.

A fork copies the memory of a process, but only the thread that forks. A lock that another thread
holds stays held in the child, for ever, and what that thread was replacing stays half replaced.
So whatever has a lock is asked, in the child, to make a new one and to put itself right.
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
"""What functions of corsguard import, besides its own modules: 30 ms, once."""
_IF_THERE = frozenset({"asyncio"})
"""The same, but large: only where something else has begun to import it."""

_PACKAGES = ("corsguard", "corsguard.policy", "corsguard.engine", "corsguard.guard")

_restarts: dict[int, tuple[ref[Any], Callable[[Any], None]]] = {}
"""id of what has locks -> that, and its method that makes new ones; what dies is removed."""


def restart_in_child(restart: Callable[[], None]) -> None:
    """Have a method called in each forked child, as long as its object is alive.

    It makes new locks, and finishes what another thread had begun.
    """
    method: Any = restart
    key = id(method.__self__)

    def forget(_: object, restarts: dict[int, Any] = _restarts) -> None:
        restarts.pop(key, None)  # also while Python ends, and globals are gone

    _restarts[key] = ref(method.__self__, forget), method.__func__


def _import_all() -> None:
    """Import all that a request or a new policy may need, before the process forks.

    A child can't make the lock of a module anew that another thread was importing.
    """
    if not _restarts:
        return
    for name in (*_IMPORTED_LATE, *_own_modules(), *(_IF_THERE & sys.modules.keys())):
        import_module(name)


def _own_modules() -> list[str]:
    """Return the names of the modules that requests and policies need: no command, no browser."""
    from pkgutil import iter_modules

    names = []
    for package in _PACKAGES:
        found = iter_modules(import_module(package).__path__)
        names += [f"{package}.{module.name}" for module in found if not module.ispkg]
    return [name for name in names if name != "corsguard.__main__"]


def _restart_all() -> None:
    known = [(reference(), restart) for reference, restart in list(_restarts.values())]
    for holder, restart in [each for each in known if each[0] is not None]:
        restart(holder)


# Windows has no fork, and no such function; `dict` takes the same arguments and does nothing.
getattr(os, "register_at_fork", dict)(before=_import_all, after_in_child=_restart_all)
