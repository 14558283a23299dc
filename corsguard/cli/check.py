"""`corsguard check`: what is wrong with a configuration file, or what it puts in force."""

from __future__ import annotations

import json
import warnings

import click

from corsguard import Guard, Policies, Policy, PolicyError, PolicyWarning, Problem
from corsguard.cli.check_report import Report
from corsguard.cli.terminal import console, fail
from corsguard.guard.arguments import build_guard
from corsguard.policy.suggestion_forms import as_toml

__all__ = ["by_route", "check", "guard_of", "sound_guard_of"]


def check(file: str, *, as_json: bool) -> int:
    """Report on file, and return the exit code."""
    problems: list[Problem] = []
    guard = None
    try:
        guard = guard_of(file)
    except PolicyError as error:
        problems = [as_toml(problem) for problem in error.problems]
    policies = by_route(guard.policies) if guard else {}
    warnings = [as_toml(warning.problem) for warning in guard.warnings] if guard else []
    if as_json:
        click.echo(_document(file, problems, warnings))
    else:
        report = Report(console())
        report.findings(file, problems, warnings)
        if guard:
            report.in_force(policies, guard)
    return 1 if problems else 0


def by_route(policies: Policies) -> dict[str, Policy | None]:
    """The policies by route prefix; one that holds for every path has the prefix ""."""
    if policies is None or isinstance(policies, Policy):
        return {"": policies}
    return dict(policies)


def guard_of(file: str) -> Guard:
    """The guard of a file; its warnings are for `check` to tell. Raises PolicyError.

    Ends the command where the file can't be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PolicyWarning)
            return build_guard(Guard.from_file(file))
    except PolicyError:
        raise
    except OSError as error:
        fail(f"{file}: can't be read: {error.strerror or error}")
    except ValueError as error:
        fail(str(error))


def sound_guard_of(file: str) -> Guard:
    """The same, and the command ends where the file has problems as well."""
    try:
        return guard_of(file)
    except PolicyError as error:
        problems = "a problem" if len(error.problems) == 1 else f"{len(error.problems)} problems"
        fail(f"{file} has {problems}, see `corsguard check`: {as_toml(error.problems[0])}")


def _document(file: str, problems: list[Problem], warnings: list[Problem]) -> str:
    found = {
        "file": file,
        "problems": [problem.as_dict() for problem in problems],
        "warnings": [problem.as_dict() for problem in warnings],
    }
    return json.dumps(found, indent=2)
