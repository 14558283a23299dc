"""A Django project as the `corsguard` command sees it: `manage.py corsguard` is the right one."""

from __future__ import annotations

from django.core.handlers.base import BaseHandler

from corsguard.cli.application.guarded_app import ApplicationError
from corsguard.guard.callable_contents import find_path

__all__ = ["OWN_COMMAND", "describe_app"]

OWN_COMMAND = "python manage.py corsguard check"
"""The command to use instead, which has the settings of the project."""


def describe_app(app: object) -> None:
    """Raise ApplicationError if an object is a handler of Django, or leads to one."""
    if find_path(app, lambda each: isinstance(each, BaseHandler)):
        raise ApplicationError(f"is a Django project. Use `{OWN_COMMAND}`, `routes` or `explain`")
    return
