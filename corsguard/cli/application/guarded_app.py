"""GuardedApp: what the commands ask of an application that an adapter has put a guard on.

The module `application` of each adapter has a function `describe_app`, which takes any object. It
returns a GuardedApp where it finds a guard of its adapter in or around the object, and None where
it does not know the object. It raises UnguardedApplicationError where it knows the framework, but
finds no guard. Where the commands of the framework are the right ones, it raises ApplicationError,
and `OWN_COMMAND` of the module names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from corsguard import Guard, Problem
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.route_table import RouteRow

if TYPE_CHECKING:
    from corsguard.cli.change_format import ChangeFormatter
    from corsguard.explain.fixes import Transport
    from corsguard.origin import Origin

__all__ = [
    "ApplicationError",
    "Findings",
    "GuardedApp",
    "RouteListing",
    "UnguardedApplicationError",
]


class ApplicationError(Exception):
    """An application that a command can't use. The message is one line: why, and what to do."""


class UnguardedApplicationError(ApplicationError):
    """An application without a guard. The message says how to add one."""


class Findings(NamedTuple):
    """What `check` reports about an application."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    """Lines about what may look like a problem and is none."""


class RouteListing(NamedTuple):
    """The routes of an application with their policies."""

    rows: tuple[RouteRow, ...]
    note: str = ""
    """A line about what the rows do not show; may be empty."""


class GuardedApp(Protocol):
    """An application with a guard."""

    @property
    def guard(self) -> Guard:
        """The guard, with the policies of the views if the adapter has these."""
        ...

    @property
    def view_policies(self) -> Mapping[str, PolicyOrList | None]:
        """The policies of views: the owner of each in words, such as `the view items`, -> it."""
        ...

    @property
    def format_change(self) -> ChangeFormatter:
        """The formatter for a suggested change of the guard's policies."""
        ...

    def find_problems(self) -> Findings:
        """Return what is wrong with the guard and with its place in the application."""
        ...

    def list_routes(self) -> RouteListing:
        """Return a row for each URL and each policy that may apply to it."""
        ...

    def build_trial(self, origin: Origin) -> Transport:
        """Return the transport to the application at origin, which calls none of its views."""
        ...
