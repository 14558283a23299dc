"""OpenTelemetry's instrumentation of FastAPI, which replaces the outermost middleware too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.asgi_exchange import APP, EVIL, get

from corsguard_starlette import CORSGuard, cors_policy

Install = Callable[[FastAPI], object]


def build() -> FastAPI:
    app = FastAPI()
    app.add_api_route("/items", lambda: "items")
    app.add_api_route("/public", cors_policy(allow_origins=["*"])(lambda: "public"))
    return app


def guard(app: FastAPI) -> None:
    CORSGuard(app, allow_origins=[APP])


def test_guard_installed_after_the_instrumentation_covers_a_traced_application() -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    app = build()
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    guard(app)
    assert get(app, "/items").cors["access-control-allow-origin"] == APP
    assert get(app, "/public", EVIL).cors["access-control-allow-origin"] == "*"
    assert {span.name for span in spans.get_finished_spans()} >= {"GET /items", "GET /public"}


def test_guard_installed_before_the_instrumentation_still_covers_the_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = build()
    guard(app)
    FastAPIInstrumentor.instrument_app(app)
    assert get(app, "/items").cors["access-control-allow-origin"] == APP
    assert "Skipping FastAPI instrumentation" in caplog.text
