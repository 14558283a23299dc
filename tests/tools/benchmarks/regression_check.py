"""The guard against regressions: ratios of one run, with margins that no noisy machine uses up."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from tools.benchmarks import instruction_counts
from tools.benchmarks.growth_costs import HIT, MISS, GrowthCosts
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import CORSGUARD, FLOOR, Stack
from tools.benchmarks.tables import Goal, goal_table

_ATTEMPTS = 3
_ROUNDS = 25
_STACKS = tuple(stack for stack in STACKS if stack.name in {"WSGI", "ASGI", "Flask", "Django"})
_AGAINST_FLOOR = 3.0
_AGAINST_PEER = 1 / 4
_AGAINST_ONE = 2.0


def check(console: Console) -> int:
    """Return the exit status: 1 if a request runs more instructions than the baseline allows.

    Also if a ratio of times is past its limit in each of three attempts.
    """
    counts = [*_compare_instructions(console)]
    if counts:
        goal_table(counts).show(console)
    if not all(count.met for count in counts):
        return 1
    for _ in range(_ATTEMPTS):
        ratios = [*_of_requests(), *_of_growth()]
        goal_table(ratios).show(console)
        if all(ratio.met for ratio in ratios):
            return 0
    return 1


def _compare_instructions(console: Console) -> Iterator[Goal]:
    counts = instruction_counts.count()
    if counts is None:
        console.print(instruction_counts.NO_VALGRIND)
        return
    baseline = instruction_counts.read_baseline(counts.python)
    if baseline is None:
        console.print(f"instructions are not compared: there is no baseline of {counts.python}")
        return
    yield from instruction_counts.compare(counts, baseline)


def _of_requests() -> Iterator[Goal]:
    costs = RequestCosts(_STACKS)
    costs.rounds.run(range(_ROUNDS))
    for stack in ("WSGI", "ASGI"):
        for request in ("no Origin", "allowed", "refused"):
            ratio = costs.ratio(stack, request, CORSGUARD, FLOOR)
            yield Goal.at_most(
                f"{stack}, {request}: against the floor", ratio, _AGAINST_FLOOR, "times"
            )
    for stack, peer in (("Flask", "flask-cors"), ("Django", "django-cors-headers")):
        ratio = costs.ratio(stack, "allowed", CORSGUARD, peer)
        yield Goal.at_most(f"{stack}, allowed: of {peer}", ratio, _AGAINST_PEER, "times")


def _of_growth() -> Iterator[Goal]:
    costs = GrowthCosts((1, 10_000), [_ours(stack) for stack in STACKS if stack.name == "WSGI"])
    costs.rounds.run(range(_ROUNDS))
    for subdomains in (False, True):
        for asked in (HIT, MISS):
            ratio = costs.ratio("WSGI", 10_000, subdomains=subdomains, asked=asked)
            if ratio is not None:
                kind = "subdomain patterns" if subdomains else "exact origins"
                what = f"WSGI, {asked}, 10,000 {kind} against 1"
                yield Goal.at_most(what, ratio, _AGAINST_ONE, "times")


def _ours(stack: Stack) -> Stack:
    layers = {name: make for name, make in stack.layers.items() if name != stack.peer}
    return stack._replace(layers=layers)
