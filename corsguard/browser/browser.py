"""The Browser class: a page that fetches, for tests and for `explain`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from corsguard.browser.console import format_console_message
from corsguard.browser.cookie_jar import CookieJar
from corsguard.browser.cookies import Cookie
from corsguard.browser.engine_quirks import ENGINES
from corsguard.browser.exchange import Blocked, EngineName, Exchange, Refusal
from corsguard.browser.interface import Interface
from corsguard.browser.main_fetch import BrowserState, Fetch
from corsguard.browser.messages import Credentials, Mode, Redirect, Request, Response, Send
from corsguard.browser.preflight_cache import PreflightCache
from corsguard.browser.request_constructor import build_request
from corsguard.browser.trace import Refused, Trace
from corsguard.browser.transport import TIMEOUT, AppTransport, open_transport, parse_timeout
from corsguard.browser.url import URL, parse_page_origin
from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_fixes import fix_origin

__all__ = ["Browser"]


class Browser:
    """A model of a browser that runs the scripts of one page (WHATWG Fetch). It does no I/O.

    `page` is the page's origin, or "null" for a page with an opaque origin, such as a sandboxed
    frame. `file://` is opaque too. `engine` selects the engine whose quirks apply; "standard" has
    none. `cookies` are in the jar from the start, and responses add to them. `clock` returns
    the time in seconds since 1970.

    Raises OriginError, a ValueError, where page is not a valid origin, and TypeError for a cookie
    that is not a Cookie.
    """

    def __init__(
        self,
        page: str,
        *,
        engine: EngineName = "standard",
        cookies: Iterable[Cookie] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        if engine not in ENGINES:
            raise ValueError(f"{engine!r} is not an engine: use one of {', '.join(ENGINES)}")
        quirks = ENGINES[engine]
        origin = _parse_page(page)
        self.page: str = str(origin)
        self.engine: EngineName = engine
        self.preflights: int = 0
        """The number of preflights that were sent so far."""
        jar = CookieJar(cookies, quirks)
        self._state = BrowserState(origin, quirks, jar, PreflightCache(quirks), clock)
        self._base = None if origin.opaque else URL.parse(page)
        self._transport: AppTransport | None = None

    @classmethod
    def on(
        cls,
        app: Any,
        *,
        page: str,
        url: str = "https://testserver",
        engine: EngineName = "standard",
        cookies: Iterable[Cookie] = (),
        clock: Callable[[], float] = time.time,
        interface: Interface | None = None,
        raise_app_exceptions: bool = True,
    ) -> Browser:
        """Return a browser in front of an application, which it calls in this process.

        `app` is a WSGI application (Flask and Django applications are WSGI) or an ASGI one.
        `interface` is "asgi" or "wsgi"; None detects it from the parameters of `app`. `url` is the
        address that the application is served at. `fetch` raises what the application raises. With
        `raise_app_exceptions=False` the page gets what a server sends instead: the response as far
        as it had begun, or else a plain 500.

        Raises TypeError where `app` is not an application, or its interface can't be detected.
        """
        browser = cls(page, engine=engine, cookies=cookies, clock=clock)
        browser._base = URL.parse(url)
        browser._transport = open_transport(
            app, browser._base.origin, interface, raise_app_exceptions=raise_app_exceptions
        )
        return browser

    def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str | None = None,
        credentials: Credentials = "same-origin",
        mode: Mode = "cors",
        redirect: Redirect = "follow",
        upload_listener: bool = False,
        streamed: bool = False,
        timeout: float | None = TIMEOUT,
    ) -> Response:
        """Fetch a URL of the application as a script on the page would; return the response.

        The parameters have the names and defaults of the web's `fetch()`. `url` may be relative to
        the application's. `timeout` is the number of seconds that each response may take, None for
        no limit. A body that does not end in time is cut at what has arrived.

        Raises Blocked where a script would get a TypeError, TimeoutError where no response begins
        in time, and TypeError or ValueError for an argument that `fetch()` does not support.
        """
        __tracebackhide__ = True
        if self._transport is None:
            raise TypeError("fetch() needs an application: create the browser with Browser.on()")
        exchange = self.play(
            Request(
                url,
                method,
                headers,
                body,
                credentials,
                mode,
                redirect,
                upload_listener,
                streamed,
            ),
            partial(self._transport, timeout=parse_timeout(timeout)),
        )
        if exchange.response is None:
            raise Blocked(exchange)
        return exchange.response

    def play(self, request: Request, send: Send) -> Exchange:
        """Run one request of a script, with send as the network, and return the exchange."""
        trace = Trace()
        response: Response | None = None
        refusal: Refusal | None = None
        urls: list[URL] = []
        try:
            fetch_request = build_request(request, self._base, self._state.engine, trace)
            urls = fetch_request.urls
            response = Fetch(self._state, fetch_request, send, trace).run()
        except Refused as refused:
            refusal = refused.refusal
        exchange = Exchange(
            self.page,
            self.engine,
            request,
            tuple(trace.steps),
            tuple(trace.hops),
            response,
            refusal,
            format_console_message(refusal, self.page, request, urls) if refusal else "",
            tuple(trace.caveats.values()),
        )
        self.preflights += exchange.preflights
        return exchange


def _parse_page(page: str) -> Origin:
    try:
        return parse_page_origin(page)
    except OriginError as error:
        suggestion = fix_origin(page)
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        raise OriginError(f"{page!r} is not a valid origin: {error}{hint}") from None
