"""An example, started by the command that its first lines give, and asked over a socket."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PATIENCE = 30  # seconds, where something is broken
PAGE = "http://localhost:3000"
ELSEWHERE = "https://evil.example"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cors(self) -> dict[str, str]:
        return {
            name: value
            for name, value in self.headers.items()
            if name == "vary" or name.startswith("access-control-")
        }


class Running(NamedTuple):
    port: int

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One exchange; underscores in the names of headers stand for hyphens."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = None if body is None else json.dumps(body)
        if sent is not None:
            fields["Content-Type"] = "application/json"
        connection = HTTPConnection("localhost", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, sent, fields)
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, received, response.read())
        finally:
            connection.close()

    def preflight(self, path: str, method: str, origin: str = PAGE) -> Answer:
        return self.send(
            "OPTIONS",
            path,
            Origin=origin,
            Access_Control_Request_Method=method,
            Access_Control_Request_Headers="content-type",
        )


@contextmanager
def started(example: str) -> Iterator[Running]:
    """The example, ready to answer at a free port, until the end of the block."""
    text = (ROOT / "examples" / example).read_text(encoding="utf-8")
    documented = re.match(r'""".*\n\n    python (\S+)\n', text)
    assert documented, "the first lines give no command"
    command = [sys.executable, documented[1], "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            address = re.fullmatch(r"Serving at http://localhost:(\d+)/\n", ready)
            assert address, f"it printed {ready!r}"
            yield Running(int(address[1]))
        finally:
            process.terminate()
