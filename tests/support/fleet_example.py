"""examples/fleet/run.py, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["PROGRAM", "run_example", "start_example"]

PROGRAM = Path(__file__).parents[2] / "examples/fleet/run.py"
_ENVIRON = {**os.environ, "COLUMNS": "200"}
_ENVIRON.pop("PYTHONSAFEPATH", None)  # the program imports from its own folder


def run_example(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the example with one worker of WSGI and one of ASGI until it ends."""
    command = [sys.executable, str(PROGRAM), "--workers", "1", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=120,
        env=_ENVIRON,
    )


def start_example(*arguments: str) -> subprocess.Popen[str]:
    """Start the example with one worker of WSGI and one of ASGI."""
    return subprocess.Popen(
        [sys.executable, "-u", str(PROGRAM), "--workers", "1", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=_ENVIRON,
    )
