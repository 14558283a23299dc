"""The goals: the most that each figure may be, and whether it is met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tools.benchmarks.growth_costs import HIT, MISS, GrowthCosts
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.stacks.layers import CORSGUARD, FLOOR
from tools.benchmarks.startup_costs import StartupCosts


class Goal(NamedTuple):
    """One figure and the most that it may be."""

    what: str
    measured: float
    most: float
    unit: str
    met: bool

    @classmethod
    def at_most(cls, what: str, measured: float, most: float, unit: str) -> Goal:
        return cls(what, measured, most, unit, measured <= most)


class _PeerGoal(NamedTuple):
    stack: str
    request: str
    peer: str
    share: float
    """One part in so many of what the peer adds."""


_AGAINST_PEERS = (
    _PeerGoal("Flask", "no Origin", "flask-cors", 12),
    _PeerGoal("Flask", "allowed", "flask-cors", 12),
    _PeerGoal("Django", "no Origin", "django-cors-headers", 7),
    _PeerGoal("Django", "allowed", "django-cors-headers", 8),
    _PeerGoal("ASGI", "no Origin", "Starlette's own", 4),
    _PeerGoal("ASGI", "allowed", "Starlette's own", 4),
    _PeerGoal("ASGI", "preflight", "Starlette's own", 4),
)
_ON_WSGI = ("no Origin", "allowed", "refused")
_MANY = 10_000


def request_goals(costs: RequestCosts) -> Iterator[Goal]:
    for stack, request, peer, share in _AGAINST_PEERS:
        added = costs.added(stack, request, CORSGUARD).median
        most = costs.added(stack, request, peer).median / share
        yield Goal.at_most(f"{stack}, {request}: 1/{share} of {peer}", added, most, "us")
    for stack in ("Flask", "Django"):
        added = costs.added(stack, "preflight", CORSGUARD).median
        what = f"{stack}, preflight: faster than the bare application"
        yield Goal.at_most(what, added, 0, "us")
    for request in _ON_WSGI:
        added = costs.added("WSGI", request, CORSGUARD).median
        yield Goal.at_most(f"WSGI, {request}", added, 0.8, "us")
        floor = costs.added("WSGI", request, FLOOR).median
        yield Goal.at_most(f"WSGI, {request}: against the floor", added / floor, 1.6, "times")


def growth_goals(costs: GrowthCosts) -> Iterator[Goal]:
    for stack in ("WSGI", "ASGI"):
        for subdomains in (False, True):
            for asked in (HIT, MISS):
                ratio = costs.ratio(stack, _MANY, subdomains=subdomains, asked=asked)
                kind = "subdomain patterns" if subdomains else "exact origins"
                what = f"{stack}, {asked}, {_MANY:,} {kind} against 1"
                yield Goal.at_most(what, ratio, 1.1, "times")


def startup_goals(starting: StartupCosts) -> Iterator[Goal]:
    commas = starting.commas.median
    yield Goal.at_most("1 MB of commas in Access-Control-Request-Headers", commas, 50, "us")
    yield Goal.at_most("memory, 100,000 origins", starting.memory, 300, "bytes each")
    yield Goal.at_most("start, 100,000 origins", starting.build, 1, "s")
    yield Goal.at_most("swap, 100,000 origins", starting.swap * 1e3, 1, "ms")
    what = "99th percentile of requests while 100,000 origins are built"
    yield Goal.at_most(what, starting.waiting * 1e3, 10, "ms")
