"""examples/fleet: a policy in a file changes on every worker, and all ends with Ctrl+C."""

from __future__ import annotations

import os
import re
import signal

import pytest
from support.fleet_example import PROGRAM, run_example, start_example

README = PROGRAM.with_name("README.md").read_text(encoding="utf-8")


def test_changes_arrive_on_every_worker() -> None:
    run = run_example("--changes", "2", "--every", "0.1")
    assert (run.returncode, run.stderr) == (0, "")
    versions = re.findall(
        r"^version (\w+) is on all 2 workers after \d+ ms$", run.stdout, re.MULTILINE
    )
    assert len(set(versions)) == 2
    rows = re.findall(r"(WSGI|ASGI) +│ \d+ +│ (\w+) +│ \d+ ms +│ +│", run.stdout)
    assert rows == [("WSGI", versions[-1]), ("ASGI", versions[-1])]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_and_its_workers(number: signal.Signals) -> None:
    with start_example("--every", "60") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("version "):
                break
        process.send_signal(number)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "Traceback" not in rest
    pids = re.findall(r"SGI +│ (\d+)", rest)  # the last table
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://:hush@127.0.0.1:1", "Connection refused"),
        ("http://127.0.0.1:1", "not a store"),
        ("gopher://host", "is not the URL of a source"),
    ],
)
def test_error_is_one_line(url: str, problem: str) -> None:
    run = run_example("--redis", url)
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(rf"run.py: .*{problem}.*\n", run.stderr)
    assert "hush" not in run.stderr


def test_readme_shows_the_commands() -> None:
    assert "python examples/fleet/run.py\n" in README
    for option in re.findall(r"run.py (--[\w-]+)", README):
        assert option in run_example("--help").stdout
