"""`corsguard.metrics` imports the client of a class when that is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import corsguard.metrics

BLOCKED = """
import sys
sys.modules[{client!r}] = None
import corsguard.metrics
from corsguard.metrics import {other}
try:
    corsguard.metrics.{name}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("name", "client", "other", "extra"),
    [
        ("PrometheusMetrics", "prometheus_client", "OpenTelemetryMetrics", "prometheus"),
        ("OpenTelemetryMetrics", "opentelemetry", "PrometheusMetrics", "opentelemetry"),
    ],
)
def test_missing_client_is_reported_in_one_line(
    name: str, client: str, other: str, extra: str
) -> None:
    code = BLOCKED.format(name=name, client=client, other=other)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == f'{name} needs: pip install "corsguard[{extra}]"\n'


def test_missing_client_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "corsguard.metrics.prometheus", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ImportError, match=r"corsguard\[prometheus\]"):
        _ = corsguard.metrics.PrometheusMetrics


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'StatsdMetrics'"):
        _ = corsguard.metrics.StatsdMetrics
