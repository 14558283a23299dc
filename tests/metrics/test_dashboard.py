"""docs/grafana-dashboard.json: it queries metrics and labels that are exported, and all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from support.metrics import build_busy_guard

from corsguard.metrics import PrometheusMetrics

PAGE = Path(__file__).parents[2] / "docs/grafana-dashboard.json"
BOARD: dict[str, Any] = json.loads(PAGE.read_text(encoding="utf-8"))
QUERIES: list[str] = [
    target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])
]
LABELS_OF_PROMETHEUS = {"job", "instance", "le"}


def list_exported() -> dict[str, set[str]]:
    """Return the name of each sample that is exported, and the names of its labels."""
    guard = build_busy_guard()
    registry = CollectorRegistry()
    PrometheusMetrics(guard, registry)
    guard.decide("/", "https://x.example", "GET", {})
    shown = generate_latest(registry).decode()
    guard.unfollow()
    exported: dict[str, set[str]] = {}
    for line in shown.splitlines():
        if not line.startswith("#"):
            name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})? \S+", line).groups()  # type: ignore[union-attr]
            exported.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return exported


def test_every_metric_of_the_dashboard_is_exported() -> None:
    exported = list_exported()
    queried = {name for query in QUERIES for name in re.findall(r"corsguard_\w+", query)}

    assert queried <= set(exported)
    assert {name for name in exported if not name.endswith("_created")} == queried


def test_every_label_of_the_dashboard_is_exported() -> None:
    exported = list_exported()
    for query in QUERIES:
        names = re.findall(r"corsguard_\w+", query)
        labels = {each for name in names for each in exported[name]} | LABELS_OF_PROMETHEUS
        grouped = [
            each for group in re.findall(r"by \(([\w, ]+)\)", query) for each in group.split(", ")
        ]
        matched = re.findall(r"(\w+)=~?\"", query)
        assert {*grouped, *matched} <= labels, query


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
