"""docs/websockets.md: WebSockets and event streams in Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from support.doc_pages import read_blocks
from support.e2e.named_hosts import NamedHosts

APP, API, EVIL = "https://app.example.com", "https://api.example.com", "https://evil.example"
PAGE = "<!doctype html><title>page</title><link rel=icon href='data:,'>"
SOCKET, EVENTS, TOKEN = (block.code for block in read_blocks("websockets", "js"))
# The lines that a block logs, once there are so many.
LOG = """
const [count] = args;
return new Promise((resolve) => {
  const lines = [];
  const console = { log: (line) => lines.push(line) === count && resolve(lines) };
  (async () => { BLOCK })();
});
"""
# Whether an EventSource is closed for good after its first error.
CLOSED = """
const source = new EventSource(args[0]);
return new Promise((resolve) => {
  source.onerror = () => {
    resolve(source.readyState === EventSource.CLOSED);
    source.close();
  };
});
"""

Requests = list[tuple[str, str | None]]
"""The method and the Last-Event-ID of each request."""


def serve(hosts: NamedHosts, change: tuple[str, str] = ("", "")) -> Requests:
    """Serve the page's application, with a change of its code, and return its requests."""
    names: dict[str, Any] = {"__name__": "main"}
    exec(read_blocks("websockets", "python")[0].code.replace(*change), names)
    app, requests = names["app"], []

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if scope["type"] == "http":
            last = headers.get(b"last-event-id")
            requests.append((scope["method"], last.decode() if last else None))
        await app(scope, receive, send)

    hosts.serve({API: counted, APP: PAGE, EVIL: PAGE})
    hosts.open(APP)
    return requests


def log(hosts: NamedHosts, block: str, count: int = 1) -> Any:
    """Return the first lines that a block of the page logs."""
    return hosts.run(LOG.replace("BLOCK", block), count)


def test_socket_opens_for_the_listed_page_alone(hosts: NamedHosts) -> None:
    serve(hosts)
    assert log(hosts, SOCKET) == ["hello"]
    hosts.open(EVIL)
    assert log(hosts, SOCKET) == ["closed: 1006"]


def test_socket_without_enforce_opens_for_any_page(hosts: NamedHosts) -> None:
    serve(hosts, ("    enforce=True,\n", ""))
    hosts.open(EVIL)
    assert log(hosts, SOCKET) == ["hello"]


def test_events_continue_without_a_preflight(hosts: NamedHosts) -> None:
    requests = serve(hosts)
    assert log(hosts, EVENTS, 4) == [f"event {number}" for number in (1, 2, 3, 4)]
    assert requests[:2] == [("GET", None), ("GET", "2")]
    assert {method for method, _ in requests} == {"GET"}

    hosts.open(EVIL)
    assert log(hosts, EVENTS) == ["failed"]


def test_token_is_sent_by_fetch(hosts: NamedHosts) -> None:
    serve(hosts, ("    enforce", '    allow_headers=["Authorization"],\n    enforce'))
    [line] = log(hosts, TOKEN)
    assert line.startswith("id: 1\n")


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        (("(stream()", "(stream(), 503"), True),
        (("text/event-stream", "text/plain"), True),
        (("https://app.example.com", "https://other.example.com"), True),
        (("", ""), False),
    ],
    ids=["status", "type", "origin", "end"],
)
def test_source_closes_after_a_failure(
    hosts: NamedHosts, change: tuple[str, str], closed: bool
) -> None:
    serve(hosts, change)
    assert hosts.run(CLOSED, f"{API}/events") is closed
