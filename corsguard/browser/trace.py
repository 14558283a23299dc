"""What a fetch leaves behind as it goes: its steps, and the requests that went over the wire."""

from __future__ import annotations

from typing import NoReturn

from corsguard.browser.clauses import Clause
from corsguard.browser.exchange import BlockReason, Caveat, Hop, Refusal, Step

__all__ = ["Refused", "Trail"]


class Refused(Exception):
    """A network error of the standard, or a TypeError before there is a request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Trail:
    """Collects in order what happens to one request of a script."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.hops: list[Hop] = []
        self.caveats: dict[str, Caveat] = {}

    def passed(self, name: str, clause: Clause, text: str) -> None:
        """Add a step after which the fetch goes on."""
        self.steps.append(Step(name, clause, True, text))

    def refuse(
        self,
        name: str,
        clause: Clause,
        reason: BlockReason,
        text: str,
        *,
        fix: str,
        detail: str = "",
        in_preflight: bool = False,
    ) -> NoReturn:
        """Add the step that ends the fetch, and end it."""
        step = Step(name, clause, False, text)
        self.steps.append(step)
        raise Refused(Refusal(reason, step, detail, fix, in_preflight))

    def caution(self, code: str, text: str) -> None:
        """Add what lies outside CORS, once."""
        self.caveats.setdefault(code, Caveat(code, text))
