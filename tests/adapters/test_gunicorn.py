"""gunicorn loads an application before it forks its workers, and the workers answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

TESTS = Path(__file__).parents[1]
WORKERS = 2


def test_forked_worker_can_update_the_guard_of_its_parent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "gunicorn", "--preload", f"--workers={WORKERS}"]
        command += [f"--bind=fd://{listening.fileno()}", "--no-control-socket"]
        command += ["--log-level=error", "support.servers.gunicorn_app:app"]
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
        server = subprocess.Popen(
            command, pass_fds=[listening.fileno()], env={**os.environ, "PYTHONPATH": path}
        )
        port = listening.getsockname()[1]
        try:
            workers: dict[str, list[str | None]] = {}
            for _ in range(2):
                for worker, allowed in answers_at_once(port):
                    workers.setdefault(worker, []).append(allowed)
        finally:
            server.terminate()
            server.wait()
    assert str(server.pid) not in workers
    assert len(workers) == WORKERS
    for first, *rest in workers.values():  # after its first request, a worker has the new policy
        assert first is None
        assert set(rest) == {"*"}


def answers_at_once(port: int) -> Iterator[tuple[str, str | None]]:
    """Ask as many times as there are workers, each of which waits for the request it accepted."""
    connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(WORKERS)]
    for connection in connections:
        connection.connect()
    for connection in reversed(connections):
        connection.request("GET", "/", headers={"Origin": "https://evil.example"})
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        yield body, response.headers["Access-Control-Allow-Origin"]
