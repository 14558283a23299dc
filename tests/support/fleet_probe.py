"""What is seen of a fleet from outside: responses, on a connection to each worker."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, NamedTuple

from support.fleet_apps import HEALTH

PATIENCE = 30.0
"""Seconds for one response, and for finding all workers."""


class FleetResponse(NamedTuple):
    """One response of a worker."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    def read_cors(self) -> tuple[int, str | None, str | None, str | None]:
        """Return the parts that a policy decides: a mixture of two policies shows in them."""
        return (
            self.status,
            self.headers.get("access-control-allow-origin"),
            self.headers.get("access-control-expose-headers"),
            self.headers.get("access-control-allow-credentials"),
        )


class WorkerConnection:
    """A connection that is kept open, so that one worker responds to all of its requests."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pid = int(self.request("/").body)

    def request(self, path: str, origin: str = "") -> FleetResponse:
        """Return the response to a POST request. Raises OSError and ValueError if there is none."""
        self._socket.sendall(build_request(path, origin))
        return read_response(self._socket)

    def close(self) -> None:
        self._socket.close()


def read_response(connection: socket.socket) -> FleetResponse:
    """Read one response. Raises OSError and ValueError if there is none."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(": ") for line in lines)
    headers = {name.lower(): value for name, _, value in fields}
    while len(body) < int(headers["content-length"]):
        body += _receive(connection)
    return FleetResponse(int(first.split()[1]), headers, body)


def _receive(connection: socket.socket) -> bytes:
    part = connection.recv(65_536)
    if not part:
        raise ConnectionError("the worker has closed the connection")
    return part


def build_request(path: str, origin: str = "") -> bytes:
    """Return the bytes of a POST request, which a policy with `enforce` may refuse."""
    line = f"Origin: {origin}\r\n" if origin else ""
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{line}Content-Length: 0\r\n\r\n".encode()


def connect_to_each(port: int, workers: int) -> list[WorkerConnection]:
    """Connect until every worker of a port has a connection, and return one of each."""
    found: dict[int, WorkerConnection] = {}
    others = []
    pause = Event()
    deadline = monotonic() + PATIENCE
    while len(found) < workers:
        connection = WorkerConnection(port)
        if found.setdefault(connection.pid, connection) is not connection:
            others.append(connection)  # left open, as its worker is then less eager for more
            pause.wait(0.01)  # another one may not have started yet
        assert monotonic() < deadline, f"only {len(found)} workers respond"
    for connection in others:
        connection.close()
    return list(found.values())


class Sighting(NamedTuple):
    """One response to the continuous requests of a probe."""

    sent: float
    """Monotonic seconds, as `received`."""
    received: float
    pid: int
    origin: str
    response: FleetResponse


class FleetProbe:
    """Continuous requests to each worker, from a thread for each, and what came of them.

    `origins` are requested in turn, for each worker.
    """

    def __init__(
        self, connections: Sequence[WorkerConnection], origins: Sequence[str], pause: float = 0.005
    ) -> None:
        self.faults: list[str] = []
        """One line for each request without a response."""
        self.sightings: list[Sighting] = []
        self.latest: dict[tuple[int, str], FleetResponse] = {}
        """The newest response of each worker to each origin."""
        self.origins = origins
        self.pids = {connection.pid for connection in connections}
        self._pause = pause
        self._stop = Event()
        self._lock = Lock()
        self._threads = [Thread(target=self._run, args=(each,)) for each in connections]

    def take(self) -> list[Sighting]:
        """Return the responses since the last call."""
        with self._lock:
            taken, self.sightings = self.sightings, []
        return taken

    def _run(self, connection: WorkerConnection) -> None:
        while not self._stop.is_set():
            for origin in self.origins:
                sent = monotonic()
                try:
                    response = connection.request("/", origin)
                except (OSError, ValueError, KeyError) as error:
                    self.faults.append(f"{connection.pid}, {origin}: {error!r}")
                    return
                sighting = Sighting(sent, monotonic(), connection.pid, origin, response)
                with self._lock:
                    self.sightings.append(sighting)
                    self.latest[connection.pid, origin] = response
                self._stop.wait(self._pause)

    @contextmanager
    def running(self) -> Iterator[FleetProbe]:
        """Send requests until the block ends."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def read_health(connection: WorkerConnection) -> dict[str, Any]:
    """Return `guard.check_health()` of a worker."""
    health: dict[str, Any] = json.loads(connection.request(HEALTH).body)
    return health


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Return the seconds until a condition that is polled is true."""
    begin = monotonic()
    pause = Event()
    while not condition():
        assert monotonic() - begin < seconds, f"not within {seconds} s: {what}"
        pause.wait(0.01)
    return monotonic() - begin
