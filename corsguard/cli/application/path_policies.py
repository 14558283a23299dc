"""An application of which only the policies are known, not its URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from corsguard import Guard
from corsguard.cli.application.guarded_app import Findings, RouteListing
from corsguard.cli.change_format import ChangeFormatter, format_as_python
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.route_rows import describe_route, map_prefixes
from corsguard.guard.route_table import RouteRow, list_sourced

if TYPE_CHECKING:
    from corsguard.explain.fixes import Transport
    from corsguard.origin import Origin

__all__ = ["PathPolicies"]

_NO_VIEWS: Mapping[str, PolicyOrList | None] = {}
_NOTE = "the URLs of the application are not known, so these are the routes of its guard"


class PathPolicies:
    """A GuardedApp of any framework, whose guard decides by the path alone."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @property
    def guard(self) -> Guard:
        """The guard."""
        return self._guard

    @property
    def view_policies(self) -> Mapping[str, PolicyOrList | None]:
        """None: which view a request reaches is not known."""
        return _NO_VIEWS

    @property
    def format_change(self) -> ChangeFormatter:
        """The formatter for a change, as Python writes a Policy."""
        return format_as_python

    def find_problems(self) -> Findings:
        """Return the warnings of the policies. A guard with a problem does not start."""
        return Findings(warnings=tuple(warning.problem for warning in self._guard.warnings))

    def list_routes(self) -> RouteListing:
        """Return a row for each route of the guard."""
        rows = tuple(
            RouteRow((), prefix or "any URL", policy, source)
            for prefix, given in map_prefixes(self._guard).items()
            for policy, source in list_sourced(given, describe_route(prefix))
        )
        return RouteListing(rows, _NOTE)

    def build_trial(self, origin: Origin) -> Transport:
        """Return the transport to a server that answers by the policies, at any origin."""
        del origin
        from corsguard.explain.policy_server import build_policy_server

        return build_policy_server
