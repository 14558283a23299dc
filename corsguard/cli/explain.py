"""`explain`: what a browser does with a request, why, and what would let it through."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import IO, TYPE_CHECKING, NamedTuple

from corsguard.browser import BlockReason, Refusal
from corsguard.escaping import quote
from corsguard.explain.fixes import Change, Explanation, Transport, explain_request
from corsguard.explain.question import Question
from corsguard.explain.report import build_document
from corsguard.guard import Guard
from corsguard.policy import Policy

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Spelled", "Spelling", "explain", "in_python", "in_setting", "in_toml"]


class Spelled(NamedTuple):
    """A change as it is written down."""

    line: str
    place: str
    """Where the line goes; may be empty."""
    opening: str = ""
    """What stands around it where nothing is in that place yet."""
    closing: str = ""


Spelling = Callable[[Change], Spelled]


def explain(
    asked: Question, guard: Guard, stage: Transport, spelled: Spelling, file: IO[str] | None = None
) -> int:
    """Tell file, or the standard output, what happens; the exit code is 1 where it is blocked."""
    explanation = explain_request(guard, stage, asked.play)
    if asked.as_json:
        document = build_document(asked, explanation, lambda change: spelled(change).line)
        (file or sys.stdout).write(f"{json.dumps(document, indent=2)}\n")
    else:
        _tell(asked, explanation, spelled, file)
    return 0 if explanation.exchange.allowed else 1


def in_toml(change: Change) -> Spelled:
    """As in a configuration file."""
    return Spelled(change.as_toml, change.table)


def in_python(change: Change) -> Spelled:
    """As the argument of a Policy, in an application."""
    kind, name, policy = change.place.kind, change.place.name, change.place.policy
    if kind == "everywhere":
        return Spelled(change.as_python, "# the policy")
    if kind == "view":
        none = "" if policy else ", which has none"
        return Spelled(change.as_python, f"# the policy of {change.place.holder}{none}")
    if policy:
        return Spelled(change.as_python, f"# the policy of the route {name}")
    return Spelled(change.as_python, "# the policies by route", f"{quote(name)}: Policy(", "),")


def in_setting(setting: object, name: str) -> Spelling:
    """As in a framework's setting, which is called name: a mapping, a Policy or a Guard."""
    if not isinstance(setting, Mapping):
        return in_python
    routes = setting.get("routes", {})

    def spelled(change: Change) -> Spelled:
        kind, prefix, policy = change.place.kind, change.place.name, change.place.policy
        if kind == "view" or isinstance(routes.get(prefix), Policy):
            return in_python(change)
        if kind == "everywhere":
            return Spelled(change.as_item, f"# in {name}")
        if policy:
            return Spelled(change.as_item, f'# in {name}["routes"][{quote(prefix)}]')
        place = f'# in {name}["routes"]'
        return Spelled(change.as_item, place, f"{quote(prefix)}: {{", "},")

    return spelled


def _tell(
    asked: Question, explanation: Explanation, spelled: Spelling, file: IO[str] | None
) -> None:
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
        wrapped(terminal, "Nothing was sent: the application itself was not asked.", "dim")
    if explanation.decided:
        wrapped(terminal, printable(explanation.decided), indent="  decided  ")
    _remedy(terminal, explanation, spelled)


def _remedy(terminal: Console, explanation: Explanation, spelled: Spelling) -> None:
    """What would let a blocked request through."""
    from corsguard.cli.terminal import printable, wrapped

    refusal = explanation.exchange.refusal
    if refusal is None:
        return
    if near := explanation.nearest:
        terminal.print()
        away = "One slip away" if near.is_one_slip else "Two slips away"
        text = f"{away}: {near.listed} is listed, and differs in {near.differs}."
        wrapped(terminal, printable(text), "bold")
    terminal.print()
    if explanation.changes:
        wrapped(terminal, "The smallest change that allows it:", "bold")
        lines = map(spelled, explanation.changes)
        for (place, opening, closing), group in groupby(lines, lambda line: line[1:]):
            indent = "    " if opening else ""
            terminal.print()
            inner = (f"{indent}{each.line}" for each in group)
            for line in filter(None, (place, opening, *inner, closing)):
                # Not wrapped: it is there to be copied.
                terminal.print(f"    {printable(line)}", style="green", soft_wrap=True)
        terminal.print()
        for change in explanation.changes:
            wrapped(terminal, printable(change.exposes), indent="  exposes  ")
        if words := _even_so(explanation):
            wrapped(terminal, printable(words), "yellow", indent="  beware   ")
    else:
        _no_remedy(terminal, explanation, refusal)


def _no_remedy(terminal: Console, explanation: Explanation, refusal: Refusal) -> None:
    """Why no change of the policy lets a blocked request through, and what else would."""
    from corsguard.cli.terminal import printable, wrapped

    if explanation.problems:
        wrapped(terminal, "No change of the policy that is safe would allow it:", "bold")
        for problem in explanation.problems:
            wrapped(
                terminal, printable(f"{problem.message} [{problem.code}]"), indent="  why      "
            )
            # How null could be listed is not what anybody should read here.
            instead = refusal.fix if problem.code == "origin-null" else problem.suggestion
            wrapped(terminal, printable(instead), indent="  instead  ")
    elif explanation.decided and refusal.reason is BlockReason.ALLOW_ORIGIN_MISSING:
        wrapped(terminal, "No list would allow it, only the callable that decided.", "bold")
        wrapped(
            terminal,
            "if this page may have the response, change what the callable returns for it",
            indent="  instead  ",
        )
    else:
        wrapped(terminal, "No change of the policy would allow it.", "bold")
        wrapped(terminal, printable(refusal.fix), indent="  instead  ")


def _even_so(explanation: Explanation) -> str:
    """What the application answers with the changes made, where that is an error."""
    mended = explanation.mended
    if mended is None or mended.response is None or mended.response.status < 400:
        return ""
    status = mended.response.status
    why = {
        404: ": no view is there",
        405: f": no view there takes {mended.hops[-1].sent.method}",
    }.get(status, "")
    return f"even so, the application answers {status}{why}"
