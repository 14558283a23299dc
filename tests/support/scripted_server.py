"""A browser in front of scripted responses, and assertions about its exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from corsguard.browser import (
    Answer,
    BlockReason,
    Browser,
    EngineName,
    Exchange,
    Headers,
    Refusal,
    Request,
    Response,
    Sent,
)

PAGE = "https://app.example.com"
API = "https://api.example.com/items"
OTHER = "https://other.example/items"
OWN = f"{PAGE}/items"

CONSTRUCTOR = 'Fetch, "new Request()"'
MAIN_FETCH = 'Fetch, "main fetch"'
HTTP_FETCH = 'Fetch, "HTTP fetch"'
REDIRECT_FETCH = 'Fetch, "HTTP-redirect fetch"'
PREFLIGHT_FETCH = 'Fetch, "CORS-preflight fetch"'
PREFLIGHT_CACHE = 'Fetch, "CORS-preflight cache"'
CORS_CHECK = 'Fetch, "CORS check"'


def answer(*fields: tuple[str, str], status: int = 200, body: bytes = b"") -> Answer:
    """Return a response with these header fields and no other."""
    return Answer(status, fields, body)


def allow(*fields: tuple[str, str], origin: str = PAGE, status: int = 200) -> Answer:
    """Return a response that the origin may read."""
    return answer(("Access-Control-Allow-Origin", origin), *fields, status=status)


def allow_preflight(
    methods: str | None = None,
    headers: str | None = None,
    max_age: str | None = None,
    *fields: tuple[str, str],
    origin: str = PAGE,
) -> Answer:
    """Return the response to a preflight."""
    named = {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": headers,
        "Access-Control-Max-Age": max_age,
    }
    given = [(name, value) for name, value in named.items() if value is not None]
    return allow(*given, *fields, origin=origin, status=204)


CREDENTIALS = ("Access-Control-Allow-Credentials", "true")


def redirect(to: str, status: int = 302, origin: str | None = None) -> Answer:
    """Return a redirect, which allows origin where that is given."""
    allowed = [("Access-Control-Allow-Origin", origin)] if origin else []
    return answer(("Location", to), *allowed, status=status)


@dataclass
class Visit:
    """A page that stays open for several requests; `now` is its clock."""

    engine: EngineName = "standard"
    page: str = PAGE
    now: float = 1_000_000.0
    cookies: Any = ()
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(
            self.page, engine=self.engine, cookies=self.cookies, clock=lambda: self.now
        )

    def play(
        self, *answers: Answer | Callable[[Sent], Answer], url: str = API, **request: Any
    ) -> Exchange:
        """Run one request with these responses in order; all of them have to be used."""
        left = list(answers)

        def send(sent: Sent) -> Answer:
            given = left.pop(0)
            return given(sent) if callable(given) else given

        exchange = self.browser.play(Request(url, **request), send)
        assert left == []
        return exchange


def play(
    *answers: Answer | Callable[[Sent], Answer],
    engine: EngineName = "standard",
    page: str = PAGE,
    url: str = API,
    **request: Any,
) -> Exchange:
    """Run one request of a new page."""
    return Visit(engine, page).play(*answers, url=url, **request)


def expect_refusal(exchange: Exchange, reason: BlockReason, clause: str) -> Refusal:
    """Return the refusal; assert its reason, and its clause in the last step."""
    assert exchange.response is None
    assert exchange.refusal is not None
    step = exchange.refusal.step
    assert (exchange.refusal.reason, step.clause.words) == (reason, clause)
    assert step == exchange.steps[-1]
    assert not step.passed
    assert exchange.refusal.fix
    return exchange.refusal


def expect_response(exchange: Exchange) -> Response:
    """Return the response that the script sees; assert that there is one."""
    assert exchange.refusal is None
    assert exchange.response is not None
    return exchange.response


def list_texts(exchange: Exchange, clause: str) -> list[str]:
    """Return the texts of a clause's steps."""
    return [step.text for step in exchange.steps if step.clause.words == clause]


def list_sent(exchange: Exchange) -> list[str]:
    """Return the methods that were sent, a preflight as `?PUT x-a,x-b`."""
    return [
        _format_preflight(hop.sent) if hop.purpose == "preflight" else hop.sent.method
        for hop in exchange.hops
    ]


def _format_preflight(sent: Sent) -> str:
    headers = Headers(sent.headers)
    names = headers.get("Access-Control-Request-Headers", "")
    return f"?{headers['Access-Control-Request-Method']} {names}".strip()


def get_sent_headers(exchange: Exchange, hop: int = -1) -> Headers:
    """Return the header fields of a request that was sent, by default the last."""
    return Headers(exchange.hops[hop].sent.headers)


def list_sent_origins(exchange: Exchange) -> list[str | None]:
    """Return the `Origin` of each request that is not a preflight."""
    return [
        get_sent_headers(exchange, at).get("Origin")
        for at, hop in enumerate(exchange.hops)
        if hop.purpose == "request"
    ]
