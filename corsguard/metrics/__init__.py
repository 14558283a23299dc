"""Metrics of a guard, for Prometheus and for OpenTelemetry: see docs/metrics.md."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corsguard.metrics.opentelemetry import OpenTelemetryMetrics
    from corsguard.metrics.prometheus import PrometheusMetrics

__all__ = ["OpenTelemetryMetrics", "PrometheusMetrics"]

_EXTRAS = {"OpenTelemetryMetrics": "opentelemetry", "PrometheusMetrics": "prometheus"}
"""Name of a class -> the extra that it needs, and its module here."""


def __getattr__(name: str) -> object:
    """Import a class when it is used, as the client of the other one may not be installed."""
    extra = _EXTRAS.get(name)
    if extra is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{extra}"), name)
    except ImportError:
        raise ImportError(f'{name} needs: pip install "corsguard[{extra}]"') from None
