"""Requests to the demo over HTTP."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from corsguard import CORSRequest, Decision
from corsguard.cli.demo.servers import Origins

FREE_PORTS = {"api": 0, "frontend": 0, "untrusted": 0}
FREE_PORT_OPTIONS = [f"--{name}-port=0" for name in FREE_PORTS]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str | None:
        """Return the value of the only field of that name."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1
        return values[0] if values else None


class Running(NamedTuple):
    origins: Origins
    decisions: list[tuple[Decision, CORSRequest]]


def connection(origin: str) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", urlsplit(origin).port, timeout=30)


def ask(
    origin: str,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: str | None = None,
) -> Answer:
    client = connection(origin)
    try:
        client.request(method, path, body, {"Host": urlsplit(origin).netloc, **(headers or {})})
        response = client.getresponse()
        return Answer(response.status, response.getheaders(), response.read().decode())
    finally:
        client.close()


def post(
    origin: str, path: str, document: object, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Return the status and the JSON of the response to a POST of JSON."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    answer = ask(origin, path, "POST", sent, json.dumps(document))
    return answer.status, json.loads(answer.body)


def same_origin(origin: str) -> dict[str, str]:
    """Return the headers that a browser adds to a POST of a page on that origin."""
    return {"Origin": origin, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}


def explain(demo: Running, page: str, url: str, **question: object) -> dict[str, Any]:
    """Return the explanation that the playground gets."""
    status, document = post(
        demo.origins.frontend, "/explain", {"page": page, "url": url, **question}
    )
    assert status == 200
    assert isinstance(document, dict)
    return document
