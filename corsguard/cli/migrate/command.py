"""`corsguard migrate`: read a peer's configuration, translate it, and print both."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import IO, NamedTuple

import click

from corsguard import PolicyError, Problem
from corsguard.cli.application.guarded_app import ApplicationError
from corsguard.cli.application.loader import load_application
from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError, ToDo
from corsguard.cli.migrate.output import FormError, as_document, format_text
from corsguard.cli.migrate.peers import read_peer
from corsguard.cli.migrate.report import MigrationReport
from corsguard.cli.migrate.translation import Translation, find_problems, translate
from corsguard.cli.terminal import fail, format_count, open_console

__all__ = ["FORMATS", "MigrateOptions", "migrate", "run_migrate"]

FORMATS = ("text", "python", "toml", "json")
_OPEN_CODES = frozenset(
    {"wildcard-with-credentials", "origin-public-suffix", "regex-too-wide", "no-origins"}
)
"""The problems whose fix is a list of origins that only the traffic can tell."""
_SHADOW_ADVICE = (
    "corsguard does not pick origins for you. Run it in shadow mode around {peer} first, with "
    "shadow=True: no response changes. `corsguard shadow-report LOG` then prints the origins "
    "that were really served, which is the list that the policy needs."
)


class MigrateOptions(NamedTuple):
    """The options of the command."""

    form: str = "text"
    """One of FORMATS."""
    is_replayed: bool = True
    paths: tuple[str, ...] = ()
    """The paths to replay requests to. Empty for those of the router."""


def run_migrate(name: str, *, is_factory: bool, options: MigrateOptions) -> int:
    """Translate the configuration of an application. Return the exit code."""
    try:
        app = load_application(name, is_factory=is_factory)
        configuration = read_peer(app, name)
    except PolicyError as error:
        fail(f"{name} has a policy of corsguard, which does not start: {error.problems[0]}")
    except (ApplicationError, PeerError) as error:
        fail(str(error).removeprefix("--app "))
    return migrate(configuration, name, options)


def migrate(
    configuration: PeerConfiguration,
    name: str,
    options: MigrateOptions,
    output: IO[str] | None = None,
) -> int:
    """Write the policies to the standard output, or to `output`, and the report to the error.

    Returns 0 if the policies start, nothing is left to do, and no request that browsers could send
    before is blocked now; else 1.
    """
    translation = translate(configuration)
    problems = find_problems(translation)
    text = ""
    if options.form != "json":
        try:
            text = format_text(translation, options.form, configuration)
        except FormError as error:
            translation = translation._replace(todos=(*translation.todos, ToDo(str(error))))
    code = 1 if problems or translation.todos else 0
    if options.form == "json":
        text = f"{json.dumps(_build_document(name, configuration, translation, problems), indent=2)}\n"
    else:
        _write_report(name, configuration, translation, problems)
    (output or sys.stdout).write(text)
    return code


def _write_report(
    name: str,
    configuration: PeerConfiguration,
    translation: Translation,
    problems: Sequence[Problem],
) -> None:
    report = MigrationReport(open_console(sys.stderr))
    report.write_configuration(name, configuration)
    report.write_notes(translation)
    report.write_todos(translation.todos)
    advice = _SHADOW_ADVICE.format(peer=configuration.peer)
    report.write_problems(problems, advice if _has_open_problem(problems) else "")
    report.write_result(*_summarise(translation, problems))


def _has_open_problem(problems: Sequence[Problem]) -> bool:
    return any(problem.code in _OPEN_CODES for problem in problems)


def _summarise(translation: Translation, problems: Sequence[Problem]) -> tuple[str, bool]:
    """Return the result in one line, and True if it is a good one."""
    counts = []
    if problems:
        counts.append(f"does not start: {format_count(len(problems), 'problem')}")
    if translation.todos:
        counts.append(f"{len(translation.todos)} to do")
    return ", ".join(counts) or "starts", not counts


def _build_document(
    name: str,
    configuration: PeerConfiguration,
    translation: Translation,
    problems: Sequence[Problem],
) -> dict[str, object]:
    return {
        "app": name,
        "peer": configuration.peer,
        "version": configuration.version,
        **as_document(translation),
        "notes": list(translation.notes),
        "todos": [todo._asdict() for todo in translation.todos],
        "problems": [problem.as_dict() for problem in problems],
    }
