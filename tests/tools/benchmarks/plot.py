"""docs/benchmarks.svg: what a layer adds to a request, and what the number of origins adds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from tools.benchmarks.growth_costs import HIT, Grown, GrowthCosts
from tools.benchmarks.page import python
from tools.benchmarks.request_costs import RequestCosts
from tools.benchmarks.stacks.layers import CORSGUARD, FLOOR

_OURS = "#0b6e99"
_PEERS = "#d9730d"
_FLOOR = "#9b9a97"
_INK = "#37352f"

_BARS = (
    ("Flask", "flask-cors"),
    ("Django", "django-cors-headers"),
    ("Starlette", "Starlette's own"),
    ("ASGI", "Starlette's own"),
    ("Falcon", "Falcon's own"),
    ("WSGI", "wsgicors"),
)
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
        figure = Figure(figsize=(11, 4.8), layout="constrained")
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
    for at, (stack, peer) in enumerate(_BARS):
        for offset, layer, colour in ((0.2, peer, _PEERS), (-0.2, CORSGUARD, _OURS)):
            added = costs.added(stack, "allowed", layer).median
            axes.barh(at + offset, added, height=0.36, color=colour)
            name = layer if layer == CORSGUARD else peer
            axes.text(added * 1.06, at + offset, f"{added:.2g}  {name}", va="center", fontsize=9)
        if stack in {"Flask", "Django", "ASGI", "WSGI"}:
            floor = costs.added(stack, "allowed", FLOOR).median
            axes.plot([floor, floor], [at - 0.42, at + 0.02], color=_INK, linewidth=1.5)
    axes.set_xscale("log")
    axes.set_yticks(range(len(_BARS)), [stack for stack, _ in _BARS])
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
        axes.text(150_000, lowest, name, va="center", fontsize=9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.8, 8_000_000)
    axes.set_xticks([10**power for power in range(6)])
    _plain_ticks(axes.xaxis, axes.yaxis)
    axes.set_xlabel("exact origins listed")
    axes.set_title("An allowed request, from the last origin of the list", fontsize=10)
