"""The text of `explain`."""

from __future__ import annotations

from itertools import groupby
from typing import IO

from rich.console import Console

from corsguard.browser import BlockReason, Refusal
from corsguard.cli.change_format import ChangeFormatter
from corsguard.cli.diagram import draw_exchange, print_verdict
from corsguard.cli.terminal import ConsoleWriter, make_printable, open_console, print_wrapped
from corsguard.explain.fixes import Explanation
from corsguard.explain.near_miss import NearMiss
from corsguard.explain.question import Question

__all__ = ["write_explanation"]


def write_explanation(
    question: Question,
    explanation: Explanation,
    format_change: ChangeFormatter,
    file: IO[str] | None,
) -> None:
    """Write the steps of a request, the verdict and the fix to file or the standard output."""
    console = open_console(file)
    if question.given != question.page:
        text = f"--page {question.given}: the origin that browsers send for it is {question.page}"
        print_wrapped(console, make_printable(text), "yellow")
        console.print()
    draw_exchange(console, explanation.exchange)
    print_verdict(console, explanation.exchange)
    if explanation.exchange.allowed:
        print_wrapped(console, "Nothing was sent, and the application was not called.", "dim")
    if explanation.decided_in:
        print_wrapped(console, make_printable(explanation.decided_in), indent="  policy   ")
    if explanation.decided_by:
        print_wrapped(console, make_printable(explanation.decided_by), indent="  decided  ")
    if explanation.exchange.refusal:
        _print_fix(console, explanation, explanation.exchange.refusal, format_change)


def _print_fix(
    console: Console,
    explanation: Explanation,
    refusal: Refusal,
    format_change: ChangeFormatter,
) -> None:
    if explanation.near_miss:
        console.print()
        text = _describe_near_miss(explanation.near_miss)
        print_wrapped(console, make_printable(text), "bold")
    console.print()
    if not explanation.changes:
        _print_alternative(console, explanation, refusal)
        return
    print_wrapped(console, "The smallest change that allows it:", "bold")
    _print_changes(console, explanation, format_change)
    console.print()
    for change in explanation.changes:
        print_wrapped(console, make_printable(change.exposes), indent="  exposes  ")
    if warning := _describe_remaining_error(explanation):
        print_wrapped(console, make_printable(warning), "yellow", indent="  warning  ")


def _describe_near_miss(near_miss: NearMiss) -> str:
    if near_miss.has_one_difference:
        return f"Almost listed: {near_miss.listed} differs only in {near_miss.differs}."
    return f"Close to a listed origin: {near_miss.listed} differs in {near_miss.differs}."


def _print_changes(
    console: Console, explanation: Explanation, format_change: ChangeFormatter
) -> None:
    changes = map(format_change, explanation.changes)
    for (place, opening, closing), group in groupby(changes, lambda change: change[1:]):
        indent = "    " if opening else ""
        console.print()
        inner = (f"{indent}{change.line}" for change in group)
        for line in filter(None, (place, opening, *inner, closing)):
            # Not wrapped, so that it can be copied.
            console.print(f"    {make_printable(line)}", style="green", soft_wrap=True)


def _print_alternative(console: Console, explanation: Explanation, refusal: Refusal) -> None:
    """Print why no change of the policies allows a request, and what else to do."""
    if explanation.problems:
        print_wrapped(console, "No safe change of the policy allows it:", "bold")
        for problem in explanation.problems:
            why = make_printable(f"{problem.message} [{problem.code}]")
            print_wrapped(console, why, indent="  why      ")
            # The suggestion for a listed null is a flag that nobody should set to fix a request.
            instead = refusal.fix if problem.code == "origin-null" else problem.suggestion
            print_wrapped(console, make_printable(instead), indent="  instead  ")
        ConsoleWriter(console).write_addresses(explanation.problems)
    elif explanation.decided_by and refusal.reason is BlockReason.ALLOW_ORIGIN_MISSING:
        print_wrapped(console, "Only the callable that decided can allow it.", "bold")
        instead = "if this page may read the response, change what the callable returns for it"
        print_wrapped(console, instead, indent="  instead  ")
    else:
        print_wrapped(console, "No change of the policy allows it.", "bold")
        print_wrapped(console, make_printable(refusal.fix), indent="  instead  ")


def _describe_remaining_error(explanation: Explanation) -> str:
    """Return what the application still answers with the changes made, if that is an error."""
    fixed = explanation.fixed_exchange
    if fixed is None or fixed.response is None or fixed.response.status < 400:
        return ""
    status = fixed.response.status
    why = {
        404: ": no view is there",
        405: f": no view there takes {fixed.hops[-1].sent.method}",
    }.get(status, "")
    return f"even then, the application responds with {status}{why}"
