"""The metrics of a guard for OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import (
    CallbackOptions,
    MeterProvider,
    Observation,
    get_meter_provider,
)

from corsguard.guard import Guard
from corsguard.guard.counts import BUCKETS
from corsguard.metrics.counters import COUNTERS, GAUGES, PREDICATE_SECONDS, Metric
from corsguard.policy.timed_predicate import Outcome

__all__ = ["OpenTelemetryMetrics"]

Callback = Callable[[CallbackOptions], Iterable[Observation]]


class OpenTelemetryMetrics:
    """Instruments of OpenTelemetry that observe the counts of a guard when they are exported.

    `meter_provider` is None for the global one. The names are those of Prometheus with a dot after
    `corsguard`, such as `corsguard.decisions`, and without a unit. Counting begins now, and adds
    about 0.4 microseconds to a cached decision. Each process exports its own counts.
    """

    def __init__(self, guard: Guard, meter_provider: MeterProvider | None = None) -> None:
        self._guard = guard
        counts = guard.adapter.count()
        meter = (meter_provider or get_meter_provider()).get_meter("corsguard")
        for metric in COUNTERS:
            observe = self._build_callback(metric)
            name = _rename(metric.name)
            meter.create_observable_counter(name, [observe], "1", metric.description)
        for metric in GAUGES:
            observe = self._build_callback(metric)
            unit = "s" if metric.unit else "1"
            meter.create_observable_gauge(_rename(metric.name), [observe], unit, metric.description)
        name, description = PREDICATE_SECONDS
        self._histogram = meter.create_histogram(
            _rename(name.removesuffix("_seconds")),
            "s",
            description,
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        counts.add_recorder(self._record)

    def _build_callback(self, metric: Metric) -> Callback:
        """Return a function that observes a metric of the guard."""

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            for labels, value in metric.read(self._guard):
                yield Observation(value, dict(zip(metric.labels, labels, strict=True)))

        return observe

    def _record(self, name: str, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002
        self._histogram.record(seconds, {"predicate": name})


def _rename(name: str) -> str:
    return name.replace("_", ".", 1)
