"""The text of a change, as it goes into a file, a framework's setting or an application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from corsguard.escaping import quote
from corsguard.explain.changes import Change
from corsguard.policy import Policy

__all__ = [
    "ChangeFormatter",
    "FormattedChange",
    "build_setting_formatter",
    "format_as_python",
    "format_as_toml",
]


class FormattedChange(NamedTuple):
    """The line that makes a change, and where it goes."""

    line: str
    place: str
    """The table header of a file, or a comment that names the place. May be empty."""
    opening: str = ""
    """The line before, where the place has no policy yet."""
    closing: str = ""
    """The line after, where the place has no policy yet."""


ChangeFormatter = Callable[[Change], FormattedChange]


def format_as_toml(change: Change) -> FormattedChange:
    """Format a change for a configuration file."""
    return FormattedChange(change.as_toml, change.table)


def format_as_python(change: Change) -> FormattedChange:
    """Format a change as the argument of a Policy in an application."""
    kind, name, policy = change.place.kind, change.place.name, change.place.policy
    if change.place.policies:
        return FormattedChange(change.as_python, f"# {change.place.entry}")
    if kind == "everywhere":
        return FormattedChange(change.as_python, "# the policy")
    if kind == "view":
        none = "" if policy else ", which has none"
        return FormattedChange(change.as_python, f"# the policy of {change.place.holder}{none}")
    if policy:
        return FormattedChange(change.as_python, f"# the policy of the route {name}")
    place = "# the policies by route"
    return FormattedChange(change.as_python, place, f"{quote(name)}: Policy(", "),")


def build_setting_formatter(setting: object, name: str) -> ChangeFormatter:
    """Return the formatter for a framework's setting.

    `setting` is its value: a mapping in the shape of a configuration file, a Policy, or a Guard.
    `name` is what the framework calls it, such as `app.config["CORSGUARD"]`.
    """
    if not isinstance(setting, Mapping):
        return format_as_python
    routes = setting.get("routes", {})

    def format_change(change: Change) -> FormattedChange:
        kind, prefix, policy = change.place.kind, change.place.name, change.place.policy
        given, position = routes.get(prefix), change.place.position
        if position is not None and kind == "route":
            given, place = given[position], f'# in {name}["routes"][{quote(prefix)}][{position}]'
            if not isinstance(given, Policy):
                return FormattedChange(change.as_item, place)
        if kind == "view" or isinstance(given, Policy):
            return format_as_python(change)
        if kind == "everywhere":
            return FormattedChange(change.as_item, f"# in {name}")
        if policy:
            return FormattedChange(change.as_item, f'# in {name}["routes"][{quote(prefix)}]')
        place = f'# in {name}["routes"]'
        return FormattedChange(change.as_item, place, f"{quote(prefix)}: {{", "},")

    return format_change
