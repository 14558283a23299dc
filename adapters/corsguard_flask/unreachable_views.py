"""Decorated views that no URL of an application leads to, so that their policies have no effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Flask

from corsguard import Problem
from corsguard.guard.callable_contents import get_module_name
from corsguard.guard.view_audit import Project, ViewAudit
from corsguard_flask.view_policies import list_view_layers

__all__ = ["AUDIT", "find_unreachable_views"]


def find_unreachable_views(app: Flask) -> list[Problem]:
    """Return a problem for each decorated object of an application that no URL leads to."""
    return AUDIT.find(app)


def _find_modules(app: Flask, reached: Iterable[object]) -> set[str]:
    project = Project(app.import_name, app.root_path, _get_module)
    return project.find_modules(reached, (each.import_name for each in app.blueprints.values()))


def _get_module(value: Any) -> str:
    return str(value.import_name) if issubclass(type(value), Blueprint) else get_module_name(value)


AUDIT: ViewAudit[Flask] = ViewAudit(list_view_layers, _find_modules)
"""That of all Flask applications."""
