"""The trace of a fetch: its steps, its requests over the network and its caveats."""

from __future__ import annotations

from typing import NoReturn

from corsguard.browser.clauses import Clause
from corsguard.browser.exchange import BlockReason, Caveat, Hop, Refusal, Step

__all__ = ["Refused", "Trace"]


class Refused(Exception):
    """A network error of the standard, or a TypeError before there is a request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Trace:
    """The record of one request of a script, in order."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.hops: list[Hop] = []
        self.caveats: dict[str, Caveat] = {}
        """code -> Caveat"""

    def add_step(self, name: str, clause: Clause, text: str) -> None:
        """Add a step that passed."""
        self.steps.append(Step(name, clause, True, text))

    def refuse(
        self,
        step: tuple[str, Clause],
        reason: BlockReason,
        text: str,
        *,
        fix: str,
        detail: str = "",
        in_preflight: bool = False,
    ) -> NoReturn:
        """Add the step that failed, and end the fetch: raise Refused.

        `step` is its name and its clause. `text`, `fix`, `detail` and `in_preflight` are those of
        Step and Refusal.
        """
        failed = Step(*step, False, text)
        self.steps.append(failed)
        raise Refused(Refusal(reason, failed, detail, fix, in_preflight))

    def add_caveat(self, code: str, text: str) -> None:
        """Add a caveat, the first of its code only."""
        self.caveats.setdefault(code, Caveat(code, text))
