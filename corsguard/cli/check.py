"""`corsguard check`: the problems of a configuration file, or the policies in it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from corsguard import Guard, PolicyError, Problem
from corsguard.cli.check_report import CheckReport
from corsguard.cli.terminal import fail, open_console
from corsguard.guard.arguments import build_guard
from corsguard.policy.suggestion_formats import as_toml
from corsguard.policy.warning_filter import ignore_policy_warnings

__all__ = ["build_document", "load_guard", "run_check"]


def run_check(file: str, *, as_json: bool) -> int:
    """Report on file. Return the exit code: 1 if it has problems, else 0."""
    problems: list[Problem] = []
    guard = None
    try:
        guard = _read_guard(file)
    except PolicyError as error:
        problems = [as_toml(problem) for problem in error.problems]
    warnings = [as_toml(warning.problem) for warning in guard.warnings] if guard else []
    if as_json:
        click.echo(build_document({"file": file}, problems, warnings))
    else:
        report = CheckReport(open_console())
        report.write_problems(file, problems, warnings)
        if guard:
            report.write_policies(guard)
    return 1 if problems else 0


def build_document(
    checked: dict[str, str], problems: Iterable[Problem], warnings: Iterable[Problem]
) -> str:
    """Return the JSON document of a check; `checked` is what was checked: its kind -> its name."""
    found = {
        **checked,
        "problems": [problem.as_dict() for problem in problems],
        "warnings": [problem.as_dict() for problem in warnings],
    }
    return json.dumps(found, indent=2)


def load_guard(file: str) -> Guard:
    """Return the guard of a file. End the command where the file can't be read or has problems."""
    try:
        return _read_guard(file)
    except PolicyError as error:
        problems = "a problem" if len(error.problems) == 1 else f"{len(error.problems)} problems"
        fail(f"{file} has {problems}, see `corsguard check`: {as_toml(error.problems[0])}")


def _read_guard(file: str) -> Guard:
    """Return the guard of a file. End the command where the file can't be read.

    Raises PolicyError where the file has problems.
    """
    try:
        with ignore_policy_warnings():  # `check` reports them
            return build_guard(Guard.from_file(file))
    except PolicyError:
        raise
    except OSError as error:
        fail(f"{file}: can't be read: {error.strerror or error}")
    except ValueError as error:
        fail(str(error))
