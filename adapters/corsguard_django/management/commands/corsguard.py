"""`manage.py corsguard check` and `manage.py corsguard routes`."""

from __future__ import annotations

from argparse import ArgumentParser
from re import Pattern
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from corsguard import OriginEntry, Policy, PolicyError
from corsguard_django.checks import TAG
from corsguard_django.configuration import configured, placed


class Command(BaseCommand):
    """What a project's CORS configuration says, and whether it is right."""

    help = "Checks the CORS configuration, or shows which policy holds where."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("check", help="run the system checks of corsguard alone")
        actions.add_parser("routes", help="list every route and view that has a policy")

    def handle(self, *_: Any, action: str, **__: Any) -> None:
        if action == "check":
            self.check(tags=[TAG], display_num_errors=True)
            return
        try:
            rows = list(placed(configured().guard))
        except PolicyError as error:
            raise CommandError(str(error)) from None
        width = max((len(place) for place, _ in rows), default=0)
        for place, policy in rows:
            self.stdout.write(f"{place:{width}}  {_described(policy)}")


def _described(policy: Policy | None) -> str:
    if policy is None:
        return "no CORS"
    parts = [", ".join(map(_shown, policy.allow_origins))]
    if policy.allow_credentials:
        parts.append("credentials")
    for name, values in (("methods", policy.allow_methods), ("headers", policy.allow_headers)):
        if values:
            parts.append(f"{name} {', '.join(values)}")
    return "; ".join(parts)


def _shown(entry: OriginEntry) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, Pattern):
        return f"/{entry.pattern}/"
    return f"{getattr(entry, '__qualname__', repr(entry))}()"
