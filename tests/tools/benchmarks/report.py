"""The figures as tables: in the terminal, and in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator

from tools.benchmarks.growth_costs import HIT, Grown, GrowthCosts
from tools.benchmarks.headline import Headline
from tools.benchmarks.million_costs import MILLION, MillionCosts
from tools.benchmarks.refusal_costs import RefusalCosts
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.rounds import Spread
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import BARE, CORSGUARD
from tools.benchmarks.startup_costs import StartupCosts
from tools.benchmarks.tables import Table
from tools.benchmarks.workload import REQUESTS


def request_table(costs: RequestCosts) -> Table:
    return Table(
        "What a request costs, ten exact origins",
        ("stack", "layer", *REQUESTS),
        list(_request_rows(costs)),
        labels=2,
        notes=(
            "Microseconds: in all where the stack is bare, and what the layer adds to that "
            "elsewhere, which is less than nothing where it answers in place of the application. "
            "Medians, and the middle half of the rounds in brackets",
            *(stack.lacks for stack in STACKS if stack.lacks),
        ),
    )


def _request_rows(costs: RequestCosts) -> Iterator[tuple[str, ...]]:
    for stack in STACKS:
        for layer in stack.layers:
            if layer == BARE:
                spreads = [costs.bare(stack.name, request) for request in REQUESTS]
            else:
                spreads = [costs.added(stack.name, request, layer) for request in REQUESTS]
            yield stack.name, layer, *map(_format_spread, spreads)


def growth_table(costs: GrowthCosts) -> Table:
    return Table(
        "What the number of origins adds",
        ("stack", "layer", "listed", "asked", *(f"{count:,}" for count in costs.counts)),
        [
            (
                key.stack,
                key.layer,
                "subdomains" if key.subdomains else "exact",
                key.asked,
                *_growth(costs, key),
            )
            for key in costs.series()
        ],
        labels=4,
        notes=(
            "Added microseconds per request, by how many are listed. A hit is the last that is "
            "listed, a miss an origin that is not",
            "A dash: left out, for it would have taken too long to build or to answer",
        ),
    )


def _growth(costs: GrowthCosts, key: Grown) -> Iterator[str]:
    for count in costs.counts:
        spread = costs.added(key._replace(size=count))
        yield "-" if spread is None else f"{spread.median:,.2f}"


def startup_table(starting: StartupCosts) -> Table:
    return Table(
        "100,000 origins",
        ("what", "exact", "subdomains"),
        [
            ("build and validate, s", f"{starting.build:.2f}", f"{starting.build_subdomains:.2f}"),
            (
                "memory an origin over the strings, bytes",
                f"{starting.memory:.0f}",
                f"{starting.memory_subdomains:.0f}",
            ),
            ("the same when all have been asked from", f"{starting.memory_asked:.0f}", ""),
            ("swap of the policies, ms", f"{starting.swap * 1e3:.3f}", ""),
            (
                "99th percentile of requests, one each ms, ms",
                f"{starting.waiting_alone * 1e3:.2f}",
                "",
            ),
            (
                "the same while a thread counts, ms",
                f"{starting.waiting_beside_counting * 1e3:.2f}",
                "",
            ),
            ("the same while a thread reconfigures, ms", f"{starting.waiting * 1e3:.2f}", ""),
        ],
        labels=1,
    )


def million_table(costs: MillionCosts) -> Table:
    delays = {
        "longest delay of another thread, ms": costs.delay_alone,
        "the same while the policy is built": costs.longest_delay,
        "its 99th percentile": costs.delay,
        "longest delay while another million replaces it": costs.longest_delay_by_replacement,
        "longest delay while origins are added and removed": costs.longest_delay_by_change,
    }
    return Table(
        f"{MILLION:,} exact origins",
        ("what", ""),
        [
            ("build and validate, s", f"{costs.build:.2f}"),
            ("memory an origin over the strings, bytes", f"{costs.memory:.0f}"),
            ("the same with the strings", f"{costs.memory_with_strings:.0f}"),
            ("add one origin, ms", f"{costs.add * 1e3:.2f}"),
            ("remove one origin, ms", f"{costs.remove * 1e3:.2f}"),
            *((what, f"{delay * 1e3:.2f}") for what, delay in delays.items()),
        ],
        labels=1,
        notes=(
            "One origin is added or removed by `guard.reconfigure(policy.with_origins(...))`",
            "A delay is how late a thread wakes up from a sleep of 1 ms. CPython lets a thread run "
            "for 5 ms before it gives way to another one",
        ),
    )


def refusal_table(costs: RefusalCosts) -> Table:
    rows = {
        "a new refused origin each time, in all": costs.new_origin,
        "the same with the logger off": costs.new_origin_unlogged,
        "a callable that fails beside one that refuses": costs.failure,
        "1 MB of commas in Access-Control-Request-Headers beside two names": costs.commas,
    }
    return Table(
        "Attacks and outages, on WSGI",
        ("what", "microseconds"),
        [(what, _format_spread(spread)) for what, spread in rows.items()],
        labels=1,
        notes=("The log has written its first hundred lines of each kind, and writes no more",),
    )


def build_headline(requests: RequestCosts, growth: GrowthCosts) -> Headline:
    """Return the figures of README."""
    beside = {
        stack.name: (
            stack.peer,
            requests.added(stack.name, "allowed", CORSGUARD).median,
            requests.added(stack.name, "allowed", stack.peer).median,
        )
        for name in ("Flask", "Django", "ASGI")
        for stack in STACKS
        if stack.name == name
    }
    hit = Grown("ASGI", CORSGUARD, subdomains=False, asked=HIT, size=10_000)
    many, theirs = growth.added(hit), growth.added(hit._replace(layer="Starlette's own"))
    assert many is not None
    assert theirs is not None
    return Headline(beside, many.median, theirs.median)


def _format_spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"
