"""`corsguard migrate`: read a peer's configuration, translate it, and print both."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import IO, NamedTuple

from corsguard import PolicyError, Problem
from corsguard.cli.application.guarded_app import ApplicationError
from corsguard.cli.application.loader import load_application
from corsguard.cli.migrate.comparison import Comparison, compare_layers
from corsguard.cli.migrate.configuration import PeerConfiguration, PeerError, ToDo
from corsguard.cli.migrate.output import FormError, as_document, format_text
from corsguard.cli.migrate.peers import read_peer
from corsguard.cli.migrate.report import MigrationReport
from corsguard.cli.migrate.translation import Translation, find_problems, translate
from corsguard.cli.terminal import fail, format_count, open_console
from corsguard.policy.warning_filter import ignore_policy_warnings

__all__ = ["FORMATS", "MigrateOptions", "migrate", "run_migrate"]

FORMATS = ("text", "python", "toml", "json")
_OPEN_CODES = frozenset(
    {
        "wildcard-with-credentials",
        "origin-public-suffix",
        "regex-too-wide",
        "regex-too-slow",
        "no-origins",
    }
)
"""The problems whose fix is a list of origins that only the traffic can tell."""
_SHADOW_ADVICE = (
    "corsguard does not pick origins for you. Run it in shadow mode around {peer} first, with "
    "shadow=True: no response changes. `corsguard shadow-report LOG` then prints the origins "
    "that were really served, which is the list that the policy needs."
)


class Migration(NamedTuple):
    """Everything that is known about the move of one application."""

    name: str
    """What the user calls the application."""
    configuration: PeerConfiguration
    translation: Translation
    problems: tuple[Problem, ...]
    """Why the policies do not start; empty if they do."""
    comparison: Comparison | None
    """None if nothing has been replayed."""

    @property
    def has_loss(self) -> bool:
        """True if something that pages could do is blocked."""
        return self.comparison is not None and self.comparison.has_loss

    @property
    def is_done(self) -> bool:
        """True if the policies start, and nothing is left to do or is lost."""
        return not (self.problems or self.translation.todos or self.has_loss)

    @property
    def result(self) -> str:
        """The result in one line."""
        parts = ["starts"]
        if self.problems:
            parts = [f"does not start: {format_count(len(self.problems), 'problem')}"]
        if self.translation.todos:
            parts.append(f"{len(self.translation.todos)} to do")
        if self.has_loss:
            parts.append("blocks what was allowed")
        return ", ".join(parts)

    def as_dict(self) -> dict[str, object]:
        """Return all of it for JSON."""
        compared = self.comparison
        return {
            "app": self.name,
            "peer": self.configuration.peer,
            "version": self.configuration.version,
            "result": self.result,
            **as_document(self.translation),
            "notes": list(self.translation.notes),
            "todos": [todo._asdict() for todo in self.translation.todos],
            "problems": [problem.as_dict() for problem in self.problems],
            "replayed": compared.number if compared else 0,
            "differences": [each.as_dict() for each in compared.differences] if compared else [],
        }


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
        with redirect_stdout(sys.stderr):  # the constructor of a subclass may print
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
    comparison = None
    if options.is_replayed and not problems:
        # `check` reports the warnings.
        with ignore_policy_warnings(), redirect_stdout(sys.stderr):
            comparison = compare_layers(configuration, translation, options.paths)
    migration = Migration(name, configuration, translation, problems, comparison)
    if options.form == "json":
        text = f"{json.dumps(migration.as_dict(), indent=2)}\n"
    else:
        _write_report(migration)
    (output or sys.stdout).write(text)
    return 0 if migration.is_done else 1


def _write_report(migration: Migration) -> None:
    report = MigrationReport(open_console(sys.stderr))
    peer = migration.configuration.peer
    report.write_configuration(migration.name, migration.configuration)
    report.write_notes(migration.translation)
    report.write_todos(migration.translation.todos)
    advice = _SHADOW_ADVICE.format(peer=peer) if _has_open_problem(migration.problems) else ""
    report.write_problems(migration.problems, advice)
    if migration.comparison is not None:
        report.write_comparison(migration.comparison, peer)
    report.write_result(migration.result, migration.is_done)


def _has_open_problem(problems: Sequence[Problem]) -> bool:
    return any(problem.code in _OPEN_CODES for problem in problems)
