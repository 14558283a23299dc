"""Decorated views that no URL of an application leads to, so that their policies have no effect."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from starlette.applications import Starlette

from corsguard import Problem
from corsguard.guard.view_audit import Project, ViewAudit
from corsguard_starlette.view_policies import list_view_layers

__all__ = ["AUDIT", "find_unreachable_views", "register_application"]

_MODULE = "_corsguard_module"
"""Attribute of an application: the name of the module that called CORSGuard."""


def register_application(app: Starlette, module: str) -> None:
    """Register an application whose CORSGuard was installed by a module of this name."""
    setattr(app, _MODULE, module)
    AUDIT.register(app)


def find_unreachable_views(app: Starlette) -> list[Problem]:
    """Return a problem for each decorated object of an application that no URL leads to."""
    return AUDIT.find(app)


def _find_modules(app: Starlette, reached: Iterable[object]) -> set[str]:
    name: str = getattr(app, _MODULE)
    file = getattr(sys.modules.get(name), "__file__", None) or os.devnull
    return Project(name, os.path.dirname(os.path.abspath(file))).find_modules(reached)


AUDIT: ViewAudit[Starlette] = ViewAudit(list_view_layers, _find_modules)
"""That of all Starlette and FastAPI applications."""
