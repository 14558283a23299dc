"""A small HTTP client: one request over a socket, header by header."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

Fields = Sequence[tuple[str, str]]

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


class Client(NamedTuple):
    """A client of the server at url."""

    url: str

    def send(
        self, method: str, path: str, body: object = None, fields: Fields = (), **headers: str
    ) -> Answer:
        """Send a request, with body as JSON unless it is None.

        Underscores in the names of headers become hyphens; fields are sent as they are.
        """
        sent_fields = {name.replace("_", "-"): value for name, value in headers.items()}
        sent_fields |= dict(fields)
        sent = None if body is None else json.dumps(body)
        if sent is not None:
            sent_fields["Content-Type"] = "application/json"
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, sent, sent_fields)
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
