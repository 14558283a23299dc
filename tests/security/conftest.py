"""Everything that a published defect is tried on, and how much was tried."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from adapters.stacks_asgi import STACKS as ASGI_STACKS
from adapters.stacks_django import STACKS as DJANGO_STACKS
from adapters.stacks_flask import STACKS as FLASK_STACKS
from adapters.stacks_wsgi import STACKS as WSGI_STACKS
from adapters.table import Stack
from security.configuring import CONFIGURE, Configure
from security.forgetful import FORGETFUL, Forgetful
from security.tricks import TARGETS, tricks

STACKS: list[Stack] = [
    WSGI_STACKS[0], ASGI_STACKS[0], FLASK_STACKS[0], FLASK_STACKS[2], *DJANGO_STACKS
]  # fmt: skip


@pytest.fixture(params=STACKS, ids=lambda stack: stack.name)
def stack(request: pytest.FixtureRequest) -> Stack:
    made: Stack = request.param
    return made


@pytest.fixture(params=list(CONFIGURE.values()), ids=list(CONFIGURE))
def configure(request: pytest.FixtureRequest) -> Configure:
    made: Configure = request.param
    return made


@pytest.fixture(params=FORGETFUL, ids=lambda built: built.__name__)
def forgetful(request: pytest.FixtureRequest) -> Forgetful:
    made: Forgetful = request.param
    return made


OUTCOMES: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if "tests/security/" in report.nodeid and (report.when == "call" or report.failed):
        OUTCOMES[report.outcome] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the counts for tests/proof.py."""
    folder = os.environ.get("PROOF_FOLDER")
    is_whole = not hasattr(session.config, "workerinput")
    if folder and OUTCOMES and is_whole:
        counts = {
            "tests": OUTCOMES.total(),
            "failed": OUTCOMES["failed"],
            "origins": sum(len(made) for target in TARGETS for made in tricks(target).values()),
            "patterns": len(TARGETS),
        }
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "security.json").write_text(json.dumps(counts), encoding="utf-8")
