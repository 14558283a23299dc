"""A real browser and the model of it do the same, on cases drawn at random."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from e2e.differential.cases import Case
from e2e.differential.drawing import AT_LEAST, draw
from e2e.differential.known import KNOWN
from e2e.differential.observing import observe
from e2e.differential.play import Play
from e2e.differential.predicting import differences, exchanges, observation
from e2e.differential.server import playing
from e2e.engines import RealBrowser
from e2e.report import Report

from corsguard.browser import BlockReason

SEED_NAME = "CORSGUARD_SEED"
SEED = int(os.environ.get(SEED_NAME) or random.randrange(1_000_000))
SHOWN = 5
# A browser sends no stream as a body over HTTP/1.1.
NOT_DRAWN = {BlockReason.NO_CORS_STREAM, BlockReason.REDIRECT_STREAM}


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    with playing() as started:
        yield started


def compared(
    browser: RealBrowser, play: Play, cases: Sequence[Case]
) -> tuple[list[str], Counter[BlockReason]]:
    """Where the browser did otherwise, as entries of `KNOWN`; and how often each reason came up."""
    reasons: Counter[BlockReason] = Counter()
    unlike = []
    first = len(play.cases)
    for number, real in enumerate(observe(browser, play, cases), first):
        played = exchanges(play, number, browser.name)
        reasons.update(each.refusal.reason for each in played if each.refusal)
        found = differences(observation(played), real)
        if found:
            unlike.append("\n".join([f"{play.cases[number]!r},", *found]))
    return unlike, reasons


def test_the_model_predicts_what_the_browser_does(
    browser: RealBrowser, play: Play, report: Report
) -> None:
    cases = draw(SEED)

    unlike, reasons = compared(browser, play, cases)

    found = f"{len(cases)} compared with {SEED_NAME}={SEED}, {len(unlike)} mismatches"
    report.add(f"cases, {browser.name}", found)

    shown = "\n\n".join(unlike[:SHOWN])
    assert not unlike, (
        f"{len(unlike)} of {len(cases)} with {SEED_NAME}={SEED}; as entries of KNOWN:\n{shown}"
    )
    rare = {each for each in BlockReason if reasons[each] < AT_LEAST}
    assert rare == NOT_DRAWN


def test_the_model_predicts_what_it_once_did_not(browser: RealBrowser, play: Play) -> None:
    unlike, _ = compared(browser, play, KNOWN)

    assert not unlike, "\n\n".join(unlike)
