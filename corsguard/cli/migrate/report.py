"""The report of `corsguard migrate`, on the standard error."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from corsguard import Problem
from corsguard.cli.migrate.comparison import Comparison
from corsguard.cli.migrate.configuration import PeerConfiguration, ToDo
from corsguard.cli.migrate.translation import Translation
from corsguard.cli.terminal import ConsoleWriter, format_count, make_printable

__all__ = ["MigrationReport"]

_MAX_VIEWS = 3


class MigrationReport:
    """What was read, what has to be decided, and what changes, as text on a console."""

    def __init__(self, console: Console) -> None:
        self._writer = ConsoleWriter(console)

    def write_configuration(self, name: str, configuration: PeerConfiguration) -> None:
        """Write what has been read, and where."""
        count = format_count(len(configuration.policies), "configuration")
        self._writer.write_line(
            make_printable(f"{name}: {configuration.peer} {configuration.version}, {count}"),
            "bold",
        )
        for policy in configuration.policies:
            scope = ", ".join(policy.scope.prefixes) or _list_views(policy.scope.views)
            self._writer.write_line(make_printable(f"{policy.place}: {scope}"), indent="  ")

    def write_todos(self, todos: Sequence[ToDo]) -> None:
        """Write what a person has to decide, with the place of the code."""
        for todo in todos:
            self._writer.write_heading(f"to do{f': {todo.place}' if todo.file else ''}", _TODO)
            self._writer.write_line(make_printable(todo.message), indent="  ")

    def write_problems(self, problems: Sequence[Problem], advice: str) -> None:
        """Write why the policies do not start. `advice` is the way out, may be empty."""
        for problem in problems:
            title = f"refused: {make_printable(problem.field)} [{problem.code}]"
            self._writer.write_heading(title, "bold red")
            self._writer.write_line(make_printable(problem.message), indent="  ")
            self._writer.write_row("fix", make_printable(problem.suggestion), "bold")
        self._writer.write_addresses(problems)
        if advice:
            self._writer.write_heading("how to find the origins", "bold")
            self._writer.write_line(advice, indent="  ")

    def write_notes(self, translation: Translation) -> None:
        """Write what the translation has changed or left out."""
        if translation.notes:
            self._writer.write_heading("changes", "bold")
        for note in translation.notes:
            self._writer.write_line(make_printable(note), indent="  - ")

    def write_comparison(self, comparison: Comparison, peer: str) -> None:
        """Write what browsers get that differs from what the peer sends."""
        self._writer.write_heading("replay")
        count = format_count(len(comparison.differences), "difference")
        self._writer.write_line(
            f"{comparison.number} requests through {peer} and through corsguard: {count}",
            indent="  ",
        )
        for each in comparison.differences:
            style = "red" if each.is_loss else ""
            self._writer.write_line(make_printable(each.sentence), style, "  - ")

    def write_result(self, text: str, is_good: bool) -> None:
        """Write the result in one line."""
        self._writer.write_heading(text, "bold green" if is_good else "bold yellow")


_TODO = "bold yellow"


def _list_views(views: Sequence[str]) -> str:
    if not views:
        return "no view"
    shown = ", ".join(views[:_MAX_VIEWS])
    more = len(views) - _MAX_VIEWS
    kind = "view" if len(views) == 1 else "views"
    return f"{kind} {shown}{f' and {more} more' if more > 0 else ''}"
