"""The parts of the benchmarks that need no measuring: baselines, reports of tools, the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools.benchmarks import counted_requests, instruction_counts, page, wrk
from tools.benchmarks.headline import Headline
from tools.benchmarks.instruction_counts import InstructionCounts
from tools.benchmarks.tables import Goal, Table, goal_table

ROOT = Path(__file__).parents[2]

BASELINE = InstructionCounts(
    "CPython 3.11 x86_64",
    "3.11.7 (main) [GCC 12.2.0]",
    {"WSGI, floor": 1_000, "WSGI, allowed": 2_000, "WSGI, refused": 3_000},
)
OTHER_BUILD = BASELINE._replace(build="3.11.2 (main) [Clang 19]")

# What wrk 4.1.0 prints.
WRK_REPORT = """\
Running 1s test @ http://127.0.0.1:8000/items
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.99ms    1.02ms  14.39ms   88.81%
    Req/Sec     2.02k   181.25     2.26k    70.00%
  2013 requests in 1.00s, 1.07MB read
Requests/sec:   2010.56
Transfer/sec:      1.07MB
"""


def grow(counts: InstructionCounts, share: float) -> InstructionCounts:
    """Return counts of which every request but the floor is larger by a share."""
    grown = {
        name: count if "floor" in name else round(count * (1 + share))
        for name, count in counts.counts.items()
    }
    return counts._replace(counts=grown)


@pytest.mark.parametrize(
    ("counts", "is_met"),
    [
        (BASELINE, True),
        (grow(BASELINE, 0.025), True),
        (grow(BASELINE, 0.035), False),
        (grow(BASELINE, -0.5), True),
        (grow(OTHER_BUILD, 0.075), True),
        (grow(OTHER_BUILD, 0.085), False),
    ],
)
def test_more_instructions_than_the_baseline_fail(counts: InstructionCounts, is_met: bool) -> None:
    goals = [*instruction_counts.compare(counts, BASELINE)]
    assert len(goals) == 2
    assert {goal.met for goal in goals} == {is_met}


def test_faster_interpreter_hides_no_regression() -> None:
    """Half the instructions for all, but a tenth more for each one of the floor."""
    slower = grow(BASELINE, 0.1)
    halved = {name: count // 2 for name, count in slower.counts.items()}
    goals = [*instruction_counts.compare(slower._replace(counts=halved), BASELINE)]
    assert [goal.met for goal in goals] == [False, False]


def test_request_without_baseline_is_not_compared() -> None:
    counts = BASELINE._replace(counts={**BASELINE.counts, "WSGI, new": 9_000})
    goals = instruction_counts.compare(counts, BASELINE)
    assert not any("new" in goal.what for goal in goals)


def test_written_baseline_is_read_for_its_python_only(tmp_path: Path) -> None:
    path = tmp_path / "counts.json"
    assert instruction_counts.read_baseline(BASELINE.python, path) is None
    instruction_counts.write_baseline(BASELINE, path)
    newer = BASELINE._replace(python="CPython 3.13 x86_64", counts={"WSGI, floor": 1})
    instruction_counts.write_baseline(newer, path)
    assert instruction_counts.read_baseline(BASELINE.python, path) == BASELINE
    assert instruction_counts.read_baseline(newer.python, path) == newer


def test_baseline_of_the_repository_has_every_request() -> None:
    baseline = instruction_counts.read_baseline("CPython 3.11 x86_64")
    assert baseline is not None
    assert baseline.counts.keys() == counted_requests.list_runs().keys()


def test_counted_requests_run() -> None:
    for run in counted_requests.list_runs().values():
        run()


def test_missing_valgrind_counts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert instruction_counts.count() is None
    assert "apt-get install valgrind" in instruction_counts.NO_VALGRIND


def test_total_of_a_dump_is_read() -> None:
    dump = "version: 1\ncreator: callgrind-3.19.0\nevents: Ir\nfn=(1)\n1 5\n\ntotals: 24258\n"
    assert instruction_counts.read_total(dump) == 24_258
    with pytest.raises(ValueError, match="no totals"):
        instruction_counts.read_total("version: 1\n")


def test_report_of_wrk_is_read() -> None:
    assert wrk.read_report(WRK_REPORT) == (2_013, 2_010.56)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (f"{WRK_REPORT}  Non-2xx or 3xx responses: 7\n", "Non-2xx or 3xx responses: 7"),
        (f"  Socket errors: connect 0, read 3\n{WRK_REPORT}", "Socket errors: connect 0, read 3"),
        ("unable to connect to 127.0.0.1:1 Connection refused\n", "Connection refused"),
    ],
)
def test_failed_requests_are_an_error_of_one_line(output: str, text: str) -> None:
    with pytest.raises(wrk.NoLoadError, match=text) as caught:
        wrk.read_report(output)
    assert "\n" not in str(caught.value)


def test_missing_wrk_is_an_error_of_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(wrk.NoLoadError, match=r"^wrk is missing: apt-get install wrk$"):
        wrk.require()


def test_page_keeps_the_sections_of_other_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "benchmarks.md"
    table = Table("The title", ("what", "figure"), [("one", "1")], labels=1, notes=("A note",))
    for version, title in (("3.13", "newer"), ("3.11", "older"), ("3.11", "replaced")):
        monkeypatch.setattr(page, "python", lambda version=version: version)
        page.update(path, [table._replace(title=title)], packages=["pytest"])
    page.update_end_to_end(path, ["pytest"], table)
    text = path.read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# What a request costs",
        "## End to end",
        "### The title",
        "## Python 3.11",
        "### replaced",
        "## Python 3.13",
        "### newer",
    ]
    assert page.is_first(path)
    assert "| one | 1 |\n\n* A note.\n" in text


HEADLINE = Headline(
    {
        "Flask": ("flask-cors", 4.09, 44.2),
        "Django": ("django-cors-headers", 14.8, 74.1),
        "ASGI": ("Starlette's own", 2.51, 8.54),
    },
    many=2.4,
    many_of_peer=138.1,
)


def test_headline_of_a_run_is_what_readme_has() -> None:
    readme = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    block = readme.partition("<!-- made by `tox -e bench` -->\n")[2].partition("<!-- end -->")[0]
    figures = r"\d[\d.,]*(?= µs)|(?<=\()\d[\d.]*"
    expected = f"{HEADLINE}\n"
    assert re.sub(figures, "N", " ".join(block.split())) == re.sub(
        figures, "N", " ".join(expected.split())
    )
    assert expected.count("\n") <= 3


def test_new_headline_leaves_the_rest_of_readme(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    readme.write_text(text, encoding="utf-8")
    slower = HEADLINE._replace(many=9_999.0)
    page.update_headline(readme, str(slower))
    changed = readme.read_text(encoding="utf-8")
    assert f"<!-- made by `tox -e bench` -->\n{slower}\n<!-- end -->\n" in changed
    page.update_headline(readme, text.partition("-->\n")[2].partition("\n<!-- end")[0])
    assert readme.read_text(encoding="utf-8") == text


def test_missed_goal_stays_in_the_table() -> None:
    table = goal_table([Goal.at_most("a", 1, 2, "us"), Goal.at_most("b", 3, 2, "us")])
    assert [row[-1] for row in table.rows] == ["met", "not met"]
