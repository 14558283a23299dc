"""What a scrape shows, of applications behind real adapters."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from support.asgi_exchange import exchange, scope_of
from support.metrics import StillSource, build_busy_guard, scrape, select
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from corsguard import Guard, OriginLookup, Policy, PolicyError
from corsguard.metrics import PrometheusMetrics
from corsguard_flask import CORSGuard as FlaskGuard
from corsguard_flask import cors_policy
from corsguard_starlette import CORSGuard as StarletteGuard

APP, EVIL = "https://app.example", "https://evil.example"
NOW = Policy(allow_origins=[APP], allow_methods=["PUT"])
CROSS = {"Sec-Fetch-Site": "cross-site"}
PREFLIGHT = {"Access-Control-Request-Method": "PUT"}


def label(kind: str, reason: str, route: str, cache: str) -> str:
    return f'cache="{cache}",kind="{kind}",reason="{reason}",route="{route}"'


def build_flask(guard: Guard) -> Flask:
    flask = Flask(__name__)

    @flask.get("/api/items")
    def items() -> str:
        return "items"

    @flask.get("/public")
    @cors_policy(allow_origins=["*"])
    def public() -> str:
        return "public"

    FlaskGuard(flask, guard)
    return flask


def test_flask_application_shows_its_decisions() -> None:
    guard, registry = Guard({"/api": NOW}), CollectorRegistry()
    PrometheusMetrics(guard, registry)
    client = Client(DispatcherMiddleware(build_flask(guard), {"/metrics": make_wsgi_app(registry)}))

    for _ in range(3):
        client.get("/api/items", headers={"Origin": APP, **CROSS})
        client.get("/api/items", headers={"Origin": EVIL, **CROSS})
        client.open("/api/items", method="OPTIONS", headers={"Origin": APP, **PREFLIGHT})
        client.get("/public", headers={"Origin": EVIL, **CROSS})
    client.get("/nowhere", headers={"Origin": APP, **CROSS})

    text = client.get("/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("corsguard_decisions_total")]
    assert sorted(line.removeprefix("corsguard_decisions_total") for line in lines) == sorted(
        f"{{{label(*labels)}}} {count}"
        for *labels, count in [
            ("ACTUAL", "ALLOWED", "/api", "miss", "1.0"),
            ("ACTUAL", "ALLOWED", "/api", "hit", "2.0"),
            ("ACTUAL", "ORIGIN_NOT_ALLOWED", "/api", "miss", "1.0"),
            ("ACTUAL", "ORIGIN_NOT_ALLOWED", "/api", "hit", "2.0"),
            ("PREFLIGHT", "ALLOWED", "/api", "miss", "1.0"),
            ("PREFLIGHT", "ALLOWED", "/api", "hit", "2.0"),
            ("ACTUAL", "ALLOWED", "public", "hit", "3.0"),  # `*` needs no first request
            ("NOT_CORS", "NO_POLICY", "no route", "hit", "1.0"),
        ]
    )


def build_starlette(guard: Guard) -> Starlette:
    async def items(_: Request) -> PlainTextResponse:
        return PlainTextResponse("items")

    starlette = Starlette(routes=[Route("/items", items)])
    StarletteGuard(starlette, guard)
    return starlette


async def is_partner(origin: str) -> bool:
    await asyncio.sleep(0)
    return origin == "https://partner.example"


def test_starlette_application_shows_its_predicates() -> None:
    lookup = OriginLookup(is_partner)
    guard, registry = Guard(Policy(allow_origins=[APP, lookup])), CollectorRegistry()
    PrometheusMetrics(guard, registry)
    starlette = build_starlette(guard)

    async def visit() -> None:
        for origin in (APP, APP, EVIL, EVIL, "https://partner.example", "https://partner.example"):
            await exchange(starlette, scope_of("GET", "/items", [("Origin", origin)]))

    asyncio.run(visit())

    samples = scrape(registry)
    name = "OriginLookup(is_partner)"
    calls = select(samples, "corsguard_predicate_calls_total")
    assert calls == {
        f'outcome="refused",predicate="{name}"': 2,
        f'outcome="allowed",predicate="{name}"': 1,
    }
    assert select(samples, "corsguard_predicate_seconds_count") == {f'predicate="{name}"': 3}
    buckets = select(samples, "corsguard_predicate_seconds_bucket")
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets[f'le="+Inf",predicate="{name}"'] == 3
    assert select(samples, "corsguard_predicate_seconds_sum")[f'predicate="{name}"'] > 0
    results = {"hit": 1, "miss": 2, "stale": 0, "joined": 0, "not_asked": 0}
    assert select(samples, "corsguard_lookup_requests_total") == {
        f'lookup="{name}",result="{result}"': count for result, count in results.items()
    }
    decisions = select(samples, "corsguard_decisions_total")
    assert decisions[label("ACTUAL", "ALLOWED", "no route", "hit")] == 2
    assert decisions[label("ACTUAL", "ALLOWED", "no route", "miss")] == 2


def test_hostile_requests_add_no_label() -> None:
    guard, registry = Guard({"/api": NOW}), CollectorRegistry()
    PrometheusMetrics(guard, registry)
    guard.try_candidate({"/api": Policy(allow_origins=["*"])})

    def visit(first: int) -> None:
        for number in range(first, first + 5_000):
            path = f"/{'api' if number % 2 else 'x'}/{number}"
            guard.decide(path, f"https://h{number}.example", "GET", CROSS)
            guard.decide(path, 'x"\n' * 3, f"M{number}", {})

    visit(0)
    before = scrape(registry)
    visit(5_000)

    after = scrape(registry)
    assert before.keys() == after.keys()
    assert len(after) < 40
    assert not any("example" in name or "\\" in name for name in after)
    assert sum(select(after, "corsguard_decisions_total").values()) == 20_000


def test_candidate_is_shown_by_verdict() -> None:
    guard, registry = Guard(NOW), CollectorRegistry()
    PrometheusMetrics(guard, registry)
    name = "corsguard_candidate_differences_total"
    assert set(select(scrape(registry), name).values()) == {0}

    guard.try_candidate(Policy(allow_origins=[EVIL]))
    for origin in (APP, EVIL, EVIL):
        guard.decide("/", origin, "GET", {})

    shown = {'verdict="would-allow"': 2, 'verdict="would-refuse"': 1}
    assert select(scrape(registry), name) == shown


def test_guard_that_follows_a_source_shows_version_age_and_errors() -> None:
    registry = CollectorRegistry()
    guard = build_busy_guard()
    PrometheusMetrics(guard, registry)

    before = time.time()
    samples = scrape(registry)
    guard.unfollow()

    assert select(samples, "corsguard_policy_info") == {'version="v1"': 1}
    [age] = select(samples, "corsguard_policy_age_seconds").values()
    assert 0 <= age <= time.time() - before + 60
    assert select(samples, "corsguard_source_errors_total") == {"": 0}


def test_failures_of_a_source_are_shown(caplog: pytest.LogCaptureFixture) -> None:
    registry, source = CollectorRegistry(), StillSource('allow_origins = ["https://app.example"]')
    guard = Guard(None)
    guard.follow(source, poll=0.01)
    PrometheusMetrics(guard, registry)
    name = "corsguard_source_errors_total"

    source.text = ""
    deadline = time.monotonic() + 10
    while not (errors := select(scrape(registry), name)[""]) and time.monotonic() < deadline:
        guard.decide("/", APP, "GET", {})
    guard.unfollow()

    assert errors >= 1


def test_guard_that_follows_nothing_shows_neither_version_nor_age() -> None:
    registry = CollectorRegistry()
    PrometheusMetrics(Guard(NOW), registry)

    samples = scrape(registry)

    assert not select(samples, "corsguard_policy_info")
    assert not select(samples, "corsguard_policy_age_seconds")
    assert select(samples, "corsguard_source_errors_total") == {"": 0}


def test_lookups_of_one_name_are_summed_and_bounded() -> None:
    def build_lookup(number: int) -> OriginLookup:
        def is_known(origin: str) -> bool:
            return False

        is_known.__qualname__ = f"is_known_{number % 300}"
        return OriginLookup(is_known)

    guard = Guard(Policy(allow_origins=[build_lookup(number) for number in range(600)]))
    registry = CollectorRegistry()
    PrometheusMetrics(guard, registry)

    guard.decide("/", EVIL, "GET", {})

    found = select(scrape(registry), "corsguard_lookup_requests_total")
    misses = {name: count for name, count in found.items() if 'result="miss"' in name}
    assert len(misses) == 201
    assert sum(misses.values()) == 600
    assert misses['lookup="OriginLookup(is_known_0)",result="miss"'] == 2


def test_registry_has_room_for_one_guard() -> None:
    registry = CollectorRegistry()
    PrometheusMetrics(Guard(NOW), registry)

    with pytest.raises(ValueError, match="Duplicated timeseries"):
        PrometheusMetrics(Guard(NOW), registry)


def test_default_registry_is_that_of_prometheus_client() -> None:
    metrics = PrometheusMetrics(Guard(NOW))
    try:
        assert select(scrape(REGISTRY), "corsguard_source_errors_total") == {"": 0}
    finally:
        REGISTRY.unregister(metrics)


def test_metrics_after_an_error_of_reconfiguration_go_on() -> None:
    guard, registry = Guard(NOW), CollectorRegistry()
    PrometheusMetrics(guard, registry)
    guard.decide("/", APP, "GET", {})

    with pytest.raises(PolicyError):
        guard.reconfigure({"api": NOW})
    guard.decide("/", APP, "GET", {})

    found = select(scrape(registry), "corsguard_decisions_total")
    assert found == {label("ACTUAL", "ALLOWED", "no route", "miss"): 2}


MULTIPROCESS = """
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from corsguard import Guard
from corsguard.metrics import PrometheusMetrics
guard = Guard(None)
PrometheusMetrics(guard)
guard.decide("/", None, "GET", {})
Counter("mine", "An instrument.").inc()
registry = CollectorRegistry()
MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


def test_multiprocess_mode_shows_no_custom_collector(tmp_path: Path) -> None:
    """So it is right to warn. Should that change, docs/metrics.md can say so."""
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", MULTIPROCESS],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "mine_total 1.0" in run.stdout
    assert "corsguard" not in run.stdout
    assert "shows no metrics of corsguard: scrape each worker" in run.stderr


def test_multiprocess_mode_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nowhere")
    caplog.set_level(logging.WARNING, "corsguard")

    PrometheusMetrics(Guard(NOW), CollectorRegistry())

    assert "multiprocess mode (PROMETHEUS_MULTIPROC_DIR) shows no metrics" in caplog.text
