"""docs/benchmarks.svg: what a layer adds to a request, and what the number of origins adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from tools.benchmarks.growth_costs import HIT, Grown, GrowthCosts
from tools.benchmarks.page import python
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.stacks import STACKS
from tools.benchmarks.stacks.layers import BY_ROUTE, CORSGUARD, ENFORCED, FLOOR

_OURS = "#0b6e99"
_OURS_BY_ROUTE = "#5ba3c0"
_OURS_ENFORCED = "#a3cde0"
_PEERS = "#d9730d"
_INK = "#37352f"

_BARS = ("Flask", "Django", "Starlette", "ASGI", "Falcon", "WSGI")
_COLOURS = {CORSGUARD: _OURS, BY_ROUTE: _OURS_BY_ROUTE, ENFORCED: _OURS_ENFORCED}
_LINES = (
    ("Django", "django-cors-headers", "--", "o"),
    ("Flask", "flask-cors", "--", "s"),
    ("ASGI", "Starlette's own", "--", "^"),
    ("Django", CORSGUARD, "-", "o"),
    ("Flask", CORSGUARD, "-", "s"),
    ("ASGI", CORSGUARD, "-", "^"),
    ("WSGI", CORSGUARD, "-", "D"),
)


def draw(path: Path, requests: RequestCosts, growth: GrowthCosts) -> None:
    style: Any = {
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.size": 10,
        "svg.hashsalt": "corsguard",
        "text.color": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(11, 6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _bars(left, requests)
        _lines(right, growth)
        figure.suptitle(
            f"What a CORS layer adds to a request (Python {python()}, microseconds, log scale)",
            fontsize=12,
        )
        figure.savefig(path, metadata={"Date": None})


def _bars(axes: Any, costs: RequestCosts) -> None:
    """Draw an allowed actual request on each stack."""
    at, middles = 0.0, []
    for stack in sorted(STACKS, key=lambda stack: _BARS.index(stack.name)):
        own = [layer for layer in reversed(_COLOURS) if layer in stack.layers]
        middles.append(at + len(own) / 2)
        if FLOOR in stack.layers:
            floor = costs.added(stack.name, "allowed", FLOOR).median
            axes.plot([floor, floor], [at - 0.5, at + len(own) - 0.5], color=_INK, zorder=3)
        for layer in (*own, stack.peer):
            added = costs.added(stack.name, "allowed", layer).median
            axes.barh(at, added, height=0.9, color=_COLOURS.get(layer, _PEERS))
            axes.text(added * 1.06, at, f"{added:.2g}  {layer}", va="center", fontsize=9)
            at += 1
        at += 0.7
    axes.set_xscale("log")
    axes.set_yticks(middles, _BARS)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0.2, 400)
    _plain_ticks(axes.xaxis)
    axes.set_title("An allowed request, ten origins listed (mark: the floor)", fontsize=10)


def _plain_ticks(*sides: Any) -> None:
    for side in sides:
        side.set_major_formatter("{x:,.10g}")
        side.minorticks_off()


def _lines(axes: Any, costs: GrowthCosts) -> None:
    """Draw a hit by the number of exact origins."""
    ends: list[tuple[float, str]] = []
    for stack, layer, line, marker in _LINES:
        counts, added = [], []
        for count in costs.counts:
            spread = costs.added(Grown(stack, layer, False, HIT, count))
            if spread is not None:
                counts.append(count)
                added.append(spread.median)
        colour = _OURS if layer == CORSGUARD else _PEERS
        axes.plot(counts, added, line, marker=marker, markersize=4, color=colour)
        ends.append((added[-1], f"{layer} on {stack}" if layer == CORSGUARD else layer))
    lowest = 0.0
    for end, name in sorted(ends):
        lowest = max(end, lowest * 1.8)  # no label on top of another
        axes.text(1_500_000, lowest, name, va="center", fontsize=9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.8, 200_000_000)
    axes.set_xticks([10**power for power in range(7)])
    _plain_ticks(axes.xaxis, axes.yaxis)
    axes.set_xlabel("exact origins listed")
    axes.set_title("An allowed request, from the last origin of the list", fontsize=10)
