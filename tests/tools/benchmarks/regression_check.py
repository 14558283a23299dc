"""The guard against regressions: ratios of one run, with margins that no noisy machine uses up."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from tools.benchmarks.goals import Goal
from tools.benchmarks.growth_costs import HIT, MISS, GrowthCosts
from tools.benchmarks.report import goal_table
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import CORSGUARD, FLOOR, Stack

_ATTEMPTS = 3
_ROUNDS = 25
_AGAINST_FLOOR = 3.0
_AGAINST_PEER = 1 / 4
_AGAINST_ONE = 2.0


def check(console: Console) -> int:
    """Return the exit status: 1 if a ratio is past its limit in each of three attempts."""
    for _ in range(_ATTEMPTS):
        ratios = [*_of_requests(), *_of_growth()]
        goal_table(ratios).show(console)
        if all(ratio.met for ratio in ratios):
            return 0
    return 1


def _of_requests() -> Iterator[Goal]:
    costs = RequestCosts()
    costs.rounds.run(range(_ROUNDS))
    for stack in ("WSGI", "ASGI"):
        for request in ("no Origin", "allowed", "refused"):
            added = costs.added(stack, request, CORSGUARD).median
            floor = costs.added(stack, request, FLOOR).median
            what = f"{stack}, {request}: against the floor"
            yield Goal.at_most(what, added / floor, _AGAINST_FLOOR, "times")
    for stack, peer in (("Flask", "flask-cors"), ("Django", "django-cors-headers")):
        added = costs.added(stack, "allowed", CORSGUARD).median
        theirs = costs.added(stack, "allowed", peer).median
        yield Goal.at_most(f"{stack}, allowed: of {peer}", added / theirs, _AGAINST_PEER, "times")


def _of_growth() -> Iterator[Goal]:
    costs = GrowthCosts((1, 10_000), [_ours(stack) for stack in STACKS if stack.name == "WSGI"])
    costs.rounds.run(range(_ROUNDS))
    for subdomains in (False, True):
        for asked in (HIT, MISS):
            ratio = costs.ratio("WSGI", 10_000, subdomains=subdomains, asked=asked)
            kind = "subdomain patterns" if subdomains else "exact origins"
            what = f"WSGI, {asked}, 10,000 {kind} against 1"
            yield Goal.at_most(what, ratio, _AGAINST_ONE, "times")


def _ours(stack: Stack) -> Stack:
    layers = {name: make for name, make in stack.layers.items() if name != stack.peer}
    return stack._replace(layers=layers)
