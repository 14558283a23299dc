"""The goals: the most that each figure may be, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.benchmarks.growth_costs import HIT, MISS, GrowthCosts
from tools.benchmarks.million_costs import MillionCosts
from tools.benchmarks.refusal_costs import RefusalCosts
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.stacks.layers import BY_ROUTE, CORSGUARD, ENFORCED, FLOOR, STARLETTE_ADAPTER
from tools.benchmarks.startup_costs import StartupCosts
from tools.benchmarks.tables import Goal
from tools.benchmarks.workload import REQUESTS


class _PeerGoal(NamedTuple):
    stack: str
    request: str
    peer: str
    share: float
    """One part in so many of what the peer adds."""


class _EarlierFigure(NamedTuple):
    """What corsguard added before it had one cache for all, on a certain machine."""

    stack: str
    request: str
    added: float
    scale: float
    """What the floor of the stack took in all on that machine: it tells how fast another one is."""


_AGAINST_PEERS = (
    _PeerGoal("Flask", "no Origin", "flask-cors", 12),
    _PeerGoal("Flask", "allowed", "flask-cors", 12),
    _PeerGoal("Django", "no Origin", "django-cors-headers", 7),
    _PeerGoal("Django", "allowed", "django-cors-headers", 10),
)
_EARLIER_FIGURES = (
    _EarlierFigure("WSGI", "no Origin", 0.77, 0.86),
    _EarlierFigure("WSGI", "allowed", 0.83, 0.89),
    _EarlierFigure("WSGI", "refused", 0.97, 0.87),
    _EarlierFigure("ASGI", "no Origin", 1.9, 1.86),
    _EarlierFigure("ASGI", "allowed", 2.0, 1.92),
    _EarlierFigure("ASGI", "refused", 2.9, 1.91),
    _EarlierFigure("Flask", "no Origin", 1.6, 37.8),
    _EarlierFigure("Flask", "allowed", 2.1, 38.0),
    _EarlierFigure("Django", "no Origin", 2.8, 43.7),
    _EarlierFigure("Django", "allowed", 5.9, 45.5),
)
_STARLETTE = "Starlette's own"
_SHARES_OF_STARLETTE = {
    "no Origin": 0.30,
    "allowed": 0.30,
    "refused": 0.45,
    "preflight": 0.30,
    "preflight refused": 0.45,
}
_SHARE_OF_STARLETTE = 0.45
"""By route and enforced."""
_NO_SLOWER = 1.03
_OTHER_LAYER = 1.5
_CACHED_BY_ENFORCED = ("no Origin", "allowed", "POST, same origin", "POST, allowed")
_GROWTH = ((10_000, 1.05), (100_000, 1.10), (1_000_000, 1.10))


def request_goals(costs: RequestCosts) -> Iterator[Goal]:
    yield from _no_slower_goals(costs)
    yield from _layer_goals(costs)
    yield from _starlette_goals(costs)
    yield from _adapter_goals(costs)
    for stack, request, peer, share in _AGAINST_PEERS:
        added = costs.added(stack, request, CORSGUARD).median
        most = costs.added(stack, request, peer).median / share
        yield Goal.at_most(f"{stack}, {request}: 1/{share} of {peer}", added, most, "us")
    for stack in ("Flask", "Django"):
        added = costs.added(stack, "preflight", CORSGUARD).median
        what = f"{stack}, preflight: faster than the bare application"
        yield Goal.at_most(what, added, 0, "us")
    for request in ("no Origin", "allowed", "refused"):
        ratio = costs.ratio("WSGI", request, CORSGUARD, FLOOR)
        yield Goal.at_most(f"WSGI, {request}: against the floor", ratio, 1.6, "times")


def _no_slower_goals(costs: RequestCosts) -> Iterator[Goal]:
    """Compare with earlier figures, scaled as the floor is by the speed of the machine."""
    for stack, request, earlier, scale in _EARLIER_FIGURES:
        added = costs.added(stack, request, CORSGUARD).median
        floor = costs.bare(stack, request).median + costs.added(stack, request, FLOOR).median
        what = f"{stack}, {request}: no slower than before there was one cache"
        yield Goal.at_most(what, added, earlier * floor / scale * _NO_SLOWER, "us")


def _layer_goals(costs: RequestCosts) -> Iterator[Goal]:
    """Compare a policy by route, and an enforced one, with the same one everywhere."""
    for layer, requests in ((BY_ROUTE, tuple(REQUESTS)), (ENFORCED, _CACHED_BY_ENFORCED)):
        for stack in ("WSGI", "ASGI"):
            for request in requests:
                ratio = costs.ratio(stack, request, layer, CORSGUARD)
                what = f"{stack}, {request}: {layer}, against one policy everywhere"
                yield Goal.at_most(what, ratio, _OTHER_LAYER, "times")


def _starlette_goals(costs: RequestCosts) -> Iterator[Goal]:
    for layer in (CORSGUARD, BY_ROUTE, ENFORCED):
        for request, share in _SHARES_OF_STARLETTE.items():
            ratio = costs.ratio("ASGI", request, layer, _STARLETTE)
            most = share if layer == CORSGUARD else _SHARE_OF_STARLETTE
            what = f"ASGI, {request}: {layer}, share of {_STARLETTE}"
            yield Goal.at_most(what, ratio, most, "times")


def _adapter_goals(costs: RequestCosts) -> Iterator[Goal]:
    """Compare the extension for Starlette with the middleware for any ASGI application."""
    for request in ("no Origin", "allowed", "refused"):
        bare = costs.bare("Starlette", request).median
        extension = bare + costs.added("Starlette", request, STARLETTE_ADAPTER).median
        middleware = bare + costs.added("Starlette", request, CORSGUARD).median
        what = f"Starlette, {request}, in all: {STARLETTE_ADAPTER} beside corsguard_asgi"
        yield Goal.at_most(what, extension / middleware, _NO_SLOWER, "times")


def growth_goals(costs: GrowthCosts) -> Iterator[Goal]:
    for stack in ("WSGI", "ASGI"):
        for subdomains in (False, True):
            for count, most in _GROWTH:
                for asked in (HIT, MISS):
                    ratio = costs.ratio(stack, count, subdomains=subdomains, asked=asked)
                    if ratio is not None:
                        kind = "subdomain patterns" if subdomains else "exact origins"
                        what = f"{stack}, {asked}, {count:,} {kind} beside one"
                        yield Goal.at_most(what, ratio, most, "times")


def refusal_goals(costs: RefusalCosts) -> Iterator[Goal]:
    what = "WSGI, in all, a new refused origin each time"
    yield Goal.at_most(what, costs.new_origin.median, 8, "us")
    yield Goal.at_most(f"{what}, logger off", costs.new_origin_unlogged.median, 4, "us")
    what = "a callable that fails beside one that answers, when its lines are written"
    yield Goal.at_most(what, costs.failure.median, 10, "us")
    what = "1 MB of commas in Access-Control-Request-Headers"
    yield Goal.at_most(what, costs.commas.median, 50, "us")


def startup_goals(costs: StartupCosts) -> Iterator[Goal]:
    yield Goal.at_most("memory, 100,000 origins", costs.memory, 300, "bytes each")
    yield Goal.at_most("start, 100,000 origins", costs.build, 1, "s")
    yield Goal.at_most("swap, 100,000 origins", costs.swap * 1e3, 1, "ms")
    what = "99th percentile of requests while 100,000 origins are built"
    yield Goal.at_most(what, costs.waiting * 1e3, 10, "ms")


def million_goals(costs: MillionCosts) -> Iterable[Goal]:
    what = "1,000,000 exact origins"
    return (
        Goal.at_most(f"memory, {what}, over the strings", costs.memory, 100, "bytes each"),
        Goal.at_most(f"start, {what}", costs.build, 4, "s"),
        Goal.at_most(f"add one origin to {what}", costs.add * 1e3, 5, "ms"),
        Goal.at_most(f"remove one origin of {what}", costs.remove * 1e3, 5, "ms"),
        Goal.at_most(
            f"longest time that a thread is held up while {what} are built",
            costs.longest_delay * 1e3,
            10,
            "ms",
        ),
    )
