"""The cost of corsguard, beside its peers and the floor: run by `tox -e bench`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from tools.benchmarks import (
    end_to_end,
    instruction_counts,
    million_costs,
    page,
    plot,
    refusal_costs,
    regression_check,
    report,
    startup_costs,
    wrk,
)
from tools.benchmarks.goals import (
    growth_goals,
    million_goals,
    refusal_goals,
    request_goals,
    startup_goals,
)
from tools.benchmarks.growth_costs import GrowthCosts
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.tables import Table, goal_table

_DOCS = Path(__file__).parents[3] / "docs"


@click.command()
@click.option("--short", "is_short", is_flag=True, help="Only what must not get worse.")
@click.option("--end-to-end", "is_end_to_end", is_flag=True, help="Only real servers under load.")
@click.option("--baseline", "is_baseline", is_flag=True, help="Only count, and keep the counts.")
@click.option("--rounds", default=150, help="How often each kind of request is timed.")
@click.option("--docs", default=_DOCS, type=click.Path(path_type=Path), help="Where to write.")
def main(is_short: bool, is_end_to_end: bool, is_baseline: bool, rounds: int, docs: Path) -> None:
    """Measure what a request costs, and write docs/benchmarks.md and docs/benchmarks.svg.

    --end-to-end measures requests per second behind servers, and writes its section of the page.
    --baseline replaces the counts of instructions that --short compares with.
    """
    logging.getLogger().addHandler(
        logging.NullHandler()
    )  # logging costs, so its lines are made and dropped
    console = Console(width=150)
    if is_short:
        sys.exit(regression_check.check(console))
    if is_end_to_end:
        _measure_end_to_end(console, docs)
    elif is_baseline:
        _write_baseline()
    else:
        _measure_in_process(console, rounds, docs)


def _measure_in_process(console: Console, rounds: int, docs: Path) -> None:
    requests = RequestCosts()
    requests.rounds.run(track(range(rounds), "kinds of request", console=console))
    growth = GrowthCosts()
    growth.rounds.run(track(range(rounds // 3), "numbers of origins", console=console))
    refusals = refusal_costs.measure()
    console.print("100,000 origins ...")
    start = startup_costs.measure()
    console.print("1,000,000 origins ...")
    million = million_costs.measure()
    goals = [
        *request_goals(requests),
        *growth_goals(growth),
        *refusal_goals(refusals),
        *startup_goals(start),
        *million_goals(million),
    ]
    tables = [
        goal_table(goals),
        report.request_table(requests),
        report.growth_table(growth),
        report.refusal_table(refusals),
        report.startup_table(start),
        report.million_table(million),
        *_count_instructions(console),
    ]
    for table in tables:
        table.show(console)
    is_first = page.is_first(docs / "benchmarks.md")
    page.update(docs / "benchmarks.md", tables)
    if is_first:
        plot.draw(docs / "benchmarks.svg", requests, growth)
        page.update_headline(
            docs.parent / "README.md", str(report.build_headline(requests, growth))
        )


def _count_instructions(console: Console) -> Iterator[Table]:
    console.print("instructions ...")
    counts = instruction_counts.count()
    if counts is None:
        console.print(instruction_counts.NO_VALGRIND)
    else:
        yield instruction_counts.instruction_table(counts)


def _measure_end_to_end(console: Console, docs: Path) -> None:
    try:
        throughput = end_to_end.measure(console)
    except wrk.NoLoadError as error:
        raise click.ClickException(str(error)) from None
    table = end_to_end.throughput_table(throughput)
    table.show(console)
    page.update_end_to_end(docs / "benchmarks.md", end_to_end.PACKAGES, table)


def _write_baseline() -> None:
    counts = instruction_counts.count()
    if counts is None:
        raise click.ClickException(instruction_counts.NO_VALGRIND)
    instruction_counts.write_baseline(counts)


if __name__ == "__main__":
    main()
