"""`check`, `routes` and `explain` with `--app`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING

import click

from corsguard import PolicyError
from corsguard.cli.application.adapters import describe_app
from corsguard.cli.application.guarded_app import (
    ApplicationError,
    Findings,
    GuardedApp,
    UnguardedApplicationError,
)
from corsguard.cli.application.loader import find_place, load_application
from corsguard.cli.check import build_document
from corsguard.cli.check_report import CheckReport
from corsguard.cli.explain import run_explain
from corsguard.cli.route_listing import write_routes
from corsguard.cli.terminal import fail, open_console
from corsguard.escaping import show_value
from corsguard.policy.warning_filter import ignore_policy_warnings

if TYPE_CHECKING:
    from corsguard.explain.question import Question

__all__ = ["run_app_check", "run_app_explain", "run_app_routes"]


def run_app_check(name: str, *, is_factory: bool, as_json: bool) -> int:
    """Report on an application. Return the exit code: 1 if it has problems or no guard, else 0."""
    app, place = None, ""
    try:
        app = _open(name, is_factory=is_factory)
        findings = app.find_problems()
    except PolicyError as error:
        findings = Findings(error.problems)
        place = find_place(error)
    except UnguardedApplicationError as error:
        fail(str(error), 1)
    except ApplicationError as error:
        fail(str(error))
    if as_json:
        checked = {"app": name, "place": place} if place else {"app": name}
        click.echo(build_document(checked, findings.problems, findings.warnings))
    else:
        report = CheckReport(open_console(), show_value)
        title = f"{name} ({place})" if place else name
        report.write_problems(title, findings.problems, findings.warnings)
        report.write_notes(findings.notes)
        if app:
            report.write_policies(app.guard, app.view_policies)
    return 1 if findings.problems else 0


def run_app_routes(name: str, *, is_factory: bool) -> int:
    """Write a table of the routes of an application with their policies. Return the exit code."""
    listing = _load(name, is_factory=is_factory).list_routes()
    write_routes(listing.rows, sys.stdout)
    if not listing.rows:
        click.echo(f"{name}: no routes", err=True)
    elif listing.note:
        click.echo(f"\n{name}: {listing.note}", err=True)
    return 0


def run_app_explain(question: Question, name: str, *, is_factory: bool) -> int:
    """Explain what happens to a request of an application. Return the exit code."""
    app = _load(name, is_factory=is_factory)
    trial = app.build_trial(question.origin)
    return run_explain(question, app.guard, trial, app.format_change)


def _load(name: str, *, is_factory: bool) -> GuardedApp:
    """Return an application with its guard. End the command where that is not possible."""
    try:
        return _open(name, is_factory=is_factory)
    except PolicyError as error:
        count = len(error.problems)
        problems = "a problem" if count == 1 else f"{count} problems"
        option = f"--app {quote(name)}{' --factory' if is_factory else ''}"
        fail(f"{name} has {problems}, see `corsguard check {option}`: {error.problems[0]}")
    except ApplicationError as error:
        fail(str(error))


def _open(name: str, *, is_factory: bool) -> GuardedApp:
    """Return an application with its guard. Raises ApplicationError and PolicyError."""
    with ignore_policy_warnings(), _silence_log():  # `check` reports both
        return describe_app(load_application(name, is_factory=is_factory), name)


@contextmanager
def _silence_log() -> Iterator[None]:
    """Drop what corsguard logs about policies that do not start."""
    logger = logging.getLogger("corsguard")
    logger.addFilter(_refuse)
    try:
        yield
    finally:
        logger.removeFilter(_refuse)


def _refuse(_: logging.LogRecord) -> bool:
    return False
