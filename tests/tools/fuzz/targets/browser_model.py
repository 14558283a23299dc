"""The model of a browser, given any answers."""

from __future__ import annotations

import re
from itertools import chain, repeat

from tools.fuzz.inputs import SEPARATOR

from corsguard.browser import Answer, Blocked, Browser, EngineName, Exchange, Request, Sent
from corsguard.browser.messages import Fields, Headers
from corsguard.browser.safelist import is_header_value

PAGE = "https://app.example.com"
ENGINES: tuple[EngineName, ...] = ("standard", "chromium", "firefox", "webkit")
NEXT_ANSWER = SEPARATOR * 2
URLS = ("https://api.example.com/items", f"{PAGE}/items", "https://other.example/items#top")
TOKEN = {"Authorization": "Bearer x"}
REQUESTS = [
    each._replace(url=url)
    for url in URLS
    for each in (
        Request(""),
        Request("", credentials="include", headers=TOKEN),
        Request("", "PUT"),
        Request("", "DELETE", credentials="include"),
        Request("", "POST", headers={"Content-Type": "application/json"}, body="{}"),
        Request("", "POST", body="text", upload_listener=True),
        Request("", redirect="manual"),
        Request("", mode="no-cors"),
    )
]
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
MOST_HOPS = 42  # a redirect is followed 20 times, and each request may have a preflight


def browser(data: bytes) -> None:
    """Check that any response is either given to the script or blocked with a reason.

    The first byte says who asks, the second what; then come the answers, the last of them for
    all that is asked beyond.
    """
    who, what, *_ = *data, 0, 0
    answers = [_answer(part) for part in data[2:].split(NEXT_ANSWER)]
    page = "null" if who & 0x80 else PAGE
    model = Browser(page, engine=ENGINES[who % len(ENGINES)], clock=lambda: 0.0)
    coming = chain(answers, repeat(answers[-1]))
    asked = REQUESTS[what % len(REQUESTS)]
    # The second time it has cookies and answers to preflights.
    for request in (asked, asked._replace(credentials="include")):
        _check(model.play(request, lambda _: next(coming)))


def _answer(part: bytes) -> Answer:
    status, *fields = part.decode("latin-1").split(SEPARATOR.decode())
    pairs = (field.partition(":")[::2] for field in fields)
    # No server can send these in a field.
    values = ((name, value.translate({0: None, 10: None, 13: None})) for name, value in pairs)
    return Answer(int(status[:3]) if status[:3].isdecimal() else 200, tuple(values))


def _check(exchange: Exchange) -> None:
    assert len(exchange.hops) <= MOST_HOPS
    for hop in exchange.hops:
        _check_sent(hop.sent)
    if exchange.response is None:
        assert exchange.refusal is not None
        assert not CONTROL.search(str(Blocked(exchange)))
        return
    assert exchange.refusal is None
    seen, last = exchange.response, exchange.hops[-1]
    assert {"set-cookie", "set-cookie2"}.isdisjoint(seen.headers)
    if seen.type == "cors":
        assert last.answer is not None
        assert _allows(last.answer.headers, Headers(last.sent.headers)["Origin"], exchange.request)


def _check_sent(sent: Sent) -> None:
    """Assert that the request can be sent over HTTP."""
    assert sent.url.isascii()
    assert sent.url.isprintable()
    assert sent.url.startswith(("http://", "https://"))
    assert all(map(is_header_value, dict(sent.headers).values()))


def _allows(fields: Fields, origin: str, request: Request) -> bool:
    """Return the result of the CORS check (Fetch, "CORS check")."""
    stripped = [(name.lower(), value.strip(" \t\r\n")) for name, value in fields]
    origins = [value for name, value in stripped if name == "access-control-allow-origin"]
    credentials = [value for name, value in stripped if name == "access-control-allow-credentials"]
    if request.credentials == "include":
        return origins == [origin] and credentials == ["true"]
    return origins in ([origin], ["*"])
