"""The cost of attacks and outages: new origins, callables that fail, long headers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

from tools.benchmarks.rounds import Cell, Rounds, Spread
from tools.benchmarks.stacks.layers import Layer, wsgi
from tools.benchmarks.stacks.wsgi import plain
from tools.benchmarks.workload import REQUESTS, TEN, UNTRUSTED, Origins, PageRequest

from corsguard import Guard, Policy
from corsguard_wsgi import CORSMiddleware

_ROUNDS = 100
_FIRST_LINES = 200
"""New origins after which the log has written the hundred lines of its kind."""

_logger = logging.getLogger("corsguard")


class RefusalCosts(NamedTuple):
    """Microseconds of a request on WSGI."""

    new_origin: Spread
    """In all, where no origin was seen before, at the usual level of the log."""
    new_origin_unlogged: Spread
    """The same with the logger off."""
    failure: Spread
    """What a callable that raises takes longer than one that refuses, once that was logged."""
    commas: Spread
    """What 1 MB of commas in its request headers add to a preflight."""


def measure() -> RefusalCosts:
    new_origin, unlogged = _measure_new_origins()
    return RefusalCosts(new_origin, unlogged, _measure_failure(), _measure_commas())


class _NewOrigins(PageRequest):
    """Requests of pages of which no two have the same origin."""

    __slots__ = ()

    def environs(self, count: int) -> list[dict[str, Any]]:
        return [
            PageRequest(f"https://app{next(_numbers)}.untrusted.example").environs(1)[0]
            for _ in range(count)
        ]


_numbers: Iterator[int] = count()


def _measure_new_origins() -> tuple[Spread, Spread]:
    layer = wsgi(CORSMiddleware(plain, TEN.policy))
    asked = _NewOrigins(UNTRUSTED)
    layer.batch(asked, _FIRST_LINES)()
    usual = _logger.level
    levels = {"usual": usual, "off": logging.CRITICAL + 1}
    cells = {name: _build_cell(layer, asked, level) for name, level in levels.items()}
    rounds = Rounds(cells)
    rounds.run(range(_ROUNDS))
    _logger.setLevel(usual)
    return rounds.time("usual"), rounds.time("off")


def _build_cell(layer: Layer, asked: PageRequest, level: int) -> Cell:
    return Cell(lambda count: layer.batch(asked, count), lambda: _logger.setLevel(level))


def _measure_failure() -> Spread:
    def fails(origin: str) -> bool:
        raise ConnectionError(origin)

    def refuses(origin: str) -> bool:
        return False

    def build(predicate: Callable[[str], bool]) -> Cell:
        layer = wsgi(CORSMiddleware(plain, Guard(Policy(allow_origins=[predicate]))))
        return layer.cell(PageRequest(UNTRUSTED))

    rounds = Rounds({"fails": build(fails), "refuses": build(refuses)})
    rounds.run(range(_ROUNDS))
    return rounds.added("fails", "refuses")


class _Hostile(PageRequest):
    """A preflight that asks for as many header names as a server will read, all of them empty."""

    __slots__ = ()

    def fields(self) -> dict[str, str]:
        return {**super().fields(), "Access-Control-Request-Headers": "," * 1_000_000}


def _measure_commas() -> Spread:
    layer = wsgi(CORSMiddleware(plain, Origins(10).policy))
    usual = REQUESTS["preflight"]
    hostile = _Hostile(usual.origin, usual.preflight)
    environs = hostile.environs(1)

    class Same(_Hostile):
        """The same with one shared megabyte: only the response is timed."""

        __slots__ = ()

        def environs(self, count: int) -> list[dict[str, object]]:
            return [dict(environs[0]) for _ in range(count)]

    cells: dict[str, Cell] = {
        "usual": layer.cell(usual),
        "hostile": layer.cell(Same(usual.origin, usual.preflight)),
    }
    rounds = Rounds(cells)
    rounds.run(range(50))
    return rounds.added("hostile", "usual")
