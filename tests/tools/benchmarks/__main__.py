"""The cost of corsguard, beside its peers and the floor: run by `tox -e bench`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from tools.benchmarks import page, plot, regression_check, report, startup_costs
from tools.benchmarks.goals import growth_goals, request_goals, startup_goals
from tools.benchmarks.growth_costs import GrowthCosts
from tools.benchmarks.request_costs import RequestCosts

_DOCS = Path(__file__).parents[3] / "docs"


@click.command()
@click.option("--short", "is_short", is_flag=True, help="Only the ratios that must not get worse.")
@click.option("--rounds", default=150, help="How often each kind of request is timed.")
@click.option("--docs", default=_DOCS, type=click.Path(path_type=Path), help="Where to write.")
def main(is_short: bool, rounds: int, docs: Path) -> None:
    """Measure what a request costs, and write docs/benchmarks.md and docs/benchmarks.svg."""
    logging.getLogger().addHandler(
        logging.NullHandler()
    )  # logging costs, so its lines are made and dropped
    console = Console(width=150)
    if is_short:
        sys.exit(regression_check.check(console))
    requests = RequestCosts()
    requests.rounds.run(track(range(rounds), "kinds of request", console=console))
    growth = GrowthCosts()
    growth.rounds.run(track(range(rounds // 3), "numbers of origins", console=console))
    start = startup_costs.measure()
    goals = [*request_goals(requests), *growth_goals(growth), *startup_goals(start)]
    tables = [
        report.goal_table(goals),
        report.request_table(requests),
        report.growth_table(growth),
        report.startup_table(start),
    ]
    for table in tables:
        table.show(console)
    is_first = page.is_first(docs / "benchmarks.md")
    page.update(docs / "benchmarks.md", tables)
    if is_first:
        plot.draw(docs / "benchmarks.svg", requests, growth)
        page.update_headline(docs.parent / "README.md", report.headline(requests, growth))


if __name__ == "__main__":
    main()
