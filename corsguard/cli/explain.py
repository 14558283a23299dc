"""`explain`: what a browser does with a request, why, and what would let it through."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import groupby
from typing import IO, TYPE_CHECKING

from corsguard.browser.remedy import Change, Explanation, Stage, explained
from corsguard.cli.asking import Asked
from corsguard.cli.explanation import as_document
from corsguard.guard import Guard

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Spelled", "explain", "in_python", "in_toml"]

Spelled = Callable[[Change], tuple[str, str]]
"""How a change is written down: where it goes, which may be empty, and the line."""


def explain(
    asked: Asked, guard: Guard, stage: Stage, spelled: Spelled, file: IO[str] | None = None
) -> int:
    """Tell file, or the standard output, what happens; the exit code is 1 where it is blocked."""
    explanation = explained(guard, stage, asked.play)
    if asked.as_json:
        document = as_document(asked, explanation, lambda change: spelled(change)[1])
        (file or sys.stdout).write(f"{json.dumps(document, indent=2)}\n")
    else:
        _tell(asked, explanation, spelled, file)
    return 0 if explanation.exchange.allowed else 1


def in_toml(change: Change) -> tuple[str, str]:
    """As in a configuration file."""
    return change.table, change.as_toml


def in_python(change: Change) -> tuple[str, str]:
    """As the argument of a Policy, in an application."""
    kind, name, policy = change.place.kind, change.place.name, change.place.policy
    place = {"everywhere": "# the policy", "view": f"# the policy of the view {name}"}.get(
        kind, f"# the policy of the route {name}"
    )
    return place if policy else f"{place}, which has none", change.as_python


def _tell(asked: Asked, explanation: Explanation, spelled: Spelled, file: IO[str] | None) -> None:
    from corsguard.cli.diagram import draw, verdict
    from corsguard.cli.terminal import console, printable, wrapped

    terminal = console(file)
    if asked.given != asked.page:
        text = f"--page {asked.given}: the origin that browsers send for it is {asked.page}"
        wrapped(terminal, printable(text), "yellow")
        terminal.print()
    draw(terminal, explanation.exchange)
    verdict(terminal, explanation.exchange)
    if explanation.exchange.allowed:
        wrapped(terminal, "Nothing was sent: 200 stands for what the application answers.", "dim")
    _remedy(terminal, explanation, spelled)


def _remedy(terminal: Console, explanation: Explanation, spelled: Spelled) -> None:
    """What would let a blocked request through."""
    from corsguard.cli.terminal import printable, wrapped

    refusal = explanation.exchange.refusal
    if refusal is None:
        return
    if near := explanation.nearest:
        terminal.print()
        text = f"One slip away: {near.listed} is listed, and differs in {near.differs}."
        wrapped(terminal, printable(text), "bold")
    terminal.print()
    if explanation.changes:
        wrapped(terminal, "The smallest change that allows it:", "bold")
        for place, changes in groupby(explanation.changes, lambda change: spelled(change)[0]):
            terminal.print()
            for line in filter(None, (place, *(spelled(change)[1] for change in changes))):
                # Not wrapped: it is there to be copied.
                terminal.print(f"    {printable(line)}", style="green", soft_wrap=True)
        terminal.print()
        for change in explanation.changes:
            wrapped(terminal, printable(change.exposes), indent="  exposes  ")
    elif explanation.problems:
        wrapped(terminal, "No change of the policy that is safe allows it:", "bold")
        for problem in explanation.problems:
            wrapped(
                terminal, printable(f"{problem.message} [{problem.code}]"), indent="  why      "
            )
            wrapped(terminal, printable(problem.suggestion), indent="  instead  ")
    else:
        wrapped(terminal, "No change of the policy allows it: it is the request.", "bold")
        wrapped(terminal, printable(refusal.fix), indent="  instead  ")
