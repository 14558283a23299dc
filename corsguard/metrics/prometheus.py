"""The metrics of a guard for prometheus_client."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from corsguard.guard import Guard
from corsguard.guard.counts import BUCKETS
from corsguard.metrics.counters import COUNTERS, GAUGES, PREDICATE_SECONDS
from corsguard.metrics.counters import Metric as GuardMetric

__all__ = ["PrometheusMetrics"]

_logger = logging.getLogger("corsguard")
_BOUNDS = [*map(floatToGoString, BUCKETS), "+Inf"]
_MULTIPROCESS = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")


class PrometheusMetrics(Collector):
    """A collector of prometheus_client that reads the counts of a guard at each scrape.

    It registers itself with `registry`, None for the default one, which has room for the metrics of
    one guard. Counting begins now, and adds about 0.4 microseconds to a cached decision.

    The counts are those of this process. The multiprocess mode of prometheus_client shows no
    custom collectors, so a warning is logged where it is on: scrape each worker instead, as
    docs/metrics.md shows for gunicorn.
    """

    def __init__(self, guard: Guard, registry: CollectorRegistry | None = None) -> None:
        self._guard = guard
        guard.adapter.count()
        (REGISTRY if registry is None else registry).register(self)
        if any(name in os.environ for name in _MULTIPROCESS):
            _logger.warning(
                "prometheus_client's multiprocess mode (%s) shows no metrics of corsguard: scrape "
                "each worker",
                _MULTIPROCESS[0],
            )

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics without samples, so that a registry can refuse a second guard."""
        for metric in COUNTERS:
            yield CounterMetricFamily(metric.name, metric.description, labels=metric.labels)
        for metric in GAUGES:
            yield _build_gauge(metric)
        yield HistogramMetricFamily(*PREDICATE_SECONDS, labels=["predicate"])

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with what the guard has counted so far."""
        for metric in COUNTERS:
            counter = CounterMetricFamily(metric.name, metric.description, labels=metric.labels)
            for labels, value in metric.read(self._guard):
                counter.add_metric(labels, value)
            yield counter
        for metric in GAUGES:
            gauge = _build_gauge(metric)
            for labels, value in metric.read(self._guard):
                gauge.add_metric(labels, value)
            yield gauge
        histogram = HistogramMetricFamily(*PREDICATE_SECONDS, labels=["predicate"])
        for name, stats in self._guard.adapter.count().read_predicates().items():
            buckets = [*zip(_BOUNDS, accumulate(stats.buckets), strict=True)]
            histogram.add_metric([name], buckets, stats.seconds)
        yield histogram


def _build_gauge(metric: GuardMetric) -> GaugeMetricFamily:
    labels, unit = metric.labels, metric.unit
    return GaugeMetricFamily(metric.name, metric.description, labels=labels, unit=unit)
