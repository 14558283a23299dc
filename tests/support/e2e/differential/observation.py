"""Cases, played in a real browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from support.e2e.differential.cases import Case, Observation, Seen
from support.e2e.differential.run import Run
from support.e2e.engines import RealBrowser

BATCH = 100
AT_A_TIME = 12


def observe(
    browser: RealBrowser, run: Run, cases: Sequence[Case], at_a_time: int = AT_A_TIME
) -> list[Observation]:
    """Return what the browser does with each case, which gets the next number of the run."""
    browser.open(f"{run.sites.page}/")
    browser.console()  # what earlier pages left
    numbers = run.take(cases)
    seen: dict[int, Any] = {}
    lines: dict[int, list[str]] = {number: [] for number in numbers}
    for function in ("runCases", "runSandboxed"):
        mine = [
            number
            for number in numbers
            if run.cases[number].sandboxed is (function == "runSandboxed")
        ]
        for start in range(0, len(mine), BATCH):
            batch = mine[start : start + BATCH]
            asked = [_asked(run, number) for number in batch]
            answers = browser.run(f"return {function}(...args)", asked, at_a_time)
            seen.update(zip(batch, answers, strict=True))
            for line in browser.console():
                for number in {int(found) for found in re.findall(r"/case/(\d+)/", line)}:
                    lines[number].append(line)
    return [
        Observation(
            browser.name,
            tuple(_seen(answer) for answer in seen[number]),
            tuple(run.arrived[number]),
            tuple(lines[number]),
        )
        for number in numbers
    ]


def _asked(run: Run, number: int) -> list[dict[str, Any]]:
    """Return the requests of a case in the form that the page takes."""
    return [
        request._replace(url=run.fill(request.url, number))._asdict()
        for request in run.cases[number].requests
    ]


def _seen(answer: dict[str, Any]) -> Seen:
    headers = tuple((name, value) for name, value in answer["headers"])
    return Seen(answer["outcome"], answer["type"], answer["status"], headers)
