"""assert_cors: an assertion about the response that a page gets from an application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from corsguard.browser.browser import Browser
from corsguard.browser.cookies import Cookie
from corsguard.browser.exchange import Blocked, BlockReason, EngineName, Exchange
from corsguard.browser.interface import Interface
from corsguard.browser.messages import Request, Response
from corsguard.browser.transport import TIMEOUT, open_transport, parse_timeout
from corsguard.browser.url import URL

__all__ = ["assert_cors"]

_BASE = URL.parse("https://testserver")
_REPORTED_HEADERS = frozenset({"origin", "vary", "cookie", "location"})


def assert_cors(
    app: Any,
    *,
    page: str,
    url: str = "/",
    engine: EngineName = "standard",
    cookies: Iterable[Cookie] = (),
    blocked: bool | str = False,
    reads: Iterable[str] = (),
    preflights: int | None = None,
    interface: Interface | None = None,
    raise_app_exceptions: bool = True,
    timeout: float | None = TIMEOUT,
    **request: Any,
) -> Response | Blocked:
    """Assert that a script on page gets the response of app to a request for url.

    `url` is absolute, or a path at `https://testserver`. `engine`, `cookies`, `interface` and
    `raise_app_exceptions` are the parameters of `Browser.on`. `timeout` and the other keywords are
    those of `Browser.fetch`. `blocked` asserts instead that the browser blocks the request, for
    any reason (True) or for a BlockReason. `reads` lists headers that the script must be able to
    read. `preflights` is the number of preflights that the browser must send.

    Returns the response, or the Blocked exception. Raises AssertionError with the whole exchange,
    TimeoutError where no response begins in time, and TypeError or ValueError for an argument that
    is not valid.
    """
    __tracebackhide__ = True
    reads = _require_names(reads)
    if isinstance(blocked, str) and blocked not in set(BlockReason):
        raise ValueError(f"blocked={blocked!r} is not one of {', '.join(BlockReason)}")
    target = URL.parse(url, _BASE)
    fetched = Request(str(target), **request)
    transport = open_transport(
        app, target.origin, interface, raise_app_exceptions=raise_app_exceptions
    )
    send = partial(transport, timeout=parse_timeout(timeout))
    exchange = Browser(page, engine=engine, cookies=cookies).play(fetched, send)
    outcome = exchange.outcome
    mismatch = _find_mismatch(exchange, outcome, blocked, reads, preflights)
    if mismatch:
        text = f"a script on {page} fetched {fetched.method} {fetched.url}, and {mismatch}"
        raise AssertionError("\n".join([text, *_describe_exchange(exchange, outcome)]))
    return outcome


def _require_names(reads: Iterable[str]) -> tuple[str, ...]:
    names = () if isinstance(reads, str) else tuple(reads)
    if isinstance(reads, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f'reads={reads!r} is not a list of names: write reads=["X-Total-Count"]')
    return names


def _find_mismatch(
    exchange: Exchange,
    outcome: Response | Blocked,
    blocked: bool | str,
    reads: Iterable[str],
    preflights: int | None,
) -> str:
    """Return the difference from what was asserted; empty where there is none."""
    if isinstance(outcome, Blocked):
        if not blocked:
            return "it was blocked"
        if blocked not in {True, outcome.reason}:
            return f"it was blocked, but not for {blocked}"
    elif blocked:
        return "it was not blocked"
    else:
        hidden = [name for name in reads if name not in outcome.headers]
        if hidden:
            return f"the script can't read {', '.join(hidden)}"
    if preflights not in {None, exchange.preflights}:
        return f"preflights were sent: {exchange.preflights}, not {preflights}"
    return ""


def _describe_exchange(exchange: Exchange, outcome: Response | Blocked) -> Iterator[str]:
    """Yield the lines that say why, and the requests with their headers that matter to CORS."""
    if isinstance(outcome, Blocked):
        yield from ("", str(outcome))
    yield ""
    for _, sent, answer in exchange.hops:
        yield f"  {sent.method} {sent.url}"
        yield from _format_fields(sent.headers)
        if answer:
            yield f"  -> {answer.status}"
            yield from _format_fields(answer.headers)
        else:
            yield "  -> no response"


def _format_fields(fields: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in fields:
        if name.lower().startswith("access-control-") or name.lower() in _REPORTED_HEADERS:
            yield f"     {name}: {value}"
