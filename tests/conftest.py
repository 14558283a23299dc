"""Settings of every test run, and the counts of tests/security for the proof.

They are counted here because with `pytest -n` only the workers load the conftest.py of a folder
below, and each of them sees but a part.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections import Counter
from collections.abc import Iterator
from logging.handlers import QueueHandler
from pathlib import Path

import pytest
from hypothesis import settings

# Remove colour settings of a terminal or a CI before anything that reads them is imported.
for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(name, None)

# A shell starts background jobs with Ctrl+C ignored; tested programs would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The time of an example depends on the machine, so it is no criterion. In CI the examples are the
# same in every run, so that only the change can make one fail.
settings.register_profile(
    "corsguard",
    deadline=None,
    print_blob=True,
    derandomize="HYPOTHESIS_DERANDOMIZE" in os.environ,
)
settings.load_profile("corsguard")

OUTCOMES: Counter[str] = Counter()
PROBE_OUTCOMES: Counter[str] = Counter()
"""Those of the origin probes."""


@pytest.fixture(autouse=True)
def without_logging_of_litestar() -> Iterator[None]:
    """Remove what an application of Litestar adds to the root logger, which no test asks for.

    It writes the lines of later tests to a stderr that is theirs, or is closed.
    """
    yield
    for handler in [*logging.root.handlers]:
        if isinstance(handler, QueueHandler):
            logging.root.removeHandler(handler)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if "tests/security/" in report.nodeid and (report.when == "call" or report.failed):
        OUTCOMES[report.outcome] += 1
        PROBE_OUTCOMES[report.outcome] += "/test_origin_probes.py" in report.nodeid


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the counts for tests/tools/proof.py."""
    folder = os.environ.get("PROOF_FOLDER")
    is_whole = not hasattr(session.config, "workerinput")
    if folder and OUTCOMES and is_whole:
        from support.security.origin_probes import (  # tests/install runs without corsguard
            TARGETS,
            build_probes,
        )

        counts = {
            "tests": OUTCOMES.total(),
            "failed": OUTCOMES["failed"],
            "failed_probes": PROBE_OUTCOMES["failed"],
            "origins": sum(
                len(made) for target in TARGETS for made in build_probes(target).values()
            ),
            "patterns": len(TARGETS),
        }
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "security.json").write_text(json.dumps(counts), encoding="utf-8")
