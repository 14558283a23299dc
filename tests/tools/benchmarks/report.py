"""The figures as tables: in the terminal, and in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from platform import python_version
from textwrap import fill
from typing import NamedTuple

from rich.console import Console
from rich.table import Table as RichTable
from tools.benchmarks.goals import Goal
from tools.benchmarks.growth_costs import HIT, Grown, GrowthCosts
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.rounds import Spread
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import BARE, CORSGUARD
from tools.benchmarks.startup_costs import StartupCosts
from tools.benchmarks.workload import REQUESTS


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
            console.print(note)

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


def request_table(costs: RequestCosts) -> Table:
    return Table(
        "What a request costs, ten exact origins",
        ("stack", "layer", *REQUESTS),
        list(_request_rows(costs)),
        labels=2,
        notes=(
            "Microseconds: in all where the stack is bare, and what the layer adds to that "
            "elsewhere, which is less than nothing where it answers in place of the application. "
            "Medians, and the middle half of the rounds in brackets",
            *(stack.lacks for stack in STACKS if stack.lacks),
        ),
    )


def _request_rows(costs: RequestCosts) -> Iterator[tuple[str, ...]]:
    for stack in STACKS:
        for layer in stack.layers:
            if layer == BARE:
                spreads = [costs.bare(stack.name, request) for request in REQUESTS]
            else:
                spreads = [costs.added(stack.name, request, layer) for request in REQUESTS]
            yield stack.name, layer, *map(_format_spread, spreads)


def growth_table(costs: GrowthCosts) -> Table:
    return Table(
        "What the number of origins adds",
        ("stack", "layer", "listed", "asked", *(f"{count:,}" for count in costs.counts)),
        [
            (
                key.stack,
                key.layer,
                "subdomains" if key.subdomains else "exact",
                key.asked,
                *_growth(costs, key),
            )
            for key in costs.series()
        ],
        labels=4,
        notes=(
            "Added microseconds per request, by how many are listed. A hit is the last that is "
            "listed, a miss an origin that is not",
            "A dash: left out, for it would have taken too long to build or to answer",
        ),
    )


def _growth(costs: GrowthCosts, key: Grown) -> Iterator[str]:
    for count in costs.counts:
        spread = costs.added(key._replace(size=count))
        yield "-" if spread is None else f"{spread.median:,.2f}"


def startup_table(starting: StartupCosts) -> Table:
    return Table(
        "100,000 origins",
        ("what", "exact", "subdomains"),
        [
            ("build and validate, s", f"{starting.build:.2f}", f"{starting.build_subdomains:.2f}"),
            (
                "memory an origin over the strings, bytes",
                f"{starting.memory:.0f}",
                f"{starting.memory_subdomains:.0f}",
            ),
            ("the same when all have been asked from", f"{starting.memory_asked:.0f}", ""),
            ("swap of the policies, ms", f"{starting.swap * 1e3:.3f}", ""),
            (
                "99th percentile of requests, one each ms, ms",
                f"{starting.waiting_alone * 1e3:.2f}",
                "",
            ),
            (
                "the same while a thread counts, ms",
                f"{starting.waiting_beside_counting * 1e3:.2f}",
                "",
            ),
            ("the same while a thread reconfigures, ms", f"{starting.waiting * 1e3:.2f}", ""),
        ],
        labels=1,
    )


def headline(requests: RequestCosts, growth: GrowthCosts) -> str:
    """Return the README's sentence, in lines of its width."""
    beside = " ".join(
        f"On {stack.name}, an allowed request takes "
        f"{requests.added(stack.name, 'allowed', CORSGUARD).median:.2g} us longer, and "
        f"{requests.added(stack.name, 'allowed', stack.peer).median:.2g} with {stack.peer}."
        for stack in STACKS
        if stack.name in {"Flask", "Django", "ASGI"}
    )
    hit = Grown("ASGI", CORSGUARD, subdomains=False, asked=HIT, size=10_000)
    many, theirs = growth.added(hit), growth.added(hit._replace(layer="Starlette's own"))
    assert many is not None
    assert theirs is not None
    same = f"With 10,000 origins instead of ten, {many.median:.2g} and {theirs.median:.3g} us."
    return fill(f"{beside} {same} (Python {python_version()}, in process, medians.)", 100)


def _format_spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"
