"""A WSGI application as the `corsguard` command sees it."""

from __future__ import annotations

from typing import cast

from corsguard.cli.application.path_policies import PathPolicies
from corsguard.guard.callable_contents import find_path
from corsguard_wsgi.middleware import CORSMiddleware

__all__ = ["describe_app"]


def describe_app(app: object) -> PathPolicies | None:
    """Return the application with the guard of the CORSMiddleware that it is or leads to, if any.

    The middleware may be the application, be wrapped in others, or be set as `app.wsgi_app`.
    """
    path = find_path(app, lambda each: isinstance(each, CORSMiddleware))
    return PathPolicies(cast(CORSMiddleware, path[-1]).guard) if path else None
