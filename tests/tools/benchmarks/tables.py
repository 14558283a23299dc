"""Goals and tables: in the terminal, and in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table as RichTable


class Goal(NamedTuple):
    """One figure and the most that it may be."""

    what: str
    measured: float
    most: float
    unit: str
    met: bool

    @classmethod
    def at_most(cls, what: str, measured: float, most: float, unit: str) -> Goal:
        return cls(what, measured, most, unit, measured <= most)


class Table(NamedTuple):
    """A table of texts, the first columns of which say what the row is."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int
    notes: Sequence[str] = ()

    def show(self, console: Console) -> None:
        table = RichTable(title=self.title, title_justify="left", title_style="bold")
        for at, column in enumerate(self.columns):
            table.add_column(column, justify="left" if at < self.labels else "right")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for note in self.notes:
            console.print(f"{note}.")

    def markdown(self) -> str:
        aligned = ["---" if at < self.labels else "---:" for at in range(len(self.columns))]
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, aligned, *self.rows)]
        notes = "".join(f"* {note}.\n" for note in self.notes)
        body = "\n".join(lines)
        return f"### {self.title}\n\n{body}\n" + (f"\n{notes}" if notes else "")


def goal_table(goals: Iterable[Goal]) -> Table:
    return Table(
        "The goals",
        ("goal", "at most", "measured", ""),
        [
            (
                goal.what,
                f"{goal.most:.3g} {goal.unit}",
                f"{goal.measured:.3g}",
                "met" if goal.met else "not met",
            )
            for goal in goals
        ],
        labels=1,
    )
