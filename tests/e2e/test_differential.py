"""A real browser and the model of it do the same, on cases drawn at random."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from support.e2e.differential.cases import Case
from support.e2e.differential.observation import AT_A_TIME, observe
from support.e2e.differential.prediction import build_observation, find_differences, play_case
from support.e2e.differential.regressions import REGRESSIONS
from support.e2e.differential.run import Run
from support.e2e.differential.sampler import AT_LEAST, draw_cases
from support.e2e.differential.server import serve_run
from support.e2e.engines import RealBrowser
from support.e2e.report import Report

from corsguard.browser import BlockReason

SEED_NAME = "DIFFERENTIAL_SEED"
SEED = int(os.environ.get(SEED_NAME) or random.randrange(1_000_000))
SHOWN = 5
# A browser sends no stream as a body over HTTP/1.1.
NOT_DRAWN = {BlockReason.NO_CORS_STREAM, BlockReason.REDIRECT_STREAM}


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with serve_run() as started:
        yield started


class Comparison:
    """The comparison of a real browser with the model, on the same cases."""

    def __init__(
        self, browser: RealBrowser, run: Run, cases: Sequence[Case], at_a_time: int = AT_A_TIME
    ) -> None:
        self.reasons: Counter[BlockReason] = Counter()
        self.unlike: list[Case] = []
        self.reports: list[str] = []
        """Each case that is unlike, as an entry of `REGRESSIONS`, and what is."""
        first = len(run.cases)
        for number, real in enumerate(observe(browser, run, cases, at_a_time), first):
            played = play_case(run, number, browser.name)
            self.reasons.update(each.refusal.reason for each in played if each.refusal)
            case = run.cases[number]
            found = find_differences(case, build_observation(played), real)
            if found:
                self.unlike.append(case)
                self.reports.append("\n".join([f"{case!r},", *found]))


def test_model_predicts_random_cases(browser: RealBrowser, run: Run, report: Report) -> None:
    cases = draw_cases(SEED)

    all_cases = Comparison(browser, run, cases)
    # A browser may forget answers to preflights at any time: Firefox does when it has a hundred.
    again = Comparison(browser, run, all_cases.unlike, at_a_time=1)

    unlike, reasons = again.reports, all_cases.reasons
    found = f"{len(cases)} compared with {SEED_NAME}={SEED}, {len(unlike)} mismatches"
    report.add(f"cases, {browser.name}", found)
    report.count(
        "engines",
        name=browser.name,
        version=browser.version,
        pairs=len(cases),
        mismatches=len(unlike),
        seed=SEED,
    )

    shown = "\n\n".join(unlike[:SHOWN])
    assert not unlike, (
        f"{len(unlike)} of {len(cases)} with {SEED_NAME}={SEED}; for REGRESSIONS:\n{shown}"
    )
    rare = {each for each in BlockReason if reasons[each] < AT_LEAST}
    assert rare == NOT_DRAWN


def test_model_predicts_earlier_mismatches(browser: RealBrowser, run: Run) -> None:
    assert Comparison(browser, run, REGRESSIONS, at_a_time=1).reports == []
