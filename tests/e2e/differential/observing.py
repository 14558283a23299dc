"""Cases, played in a real browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from e2e.differential.cases import Case, Observation, Seen
from e2e.differential.server import Play
from e2e.engines import RealBrowser

BATCH = 100
AT_A_TIME = 12


def observe(browser: RealBrowser, play: Play, cases: Sequence[Case]) -> list[Observation]:
    """What the browser does with each of the cases."""
    browser.open(f"{play.sites.page}/")
    browser.console()  # what earlier pages left
    numbers = play.take(cases)
    seen: dict[int, Any] = {}
    told: dict[int, list[str]] = {}
    for function in ("runCases", "runSandboxed"):
        sandboxed = function == "runSandboxed"
        mine = [number for number in numbers if play.cases[number].sandboxed is sandboxed]
        for start in range(0, len(mine), BATCH):
            batch = mine[start : start + BATCH]
            asked = [_asked(play, number) for number in batch]
            answers = browser.run(f"return {function}(...args)", asked, AT_A_TIME)
            seen.update(zip(batch, answers, strict=True))
            for line in browser.console():
                about = re.search(r"/case/(\d+)/", line)
                if about:
                    told.setdefault(int(about[1]), []).append(line)
    return [
        Observation(
            tuple(_seen(each) for each in seen[number]),
            tuple(play.arrived[number]),
            tuple(told.get(number, ())),
        )
        for number in numbers
    ]


def _asked(play: Play, number: int) -> dict[str, Any]:
    requests = [asdict(request) for request in play.cases[number].requests]
    return {"url": play.url(number, 0), "requests": requests}


def _seen(answer: dict[str, Any]) -> Seen:
    headers = tuple((name, value) for name, value in answer["headers"])
    return Seen(**{**answer, "headers": headers})
