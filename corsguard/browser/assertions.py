"""assert_cors: what a page gets from an application, or a failure that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from corsguard.browser.applications import TIMEOUT, open_transport, seconds
from corsguard.browser.browser import Browser
from corsguard.browser.cookies import Cookie
from corsguard.browser.exchange import Blocked, BlockReason, EngineName, Exchange
from corsguard.browser.interface import Interface
from corsguard.browser.messages import Request, Response
from corsguard.browser.url import URL

__all__ = ["assert_cors"]

_HOME = URL.parse("https://testserver")
_SHOWN = frozenset({"origin", "vary", "cookie", "location"})


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
    """Assert that a script on page gets the answer of app to a request for url.

    The origin of `url` is where app answers, https://testserver where it is only a path; `engine`,
    `cookies`, `interface` and `raise_app_exceptions` are those of `Browser.on`, `timeout`,
    `method`, `headers` and what else is given those of `Browser.fetch`. `blocked` asserts instead
    that the browser keeps the answer from the script, for any reason or for this BlockReason.
    `reads` are headers that the script must see; `preflights` is how many requests the browser
    sends ahead.

    Returns the response, or why it was blocked. Raises AssertionError with all that happened,
    TimeoutError where no response begins in time, and TypeError or ValueError for what can't be
    asserted.
    """
    __tracebackhide__ = True
    reads = _names(reads)
    if isinstance(blocked, str) and blocked not in set(BlockReason):
        raise ValueError(f"blocked={blocked!r} is not one of {', '.join(BlockReason)}")
    target = URL.parse(url, _HOME)
    asked = Request(str(target), **request)
    serve = open_transport(app, target.origin, interface, raise_app_exceptions=raise_app_exceptions)
    send = partial(serve, timeout=seconds(timeout))
    exchange = Browser(page, engine=engine, cookies=cookies).play(asked, send)
    outcome = exchange.outcome
    wrong = _wrong(exchange, outcome, blocked, reads, preflights)
    if wrong:
        what = f"a script on {page} fetched {asked.method} {asked.url}, and {wrong}"
        raise AssertionError("\n".join([what, *_told(exchange, outcome)]))
    return outcome


def _names(reads: Iterable[str]) -> tuple[str, ...]:
    names = () if isinstance(reads, str) else tuple(reads)
    if isinstance(reads, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f'reads={reads!r} is no list of names: write reads=["X-Total-Count"]')
    return names


def _wrong(
    exchange: Exchange,
    outcome: Response | Blocked,
    blocked: bool | str,
    reads: Iterable[str],
    preflights: int | None,
) -> str:
    """What is not as it was asserted; empty where all is."""
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


def _told(exchange: Exchange, outcome: Response | Blocked) -> Iterator[str]:
    """Why, and what went over the wire, as far as CORS looks at it."""
    if isinstance(outcome, Blocked):
        yield from ("", str(outcome))
    yield ""
    for _, sent, answer in exchange.hops:
        yield f"  {sent.method} {sent.url}"
        yield from _fields(sent.headers)
        if answer:
            yield f"  -> {answer.status}"
            yield from _fields(answer.headers)
        else:
            yield "  -> no answer"


def _fields(fields: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in fields:
        if name.lower().startswith("access-control-") or name.lower() in _SHOWN:
            yield f"     {name}: {value}"
