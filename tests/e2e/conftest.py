from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from e2e.engines import ENGINES, Chromium, RealBrowser
from e2e.report import Report

Start = Callable[[str], RealBrowser]
REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    terminalreporter.section("in real browsers")
    for line in config.stash[REPORT].lines():
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """What is told when the run ends."""
    return pytestconfig.stash[REPORT]


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts each engine when it is first asked for, with a profile of its own."""
    running: dict[str, RealBrowser] = {}

    def start(name: str) -> RealBrowser:
        if name not in running:
            running[name] = ENGINES[name](tmp_path_factory.mktemp(name))
        return running[name]

    yield start
    for browser in running.values():
        browser.close()


@pytest.fixture(params=ENGINES)
def browser(request: pytest.FixtureRequest, started: Start) -> RealBrowser:
    """Each of the three engines, one after the other."""
    return started(request.param)


@pytest.fixture
def chromium(started: Start) -> Chromium:
    found = started("chromium")
    assert isinstance(found, Chromium)
    return found
