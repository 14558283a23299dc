"""The cost of each kind of request on each stack, with ten origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tools.benchmarks.rounds import Cell, Rounds, Spread
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import BARE, Stack
from tools.benchmarks.workload import REQUESTS, TEN


class Timed(NamedTuple):
    """A kind of request on a stack."""

    stack: str
    request: str
    layer: str


class RequestCosts:
    """The rounds over all of them."""

    def __init__(self, stacks: tuple[Stack, ...] = STACKS) -> None:
        self.rounds = Rounds(dict(_cells(stacks)))

    def bare(self, stack: str, request: str) -> Spread:
        return self.rounds.time(Timed(stack, request, BARE))

    def added(self, stack: str, request: str, layer: str) -> Spread:
        return self.rounds.added(Timed(stack, request, layer), Timed(stack, request, BARE))

    def ratio(self, stack: str, request: str, layer: str, other: str) -> float:
        """Return what a layer adds against what another one adds."""
        added = self.added(stack, request, layer).median
        return added / self.added(stack, request, other).median


def _cells(stacks: tuple[Stack, ...]) -> Iterator[tuple[Timed, Cell]]:
    for stack in stacks:
        layers = {name: make(TEN) for name, make in stack.layers.items()}
        for request, asked in REQUESTS.items():
            for name, layer in layers.items():
                yield Timed(stack.name, request, name), layer.cell(asked)
