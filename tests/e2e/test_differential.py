"""A real browser and the model of it do the same, on cases drawn at random."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from support.differential.cases import Case
from support.differential.drawing import AT_LEAST, draw
from support.differential.known import KNOWN
from support.differential.observing import AT_A_TIME, observe
from support.differential.play import Play
from support.differential.predicting import differences, exchanges, observation
from support.differential.server import playing
from support.e2e_report import Report
from support.engines import RealBrowser

from corsguard.browser import BlockReason

SEED_NAME = "DIFFERENTIAL_SEED"
SEED = int(os.environ.get(SEED_NAME) or random.randrange(1_000_000))
SHOWN = 5
# A browser sends no stream as a body over HTTP/1.1.
NOT_DRAWN = {BlockReason.NO_CORS_STREAM, BlockReason.REDIRECT_STREAM}


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with playing() as started:
        yield started


class Comparison:
    """What came of cases that both the browser and the model of it played."""

    def __init__(
        self, browser: RealBrowser, play: Play, cases: Sequence[Case], at_a_time: int = AT_A_TIME
    ) -> None:
        self.reasons: Counter[BlockReason] = Counter()
        self.unlike: list[Case] = []
        self.told: list[str] = []
        """Each case that is unlike, as an entry of `KNOWN`, and what is."""
        first = len(play.cases)
        for number, real in enumerate(observe(browser, play, cases, at_a_time), first):
            played = exchanges(play, number, browser.name)
            self.reasons.update(each.refusal.reason for each in played if each.refusal)
            case = play.cases[number]
            found = differences(case, observation(played), real)
            if found:
                self.unlike.append(case)
                self.told.append("\n".join([f"{case!r},", *found]))


def test_the_model_predicts_what_the_browser_does(
    browser: RealBrowser, play: Play, report: Report
) -> None:
    cases = draw(SEED)

    all_cases = Comparison(browser, play, cases)
    # A browser may forget answers to preflights at any time: Firefox does when it has a hundred.
    again = Comparison(browser, play, all_cases.unlike, at_a_time=1)

    unlike, reasons = again.told, all_cases.reasons
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
        f"{len(unlike)} of {len(cases)} with {SEED_NAME}={SEED}; as entries of KNOWN:\n{shown}"
    )
    rare = {each for each in BlockReason if reasons[each] < AT_LEAST}
    assert rare == NOT_DRAWN


def test_the_model_predicts_what_it_once_did_not(browser: RealBrowser, play: Play) -> None:
    assert Comparison(browser, play, KNOWN, at_a_time=1).told == []
