"""Running the system checks and `manage.py corsguard` under changed settings."""

from __future__ import annotations

from io import StringIO
from typing import Any

import support.django_project  # noqa: F401  # the settings
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.test import override_settings


def find_messages(**changed: Any) -> list[CheckMessage]:
    """Return the messages of the checks, each of which has a hint."""
    with override_settings(**changed):
        messages = run_checks(tags=["corsguard"])
    assert all(message.hint for message in messages), messages
    return messages


def find_ids(**changed: Any) -> list[str]:
    """Return the ids of the messages, without `corsguard.`."""
    return [str(message.id).removeprefix("corsguard.") for message in find_messages(**changed)]


def run_command(*arguments: str, **changed: Any) -> str:
    """Return what `manage.py corsguard` writes, to stdout and stderr."""
    out = StringIO()
    with override_settings(**changed):
        call_command("corsguard", *arguments, stdout=out, stderr=out, no_color=True)
    return out.getvalue()
