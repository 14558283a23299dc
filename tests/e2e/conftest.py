from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pytest
from support.demo_visit import FREE_PORTS
from support.e2e.engines import ENGINES, Chromium, RealBrowser
from support.e2e.named_hosts import NamedHosts, serve_named_hosts
from support.e2e.playground import Playground
from support.e2e.report import Report

from corsguard.cli.demo.servers import Origins, serve_demo

Start = Callable[[str], RealBrowser]
REPORT = pytest.StashKey[Report]()
FOLDER_NAME = "PROOF_FOLDER"
"""The environment variable that names the folder in which the numbers are kept, if any."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the report of a worker of pytest-xdist to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["browsers"] = session.config.stash[REPORT].export()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the report of a worker that has ended; one that was killed has none."""
    if "browsers" in getattr(node, "workeroutput", {}):
        node.config.stash[REPORT].merge(*node.workeroutput["browsers"])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[REPORT]
    terminalreporter.section("in real browsers")
    for line in report.lines():
        terminalreporter.line(line)
    if folder := os.environ.get(FOLDER_NAME):
        report.write(Path(folder))


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Return the report that is printed when the run ends."""
    return pytestconfig.stash[REPORT]


@pytest.fixture(scope="session")
def started() -> Iterator[Start]:
    """Yield a function that starts each engine at its first use, with a separate profile."""
    running: dict[str, RealBrowser] = {}
    # The last of a browser's processes may outlive it by a moment, and write. And the path must be
    # short: that of a socket in there has room for 108 bytes.
    with TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:

        def start(name: str) -> RealBrowser:
            if name not in running:
                running[name] = ENGINES[name](Path(mkdtemp(prefix=name, dir=folder)))
            return running[name]

        yield start
        for browser in running.values():
            browser.close()


@pytest.fixture(params=ENGINES)
def browser(request: pytest.FixtureRequest, started: Start) -> RealBrowser:
    """Return each of the three engines, one after the other."""
    return started(request.param)


@pytest.fixture
def chromium(started: Start) -> Chromium:
    found = started("chromium")
    assert isinstance(found, Chromium)
    return found


@pytest.fixture(scope="session")
def started_hosts() -> Iterator[NamedHosts]:
    """Yield Chromium with the servers of every name, for the whole run."""
    with (
        TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder,
        serve_named_hosts(Path(folder)) as hosts,
    ):
        yield hosts


@pytest.fixture
def hosts(started_hosts: NamedHosts) -> NamedHosts:
    """Return a Chromium that opens https://app.example.com and any other origin by its name."""
    started_hosts.reset()
    return started_hosts


@pytest.fixture(scope="module")
def origins() -> Iterator[Origins]:
    """Yield the origins of a running demo, whose stream is a fast one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("corsguard.cli.demo.api._SECONDS_BETWEEN_CHUNKS", 0.05)
        with serve_demo(FREE_PORTS, lambda decision, request: None) as served:
            yield served


@pytest.fixture
def playground(chromium: Chromium) -> Playground:
    """Return the playground, not opened yet."""
    return Playground(chromium)


@pytest.fixture
def demo(playground: Playground, origins: Origins) -> Playground:
    """Return the open playground, with the policy that it starts with."""
    playground.open(origins)
    return playground
