"""The diagram of what other servers answer, which `explain` never sees."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from corsguard.browser import Answer, Browser, Request, Send, SendError, Sent
from corsguard.cli.diagram import draw_exchange, print_verdict

APP = "https://app.example.com"
API = "https://api.example.com"


def drawn(request: Request, send: Send, page: str = APP) -> str:
    file = StringIO()
    console = Console(file=file, width=80, highlight=False)
    exchange = Browser(page).play(request, send)
    draw_exchange(console, exchange)
    print_verdict(console, exchange)
    return file.getvalue()


def test_server_without_a_response_is_drawn() -> None:
    def send(sent: Sent) -> Answer:
        raise SendError("connection refused")

    out = drawn(Request(f"{API}/"), send)
    assert "│ ◀─ no response ──" in out
    assert "│ ✗ connection refused" in out
    assert "[UNREACHABLE]" in out


def test_redirect_to_another_origin_shows_its_url() -> None:
    def send(sent: Sent) -> Answer:
        if sent.url.startswith(API):
            fields = (("Location", "https://x.example/b"), ("Access-Control-Allow-Origin", "*"))
            return Answer(302, fields)
        return Answer(200, (("Access-Control-Allow-Origin", "*"),))

    out = drawn(Request(f"{API}/a"), send)
    assert "│ ── GET /a ──" in out
    assert "│    Location: https://x.example/b" in out
    assert "│ ── GET https://x.example/b ──" in out


def test_response_with_long_or_odd_values_is_cut_and_escaped() -> None:
    body = b"no\x1b[31m entry"

    def send(sent: Sent) -> Answer:
        if sent.method == "OPTIONS":
            return Answer(403, (("Vary", "x" * 9_000), ("Content-Type", "text/plain")), body)
        return Answer(200)

    out = drawn(Request(f"{API}/", "PUT"), send)
    assert "x..." in out
    assert len(out) < 6_000
    assert "no\\x1b[31m entry" in out


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", b"<p>no"), ("text/plain", b"a\nb"), ("text/plain", b"x" * 999)],
)
def test_error_with_an_html_page_does_not_show_it(kind: str, body: bytes) -> None:
    out = drawn(Request(f"{API}/"), lambda _: Answer(500, (("Content-Type", kind),), body))
    assert body.decode()[:3] not in out.partition("500")[2].partition("✗")[0]


def test_cached_preflight_is_drawn_as_a_step() -> None:
    file = StringIO()
    console = Console(file=file, width=80)
    browser = Browser(APP)
    fields = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "PUT"))
    for _ in range(2):
        exchange = browser.play(Request(f"{API}/", "PUT"), lambda _: Answer(200, fields))
    draw_exchange(console, exchange)
    assert "a cached preflight covers it" in file.getvalue()
    assert "The browser sends the script's request without a preflight" in file.getvalue()
