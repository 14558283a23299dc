"""gunicorn loads an application before it forks its workers, and the workers answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

TESTS = Path(__file__).parents[1]
WORKERS = 2
MOST_REQUESTS = 200


def test_workers_of_a_preloaded_application_can_update_what_the_parent_was_updating() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-m", "gunicorn", "--preload", f"--workers={WORKERS}"]
        command += [f"--bind=fd://{listening.fileno()}", "--no-control-socket"]
        command += ["--log-level=error", "serving.preloaded:app"]
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
        server = subprocess.Popen(
            command, pass_fds=[listening.fileno()], env={**os.environ, "PYTHONPATH": path}
        )
        port = listening.getsockname()[1]
        try:
            workers: dict[str, list[str | None]] = {}
            for _ in range(MOST_REQUESTS):
                worker, allowed = answer(port)
                workers.setdefault(worker, []).append(allowed)
                if len(workers) == WORKERS and all(len(each) > 1 for each in workers.values()):
                    break
        finally:
            server.terminate()
            server.wait()
    assert str(server.pid) not in workers
    assert len(workers) == WORKERS
    for first, *rest in workers.values():  # after its first request, a worker has the new policy
        assert first is None
        assert set(rest) == {"*"}


def answer(port: int) -> tuple[str, str | None]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/", headers={"Origin": "https://evil.example"})
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return body, response.headers["Access-Control-Allow-Origin"]
