"""A Flask application as the commands see it: `flask cors`, and `corsguard` with `--app`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from flask import Flask

from corsguard import Guard
from corsguard.cli.application.guarded_app import (
    Findings,
    RouteListing,
    UnguardedApplicationError,
)
from corsguard.cli.application.path_policies import PathPolicies
from corsguard.cli.change_format import ChangeFormatter, build_setting_formatter
from corsguard.guard.callable_contents import find_path
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.route_table import compare_routes
from corsguard_flask.listing import list_path_rows, list_placed, rows_of
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.outer_middleware import find_outer_middleware
from corsguard_flask.trial import build_trial
from corsguard_flask.unreachable_views import find_unreachable_views
from corsguard_wsgi import CORSMiddleware

if TYPE_CHECKING:
    from corsguard.explain.fixes import Transport
    from corsguard.origin import Origin

__all__ = ["FlaskApplication", "describe_app", "describe_flask"]


class FlaskApplication:
    """A Flask application with CORSGuard."""

    def __init__(
        self, app: Flask, middleware: FlaskMiddleware, around: tuple[object, ...] = ()
    ) -> None:
        self._app = app
        self._middleware = middleware
        self._around = around
        """The wrappers around the application itself, the outermost first."""

    @property
    def guard(self) -> Guard:
        """The guard, with the policies of the views."""
        return self._middleware.guard

    @property
    def view_policies(self) -> Mapping[str, PolicyOrList | None]:
        """The policies of views: owner in words -> policy."""
        views = self._middleware.read_views().values()
        return {view.holder: view.policy for by_method in views for view in by_method.values()}

    @property
    def format_change(self) -> ChangeFormatter:
        """The formatter for a change, as the application configures the guard."""
        return build_setting_formatter(self._middleware.setting, 'app.config["CORSGUARD"]')

    def find_problems(self) -> Findings:
        """Return what is wrong with the policies, and what is in front of corsguard."""
        app, middleware = self._app, self._middleware
        front = find_outer_middleware(app, middleware, self._around)
        problems = (*middleware.problems, *find_unreachable_views(app), *front.problems)
        warnings = (
            *(warning.problem for warning in self.guard.warnings),
            *front.warnings,
            *compare_routes(rows_of(app, middleware), list_placed(self.guard)),
        )
        return Findings(problems, warnings, front.notes)

    def list_routes(self) -> RouteListing:
        """Return a row for each URL rule and each policy that may apply to it."""
        return RouteListing(tuple(rows_of(self._app, self._middleware)))

    def build_trial(self, origin: Origin) -> Transport:
        """Return the transport to the application at origin, which calls none of its views."""
        return build_trial(self._app, self._middleware, origin)


class _WrappedFlask(PathPolicies):
    """A Flask application behind the WSGI middleware, which knows its paths but not its views."""

    def __init__(self, app: Flask, guard: Guard) -> None:
        super().__init__(guard)
        self._app = app

    def find_problems(self) -> Findings:
        """Return the warnings of the policies, and where they and the URL rules do not fit."""
        rows = list_path_rows(self._app, self.guard)
        compared = compare_routes(rows, list_placed(self.guard))
        return Findings(warnings=(*super().find_problems().warnings, *compared))

    def list_routes(self) -> RouteListing:
        """Return a row for each URL rule and each policy that may apply to its path."""
        return RouteListing(tuple(list_path_rows(self._app, self.guard)))


def describe_app(app: object) -> FlaskApplication | _WrappedFlask | None:
    """Return the Flask application that an object is, or that it wraps, with its guard.

    Raises UnguardedApplicationError where it has none, and PolicyError where the policy of a view
    is not valid. Returns None where there is no Flask application.
    """
    path = find_path(app, lambda each: isinstance(each, Flask))
    if not path:
        return None
    flask = cast(Flask, path[-1])
    if "corsguard" in flask.extensions:
        return describe_flask(flask, path[:-1])
    around = find_path(app, lambda each: isinstance(each, CORSMiddleware))
    if around:
        return _WrappedFlask(flask, cast(CORSMiddleware, around[-1]).guard)
    raise UnguardedApplicationError(
        "has no CORSGuard. Add it: CORSGuard(app, allow_origins=[...]), "
        "with `from corsguard_flask import CORSGuard`"
    )


def describe_flask(app: Flask, around: tuple[object, ...] = ()) -> FlaskApplication:
    """Return a Flask application with its CORSGuard, read from its extensions.

    `around` are the wrappers around it. Raises KeyError without CORSGuard, and PolicyError where
    the policy of a view is not valid.
    """
    middleware: FlaskMiddleware = app.extensions["corsguard"]
    middleware.is_quiet = True  # `check` reports it
    middleware.read_views()
    return FlaskApplication(app, middleware, around)
