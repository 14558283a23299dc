"""A small fleet in a test: workers that follow a store, and continuous requests to each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.fleet_apps import FleetSettings
from support.fleet_policies import APP, ORIGINS, build_text, find_mixtures, read_number
from support.fleet_probe import (
    FleetProbe,
    WorkerConnection,
    connect_to_each,
    read_health,
    wait_until,
)
from support.fleet_workers import GUNICORN, serve

BACK = 5.0
"""Seconds after the return of a store in which all workers have the policy that is in it."""
SEEN = 15.0
"""Seconds in which the workers notice that a store is away."""
WORKERS = 2
POLL = 1.0


class Fleet:
    """Workers under continuous requests, and what a test asks of them."""

    def __init__(self, probe: FleetProbe, connections: list[WorkerConnection], log: Path) -> None:
        self._probe = probe
        self._connections = connections
        self._log = log
        self.policies: set[int] = set()
        """The numbers of those that may be seen."""

    def wait_for(self, number: int, seconds: float = BACK) -> float:
        """Wait until every worker responds by a policy, and return the seconds."""
        self.policies.add(number)
        return wait_until(
            lambda: self.list_numbers() == {number}, seconds, f"{self.list_numbers()} -> {number}"
        )

    def list_numbers(self) -> set[int | None]:
        """Return the numbers of the policies of the workers' newest responses."""
        newest = [self._probe.latest.get((pid, APP)) for pid in self._probe.pids]
        return {response and read_number(response) for response in newest}

    def wait_for_error(self, pattern: str) -> None:
        """Wait until the health of every worker, and its log, has an error like a pattern."""
        error = re.compile(pattern)
        self._wait_for_health(
            lambda health: not health["is_current"] and bool(error.search(health["error"]))
        )
        lines = filter(error.search, self.read_log().splitlines())
        logged = {int(pid) for pid in (line.split()[0] for line in lines) if pid.isdecimal()}
        assert self._probe.pids <= logged, self.read_log()

    def wait_for_recovery(self) -> None:
        """Wait until the health of every worker has no error."""
        self._wait_for_health(lambda health: bool(health["is_current"]))

    def _wait_for_health(self, condition: Any) -> None:
        healths: list[Any] = []

        def is_true() -> bool:
            healths[:] = map(read_health, self._connections)
            return all(map(condition, healths))

        try:
            wait_until(is_true, SEEN, "the health of the workers")
        except AssertionError:
            raise AssertionError(f"{healths}\n{self.read_log()}") from None

    def read_log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def check(self) -> None:
        """Assert that no request has failed, and none was decided by parts of two policies."""
        assert self._probe.faults == [], self.read_log()
        mixtures = find_mixtures(self._probe.take(), self.policies)
        assert not mixtures, "\n".join([f"{len(mixtures)} of two policies:", *mixtures[:9]])
        assert "Traceback" not in self.read_log()


@contextmanager
def run_fleet(url: str, folder: Path, *, key: str = "", poll: float = POLL) -> Iterator[Fleet]:
    """Run two workers of gunicorn that follow a source, whose policy is `build_text(1)`.

    At the end of the block, asserts that no request has failed.
    """
    log = folder / "workers.log"
    settings = FleetSettings(url, str(folder / "last_good.toml"), poll=poll, key=key)
    with serve(GUNICORN, WORKERS, settings, log) as server:
        probed = connect_to_each(server.port, WORKERS)
        asked = connect_to_each(server.port, WORKERS)
        try:
            with FleetProbe(probed, ORIGINS).running() as probe:
                fleet = Fleet(probe, asked, log)
                fleet.wait_for(1)
                yield fleet
            fleet.check()
        finally:
            for connection in (*probed, *asked):
                connection.close()


__all__ = ["BACK", "POLL", "WORKERS", "Fleet", "build_text", "run_fleet"]
