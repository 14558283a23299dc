"""Each worker of gunicorn is scraped on a port of its own, by the configuration of the page."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/metrics.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
[CONFIGURATION] = [block for block in BLOCKS if block.startswith("# gunicorn.conf.py")]
WORKERS = 2
REQUESTS = 40


def get(port: int, path: str = "/", **headers: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def count_decisions(text: str) -> int:
    values = re.findall(r"^corsguard_decisions_total\{.*\} (\S+)$", text, re.MULTILINE)
    return sum(map(int, map(float, values)))


def find_free_ports(count: int) -> list[int]:
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except OSError:
            assert time.monotonic() < deadline
        else:
            return


def test_scrapes_of_all_workers_add_up(tmp_path: Path) -> None:
    ports = find_free_ports(WORKERS)
    configuration = tmp_path / "gunicorn.conf.py"
    text, found = re.subn(r"^PORTS = .*$", f"PORTS = {ports}", CONFIGURATION, flags=re.MULTILINE)
    assert found == 1
    configuration.write_text(text, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "gunicorn", "--preload", f"--workers={WORKERS}"]
        command += [f"--bind=fd://{listening.fileno()}", "--no-control-socket"]
        command += [f"--config={configuration}", "--log-level=error"]
        command += ["support.servers.metrics_app:app"]
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
        server = subprocess.Popen(
            command, pass_fds=[listening.fileno()], env={**os.environ, "PYTHONPATH": path}
        )
        try:
            for port in ports:
                wait_for(port)
            served = Counter(
                get(listening.getsockname()[1], Origin="https://app.example")
                for _ in range(REQUESTS)
            )
            scraped = sorted(count_decisions(get(port, "/metrics")) for port in ports)
        finally:
            server.terminate()
            server.wait()

    assert scraped == sorted([*served.values(), *[0] * WORKERS][:WORKERS])
    assert sum(scraped) == REQUESTS
