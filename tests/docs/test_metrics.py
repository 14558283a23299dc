"""docs/metrics.md: its blocks run, and its table names every metric and label."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from corsguard.metrics.counters import COUNTERS, GAUGES, PREDICATE_SECONDS

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_blocks_run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "docs"}
    before = set(REGISTRY._names_to_collectors.values())
    try:
        for block in BLOCKS:
            exec(compile(block, "metrics.md", "exec"), names)
    finally:
        for collector in set(REGISTRY._names_to_collectors.values()) - before:
            REGISTRY.unregister(collector)

    assert len(BLOCKS) == 4
    assert capsys.readouterr().out == "would-refuse https://app.example.com /api 1\n"


def test_table_names_every_metric_and_its_labels() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*)\|", PAGE, re.MULTILINE)
    listed = {name: re.findall(r"`(\w+)`", labels) for name, labels in rows}

    expected = {f"{each.name}_total": [*each.labels] for each in COUNTERS}
    expected |= {f"{each.name}_{each.unit}".rstrip("_"): [*each.labels] for each in GAUGES}
    expected[PREDICATE_SECONDS[0]] = ["predicate"]
    assert listed == expected
