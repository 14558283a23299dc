"""The report on a fleet, from figures that are given."""

from __future__ import annotations

import json

import pytest
from tools.fleet.cold_start import ColdStart
from tools.fleet.followers import FollowerFigures
from tools.fleet.propagation import Propagation, StoreFigures, find_quantile
from tools.fleet.report import (
    Figures,
    as_json,
    compute_many,
    follower_table,
    list_goals,
    many_table,
    store_table,
    worker_table,
)
from tools.fleet.request_path import RequestPath
from tools.fleet.stores import FILE, REDIS, SQLITE

FAST = Propagation([0.02, 0.03, 0.04], [0.001, 0.002], [])
SLOW = Propagation([0.2, 0.3, 2.0], [0.001, 0.2], ["7: no response"])
FIGURES = Figures(
    [
        StoreFigures(REDIS, True, 5.0, FAST, FAST, SLOW),
        StoreFigures(FILE, False, 5.0, SLOW, None, None),
        StoreFigures(SQLITE, False, 1.0, SLOW, None, None),
    ],
    RequestPath(1.0, 1.0, 1.0),
    ColdStart(1_000_000, 6.0, 0.5, 250 * 2**20, 40 * 2**20, 280 * 2**20),
    FollowerFigures(
        *(1_000, 5.0, 20.0, 2_000, 400.0, 200.0, 0.02, 30 * 2**20, 10 * 2**20),
        *([0.1], [0.5], 0.1, 400_000),
    ),
)


def test_goals_name_what_is_not_met() -> None:
    missed = [goal.what for goal in list_goals(FIGURES) if not goal.met]

    assert missed == [
        "Redis, --preload: 100 changed among 100,000, slowest round",
        "file: a small policy, median",
        "file: a small policy, 95th percentile",
        "start of a worker with 1,000,000 origins from last_good",
    ]


def test_tables_show_milliseconds_and_the_poll_of_sqlite() -> None:
    table = store_table(FIGURES.stores).markdown()

    assert "| Redis, --preload | a small policy | 3 | 30 | 39 | 40 | 2.0 |" in table
    assert "SQLite has no notifications: it is polled every 1 s." in table


def test_other_tables_have_units() -> None:
    assert FIGURES.followers is not None
    tables = [worker_table(FIGURES), follower_table(FIGURES.followers)]

    text = "\n".join(table.markdown() for table in tables)

    for shown in ("250 MiB", "6.0 s", "1.00 µs", "2.0%", "500 ms"):
        assert f"| {shown} |" in text


def test_ten_thousand_workers_are_in_proportion() -> None:
    assert FIGURES.followers is not None

    many = compute_many(FIGURES.followers)

    assert (many["polls_per_second"], many["redis_cpu_idle"]) == (2_000, 0.2)
    assert many["redis_memory_bytes"] == 210 * 2**20
    assert "| core of Redis for a write | 1.0 s |" in many_table(FIGURES.followers).markdown()


def test_json_has_all_figures() -> None:
    found = json.loads(json.dumps(as_json(FIGURES, [0.5])))

    assert (found["faults"], len(found["stores"]), found["load_average"]) == (3, 5, [0.5])
    assert found["on_paper"]["workers"] == 10_000


@pytest.mark.parametrize(("share", "expected"), [(0.5, 3.0), (0.95, 4.8)])
def test_quantiles_are_interpolated(share: float, expected: float) -> None:
    assert find_quantile([1.0, 2.0, 3.0, 4.0, 5.0], share) == pytest.approx(expected)
    assert find_quantile([7.0], share) == 7.0
