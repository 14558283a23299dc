"""The cost of a request by the number of origins, for a listed and an unlisted one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import thread_time
from typing import NamedTuple

from tools.benchmarks.rounds import Cell, Rounds, Spread
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import BARE, BY_ROUTE, CORSGUARD, ENFORCED, FLOOR, Layer, Stack
from tools.benchmarks.workload import UNTRUSTED, Origins, PageRequest

COUNTS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
_STACKS = [stack for stack in STACKS if stack.name not in {"Falcon", "Starlette"}]
"""Without those that have the layers of another one."""
HIT, MISS = "hit", "miss"

_MOST_ENTRIES = 100_000
"""Of what is not corsguard with exact origins."""
_MOST_SECONDS_TO_BUILD = 5.0
_MOST_SECONDS_TO_ANSWER = 0.3


class Grown(NamedTuple):
    """A stack with as many entries of one kind, asked from where one of them or none allows."""

    stack: str
    layer: str
    subdomains: bool
    asked: str
    size: int


class GrowthCosts:
    """The rounds over all of them, but for what would take too long, which is left out."""

    def __init__(self, counts: Sequence[int] = COUNTS, stacks: Sequence[Stack] = _STACKS) -> None:
        self.counts = counts
        cells: dict[Grown, Cell] = {}
        for stack in stacks:
            for layer in stack.layers.keys() - {BY_ROUTE, ENFORCED}:
                for subdomains in (False, True):
                    if not (subdomains and (layer == FLOOR or _lacks_subdomains(stack, layer))):
                        cells |= _build_cells(stack, layer, counts, subdomains=subdomains)
        # A layer is timed right beside the bare stack.
        order = sorted(cells, key=lambda key: (key.stack, key.subdomains, key.size, key.asked))
        self.rounds = Rounds({key: cells[key] for key in order})

    def series(self) -> Iterator[Grown]:
        """Yield every series but the bare ones, by its first count."""
        for key in sorted(self.rounds.samples):
            if key.layer != BARE and key.size == self.counts[0]:
                yield key

    def added(self, key: Grown) -> Spread | None:
        """Return what the layer adds; None for what was left out."""
        if key not in self.rounds.samples:
            return None
        return self.rounds.added(key, key._replace(layer=BARE))

    def ratio(self, stack: str, count: int, *, subdomains: bool, asked: str) -> float | None:
        """Return the cost of a request with count entries against one, None if it is left out."""
        few = self.added(Grown(stack, CORSGUARD, subdomains, asked, 1))
        many = self.added(Grown(stack, CORSGUARD, subdomains, asked, count))
        return many.median / few.median if few and many else None


def _build_cells(
    stack: Stack, layer: str, counts: Sequence[int], *, subdomains: bool
) -> dict[Grown, Cell]:
    """Return the cells of a layer with each count, up to one that would take too long."""
    cells: dict[Grown, Cell] = {}
    for count in counts:
        if count > _MOST_ENTRIES and (subdomains or layer not in {BARE, CORSGUARD}):
            break
        origins = Origins(count, subdomains)
        started = thread_time()
        made = stack.layers[layer](origins)
        building = thread_time() - started
        answering = 0.0
        for name, origin in ((HIT, origins.last), (MISS, UNTRUSTED)):
            cell = made.cell(PageRequest(origin))
            cells[Grown(stack.name, layer, subdomains, name, count)] = cell
            answering = max(answering, _first_answer(made, origin))
        # Ten times the entries take about ten times as long.
        too_long = (
            building * 10 > _MOST_SECONDS_TO_BUILD or answering * 10 > _MOST_SECONDS_TO_ANSWER
        )
        if layer == stack.peer and too_long:
            break
    return cells


def _first_answer(layer: Layer, origin: str) -> float:
    layer.prepare()
    layer.batch(PageRequest(origin), 1)()
    run = layer.batch(PageRequest(origin), 1)
    started = thread_time()
    run()
    return thread_time() - started


def _lacks_subdomains(stack: Stack, layer: str) -> bool:
    return layer == stack.peer and stack.lacks_subdomains
