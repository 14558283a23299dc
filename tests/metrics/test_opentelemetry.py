"""What OpenTelemetry exports."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from support.metrics import build_busy_guard

from corsguard import Guard, Policy
from corsguard.metrics import OpenTelemetryMetrics, PrometheusMetrics
from corsguard_wsgi import CORSMiddleware

APP, EVIL = "https://app.example", "https://evil.example"


def export(reader: InMemoryMetricReader) -> dict[str, Any]:
    """Return the exported metrics by name."""
    data = reader.get_metrics_data()
    assert data is not None
    [resource] = data.resource_metrics
    [scope] = resource.scope_metrics
    assert scope.scope.name == "corsguard"
    return {metric.name: metric for metric in scope.metrics}


def find_points(metric: Any) -> list[tuple[dict[str, Any], float]]:
    return [(dict(point.attributes), point.value) for point in metric.data.data_points]


def test_decisions_are_exported_with_their_attributes() -> None:
    reader, guard = InMemoryMetricReader(), Guard({"/api": Policy(allow_origins=[APP])})
    OpenTelemetryMetrics(guard, MeterProvider([reader]))
    app = CORSMiddleware(lambda *_: [b"ok"], guard)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api", "HTTP_ORIGIN": APP}

    for _ in range(3):
        app(dict(environ), lambda *_: print)

    attributes = {"kind": "ACTUAL", "reason": "ALLOWED", "route": "/api"}
    assert find_points(export(reader)["corsguard.decisions"]) == [
        ({**attributes, "cache": "hit"}, 2),
        ({**attributes, "cache": "miss"}, 1),
    ]


def test_every_metric_is_exported() -> None:
    reader, guard = InMemoryMetricReader(), build_busy_guard()
    OpenTelemetryMetrics(guard, MeterProvider([reader]))
    guard.decide("/", EVIL, "GET", {})
    guard.decide("/", "https://partner.example", "GET", {})

    metrics = export(reader)
    guard.unfollow()

    units = {name: metric.unit for name, metric in metrics.items()}
    assert units == {
        "corsguard.decisions": "1",
        "corsguard.predicate_calls": "1",
        "corsguard.predicate": "s",
        "corsguard.lookup_requests": "1",
        "corsguard.candidate_differences": "1",
        "corsguard.source_errors": "1",
        "corsguard.policy_info": "1",
        "corsguard.policy_age": "s",
    }
    assert find_points(metrics["corsguard.policy_info"]) == [({"version": "v1"}, 1)]
    [point] = metrics["corsguard.predicate"].data.data_points
    assert (dict(point.attributes), point.count) == (
        {"predicate": "OriginLookup(is_partner)"},
        2,
    )
    assert point.explicit_bounds[0] == 0.0005


def test_both_exporters_share_the_counts_of_a_guard() -> None:
    from prometheus_client import CollectorRegistry
    from support.metrics import scrape, select

    reader, guard, registry = InMemoryMetricReader(), Guard(None), CollectorRegistry()
    OpenTelemetryMetrics(guard, MeterProvider([reader]))
    PrometheusMetrics(guard, registry)

    guard.decide("/", APP, "GET", {})

    [(_, value)] = find_points(export(reader)["corsguard.decisions"])
    assert [*select(scrape(registry), "corsguard_decisions_total").values()] == [value] == [1]


def test_global_provider_is_the_default() -> None:
    guard = Guard(Policy(allow_origins=[lambda origin: False]))
    OpenTelemetryMetrics(guard)

    assert not guard.decide("/", APP, "GET", {}).allowed
