"""Cases, played in a real browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from support.differential.cases import Case, Observation, Seen
from support.differential.play import Play
from support.engines import RealBrowser

BATCH = 100
AT_A_TIME = 12


def observe(
    browser: RealBrowser, play: Play, cases: Sequence[Case], at_a_time: int = AT_A_TIME
) -> list[Observation]:
    """What the browser does with each of the cases, which get the next numbers of the play."""
    browser.open(f"{play.sites.page}/")
    browser.console()  # what earlier pages left
    numbers = play.take(cases)
    seen: dict[int, Any] = {}
    told: dict[int, list[str]] = {number: [] for number in numbers}
    for function in ("runCases", "runSandboxed"):
        mine = [
            number
            for number in numbers
            if play.cases[number].sandboxed is (function == "runSandboxed")
        ]
        for start in range(0, len(mine), BATCH):
            batch = mine[start : start + BATCH]
            asked = [_asked(play, number) for number in batch]
            answers = browser.run(f"return {function}(...args)", asked, at_a_time)
            seen.update(zip(batch, answers, strict=True))
            for line in browser.console():
                for number in {int(found) for found in re.findall(r"/case/(\d+)/", line)}:
                    told[number].append(line)
    return [
        Observation(
            browser.name,
            tuple(_seen(answer) for answer in seen[number]),
            tuple(play.arrived[number]),
            tuple(told[number]),
        )
        for number in numbers
    ]


def _asked(play: Play, number: int) -> list[dict[str, Any]]:
    """The requests of a case, as the page takes them."""
    return [
        request._replace(url=play.fill(request.url, number))._asdict()
        for request in play.cases[number].requests
    ]


def _seen(answer: dict[str, Any]) -> Seen:
    headers = tuple((name, value) for name, value in answer["headers"])
    return Seen(answer["outcome"], answer["type"], answer["status"], headers)
