"""A fleet of 8 workers that follows each kind of store, measured from outside: `tox -e fleet`."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tools.benchmarks.tables import goal_table
from tools.fleet import cold_start, followers, request_path
from tools.fleet.propagation import LONG, SHORT, Sizes, measure_store
from tools.fleet.report import (
    Figures,
    as_json,
    follower_table,
    list_goals,
    many_table,
    store_table,
    worker_table,
)
from tools.fleet.stores import REDIS, STORES

_MILLION = 1_000_000
_FOLLOWERS = 1_000
_WRITES = 10
_IDLE_SECONDS = 20.0
_PATH_ROUNDS = 200


@click.command()
@click.option("--short", "is_short", is_flag=True, help="A few rounds of each: under a minute.")
@click.option(
    "--store",
    "stores",
    type=click.Choice(STORES, case_sensitive=False),
    multiple=True,
    help="Only these stores, without the simulation and the start of a worker.",
)
@click.option("--rounds", type=int, help="How often a small policy is published.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Where to write the figures.")
def main(is_short: bool, stores: Sequence[str], rounds: int | None, path: Path | None) -> None:
    """Measure how fast 8 workers follow a change, by their responses alone.

    Starts redis-server and PostgreSQL itself. Exits with 1 if a request got no response, or, unless
    --short is given, a goal is not met.
    """
    logging.getLogger("corsguard").addHandler(logging.NullHandler())
    console = Console(width=130)
    load = os.getloadavg()
    figures = _measure(console, is_short=is_short, stores=stores, rounds=rounds)
    goals = [*list_goals(figures)]
    tables = [goal_table(goals), store_table(figures.stores), worker_table(figures)]
    if figures.followers is not None:
        tables += [follower_table(figures.followers), many_table(figures.followers)]
    for table in tables:
        table.show(console)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(as_json(figures, load), indent=2)
        path.write_text(f"{content}\n", encoding="utf-8")
    console.print(
        f"{figures.count_faults()} requests without a response; the load of the machine was "
        f"{load[0]:.1f} at the start"
    )
    is_met = is_short or all(goal.met for goal in goals)
    sys.exit(int(figures.count_faults() > 0 or not is_met))


def _measure(
    console: Console, *, is_short: bool, stores: Sequence[str], rounds: int | None
) -> Figures:
    sizes = SHORT if is_short else LONG
    if rounds is not None:
        sizes = sizes._replace(rounds=rounds)
    with (
        TemporaryDirectory() as folder,
        Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
        ) as progress,
    ):
        task = progress.add_task("the request path", total=None)

        def track(text: str) -> None:
            progress.update(task, description=text)

        return _measure_all(
            Path(folder), track, sizes=sizes, stores=stores, is_whole=not (is_short or stores)
        )


def _measure_all(
    folder: Path,
    track: Callable[[str], None],
    *,
    sizes: Sizes,
    stores: Sequence[str],
    is_whole: bool,
) -> Figures:
    path = request_path.measure(_PATH_ROUNDS, folder / "request path")
    found = []
    for store in stores or STORES:
        # Each server once in each way where that takes little: Redis stands for the others.
        for is_preloaded in (False, True) if store == REDIS and is_whole else (True,):
            place = folder / f"{store} {is_preloaded}"
            found.append(measure_store(store, sizes, place, is_preloaded=is_preloaded, track=track))
    start = simulated = None
    if is_whole:
        track(f"start with {_MILLION:,} origins")
        start = cold_start.measure(_MILLION, folder / "cold start")
        track(f"{_FOLLOWERS:,} followers")
        simulated = followers.measure(_FOLLOWERS, _WRITES, _IDLE_SECONDS)
    return Figures(found, path, start, simulated)


if __name__ == "__main__":
    main()
