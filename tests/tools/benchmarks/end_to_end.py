"""Requests per second of real applications behind real servers, loaded by wrk."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from statistics import median
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.progress import Progress
from tools.benchmarks import wrk
from tools.benchmarks.rounds import Spread
from tools.benchmarks.served import CORSGUARD, FLASK_CORS, LAYER, STARLETTE
from tools.benchmarks.tables import Table
from tools.benchmarks.workload import TEN, PageRequest

PACKAGES = ("gunicorn", "uvicorn", "granian", "flask", "flask-cors", "fastapi", "starlette")

_BARE = "bare"
_HOST = "127.0.0.1"
_ROUNDS = 12
_SECONDS = 1
_CONNECTIONS = 8
_SECONDS_TO_START = 30
_GUNICORN = ("gunicorn", "--workers=1", "--log-level=error")
_FLASK = "tools.benchmarks.served:build_flask()"
_FASTAPI = "tools.benchmarks.served:build_fastapi"


class Server(NamedTuple):
    """A server with one worker, and the layers of the application that it serves."""

    name: str
    framework: str
    peer: str
    command: Sequence[str]
    """Its module and the arguments, in which `{port}` is replaced."""


SERVERS = (
    Server(
        "gunicorn, sync", "Flask", FLASK_CORS, (*_GUNICORN, "--bind", f"{_HOST}:{{port}}", _FLASK)
    ),
    Server(
        "gunicorn, gthread",
        "Flask",
        FLASK_CORS,
        (*_GUNICORN, "--threads=4", "--bind", f"{_HOST}:{{port}}", _FLASK),
    ),
    Server(
        "uvicorn",
        "FastAPI",
        STARLETTE,
        ("uvicorn", "--factory", "--log-level=error", "--port={port}", _FASTAPI),
    ),
    Server(
        "granian",
        "FastAPI",
        STARLETTE,
        (
            *("granian", "--interface=asgi", "--factory", "--log-level=error", "--workers=1"),
            *(f"--host={_HOST}", "--port={port}", _FASTAPI),
        ),
    ),
)


class Load(NamedTuple):
    """What a server did in one turn."""

    rate: float
    """Requests per second."""
    cpu: float
    """Seconds of the processor for each request, of the server alone."""


class Throughput(NamedTuple):
    """The turns of a server's layers, one of each in every round."""

    server: Server
    turns: dict[str, list[Load]]

    def rate(self, layer: str) -> float:
        return median(turn.rate for turn in self.turns[layer])

    def cpu(self, layer: str) -> Spread:
        return Spread.of([turn.cpu for turn in self.turns[layer]])

    def share(self, layer: str) -> float:
        """Return the share of a request that a layer takes, by the time of the processor.

        What else runs on the machine takes requests from a second, but hardly changes that time.
        """
        return 1 - self.cpu(_BARE).median / self.cpu(layer).median


def measure(
    console: Console, servers: Sequence[Server] = SERVERS, rounds: int = _ROUNDS
) -> list[Throughput]:
    """Load each server with each layer for a second by turns, so many rounds.

    Raises NoLoadError if wrk is missing, a server does not start, or a request fails.
    """
    wrk.require()
    measured = []
    with Progress(console=console) as progress:
        for server in servers:
            task = progress.add_task(server.name, total=rounds)
            measured.append(Throughput(server, {}))
            with ExitStack() as started:
                served = {
                    layer: started.enter_context(_serve(server, layer))
                    for layer in (_BARE, CORSGUARD, server.peer)
                }
                for process, port in served.values():
                    _load(process, port)  # warms up
                for _ in range(rounds):
                    for layer, (process, port) in served.items():
                        measured[-1].turns.setdefault(layer, []).append(_load(process, port))
                    progress.advance(task)
    return measured


def throughput_table(measured: Sequence[Throughput]) -> Table:
    return Table(
        "Requests per second",
        ("server", "application", "layer", "requests per second", "CPU, us", "share of CORS"),
        [
            (
                throughput.server.name,
                throughput.server.framework,
                layer,
                f"{throughput.rate(layer):,.0f}",
                _format_cpu(throughput.cpu(layer)),
                "" if layer == _BARE else f"{throughput.share(layer):.1%}",
            )
            for throughput in measured
            for layer in throughput.turns
        ],
        labels=3,
        notes=(
            "This is what a user feels: the CORS layer's share of the whole request, server and "
            "view included, by the time that the server's processes take",
            "One worker answers ten items as JSON to a page of an allowed origin, loaded by wrk "
            f"over {_CONNECTIONS} connections. The layers take turns of {_SECONDS} s. Medians of "
            f"{_ROUNDS} rounds, and the middle half in brackets, which shows how much is noise",
        ),
    )


@contextmanager
def _serve(server: Server, layer: str) -> Iterator[tuple[psutil.Process, int]]:
    """Start a server with a layer, and yield its process and its port once it listens."""
    port = _find_port()
    module, *arguments = (part.format(port=port) for part in server.command)
    command = (sys.executable, "-m", module, *arguments)
    with TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, env={**os.environ, LAYER: layer}, stdout=log, stderr=log
        )
        try:
            if not _wait_for(port, process):
                log.seek(0)
                last = log.read().strip().splitlines()[-1:]
                raise wrk.NoLoadError(f"{server.name} with {layer} does not start: {''.join(last)}")
            yield psutil.Process(process.pid), port
        finally:
            process.terminate()
            process.wait()


def _find_port() -> int:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port: int = free.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Return True once something listens on a port, False if the process ends before."""
    deadline = monotonic() + _SECONDS_TO_START
    while process.poll() is None and monotonic() < deadline:
        with suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
            return True
        sleep(0.05)
    return False


def _load(process: psutil.Process, port: int) -> Load:
    """Send as many requests as a server answers in one turn."""
    before = _read_cpu(process)
    requests, rate = wrk.run(
        f"http://{_HOST}:{port}/items",
        PageRequest(TEN.last).fields(),
        connections=_CONNECTIONS,
        seconds=_SECONDS,
    )
    return Load(rate, (_read_cpu(process) - before) / requests)


def _read_cpu(process: psutil.Process) -> float:
    """Return the seconds of the processor that a server and its workers have taken."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def _format_cpu(seconds: Spread) -> str:
    middle, low, high = (each * 1e6 for each in seconds)
    return f"{middle:,.0f} ({low:,.0f} to {high:,.0f})"
