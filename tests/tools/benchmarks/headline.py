"""The figures of README, and their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import NamedTuple

_README_WIDTH = 120


class Headline(NamedTuple):
    """The figures of README, in microseconds: what an allowed request takes longer."""

    beside: Mapping[str, tuple[str, float, float]]
    """Stack -> the peer's name, the cost of corsguard, that of the peer."""
    many: float
    """With 10,000 origins, on ASGI."""
    many_of_peer: float

    def __str__(self) -> str:
        """The sentences, in lines of README's width."""
        costs = ", ".join(
            f"{own:.2g} µs{' longer' if index == 0 else ''} on {stack} ({theirs:.2g} with {peer})"
            for index, (stack, (peer, own, theirs)) in enumerate(self.beside.items())
        )
        peer = self.beside["ASGI"][0]
        return fill(
            f"**What it costs:** an allowed request takes {costs}. With 10,000 origins in place of "
            f"ten, ASGI takes {self.many:.2g} µs ({self.many_of_peer:.3g} with {peer}). "
            "[Benchmarks](docs/benchmarks.md)",
            _README_WIDTH,
        )
