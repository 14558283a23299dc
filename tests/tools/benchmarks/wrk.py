"""Load by wrk, which sends requests as fast as a server answers them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping

_FAILURES = ("Non-2xx", "Socket errors")


class NoLoadError(Exception):
    """Load that could not be generated, with the reason in one line."""


def require() -> None:
    """Raise NoLoadError if wrk is missing."""
    if shutil.which("wrk") is None:
        raise NoLoadError("wrk is missing: apt-get install wrk")


def run(
    url: str, fields: Mapping[str, str], *, connections: int, seconds: int
) -> tuple[int, float]:
    """Load a server for so many seconds; see read_report for what is returned and raised."""
    command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    for name, value in fields.items():
        if name not in {"Connection", "Host"}:  # wrk sets these itself
            command += ["--header", f"{name}: {value}"]
    ended = subprocess.run([*command, url], check=False, capture_output=True, text=True)
    return read_report(ended.stdout + ended.stderr)


def read_report(output: str) -> tuple[int, float]:
    """Return the number of requests that wrk reports, and how many a second.

    Raises NoLoadError if any request failed: its time is not that of an answer.
    """
    for line in output.splitlines():
        if line.strip().startswith(_FAILURES):
            raise NoLoadError(f"wrk: {line.strip()}")
    requests = re.search(r"^\s*(\d+) requests in ", output, re.MULTILINE)
    rate = re.search(r"^Requests/sec:\s*([\d.]+)", output, re.MULTILINE)
    if requests is None or rate is None:
        raise NoLoadError(f"wrk reports no requests: {' '.join(output.split())}")
    return int(requests[1]), float(rate[1])
