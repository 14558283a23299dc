"""Real servers with several workers, whose guards follow one source."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from support.fleet_apps import FleetSettings
from support.fleet_probe import WorkerConnection, connect_to_each

_TESTS = Path(__file__).parents[1]
_STOP_SECONDS = 60
_IDLE = "300"
"""Seconds for which the servers keep a connection."""
_HUNG = "120"
"""Seconds after which the servers replace a worker that seems to hang: never on a slow machine."""

GUNICORN = (
    *("gunicorn", "--worker-class", "gthread", "--threads", "8", "--keep-alive", _IDLE),
    *("--timeout", _HUNG),
)
GUNICORN_PRELOAD = (*GUNICORN, "--preload")
GUNICORN_SYNC = ("gunicorn", "--preload", "--timeout", _HUNG)
UVICORN = (
    *("uvicorn", "--timeout-keep-alive", _IDLE, "--no-access-log"),
    *("--timeout-worker-healthcheck", _HUNG),
)


class Server(NamedTuple):
    """A server that accepts connections, and will respond once its workers have started."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def read_log(self) -> str:
        return self.log.read_text(encoding="utf-8")


@contextmanager
def serve(
    command: Sequence[str], workers: int, settings: FleetSettings, log: Path
) -> Iterator[Server]:
    """Run a server until the block ends. Its output goes to a file, after what is there."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        # Connections inherit it, and servers set none on a socket that is handed to them.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port, number = listening.getsockname()[1], listening.fileno()
        module, *options = command
        if module == "gunicorn":
            arguments = ["--bind", f"fd://{number}", "support.fleet_apps:wsgi()"]
        else:
            arguments = ["--fd", str(number), "--factory", "support.fleet_apps:asgi"]
        path = [str(_TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *options, "--workers", str(workers), *arguments],
                env={
                    **os.environ,
                    **settings.build_environment(),
                    "PYTHONPATH": os.pathsep.join(path),
                },
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
    try:
        yield Server(port, process, log)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


@contextmanager
def serve_fleet(
    commands: Sequence[Sequence[str]], workers: int, settings: FleetSettings, log: Path
) -> Iterator[list[WorkerConnection]]:
    """Run servers with so many workers each, and yield a connection to each worker."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(serve(command, workers, settings, log)) for command in commands
        ]
        connections = [
            connection for server in servers for connection in connect_to_each(server.port, workers)
        ]
        for connection in connections:
            stack.callback(connection.close)
        yield connections
