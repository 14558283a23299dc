"""examples/fleet: a policy in Redis changes on every worker, also after an outage."""

from __future__ import annotations

import re

import pytest
from support.fleet_example import run_example, start_example
from support.store_servers import RedisServer


def test_changes_arrive_on_every_worker(redis_server: RedisServer) -> None:
    run = run_example("--redis", redis_server.url, "--changes", "2", "--every", "0.1")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.findall(r"^version (\d) is on all 2 workers", run.stdout, re.MULTILINE) == ["2", "3"]


def test_redis_is_started_for_it() -> None:
    run = run_example("--start-redis", "--changes", "1")
    assert (run.returncode, run.stderr) == (0, "")
    assert "version 2 is on all 2 workers" in run.stdout


@pytest.mark.slow
def test_goes_on_after_an_outage(redis_server: RedisServer) -> None:
    with start_example("--redis", redis_server.url, "--every", "0.5", "--changes", "2") as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert any(line.startswith("version 2 is on all") for line in lines)
        redis_server.stop()
        assert any(line.startswith("no change: ") for line in lines)
        redis_server.start()
        assert any(line.startswith("version 3 is on all") for line in lines)
        process.stdout.read()
    assert process.returncode == 0
