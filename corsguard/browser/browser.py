"""Browser: the other side of the protocol, for tests and for `explain`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from corsguard.browser.applications import TIMEOUT, Serving, open_transport, seconds
from corsguard.browser.console import console_text
from corsguard.browser.cookies import Cookie, Jar
from corsguard.browser.engine_quirks import ENGINES
from corsguard.browser.exchange import Blocked, EngineName, Exchange, Refusal
from corsguard.browser.interface import Interface
from corsguard.browser.main_fetch import Fetch, Surroundings
from corsguard.browser.messages import Credentials, Mode, Redirect, Request, Response, Send
from corsguard.browser.preflight_cache import PreflightCache
from corsguard.browser.request_constructor import made
from corsguard.browser.trace import Refused, Trail
from corsguard.browser.url import URL, parse_page_origin
from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_fixes import fix_origin

__all__ = ["Browser"]


class Browser:
    """A model of what a browser does for the scripts of one page (WHATWG Fetch). It does no I/O.

    `page` is the page's origin, or "null" for a page without one, such as a sandboxed frame. A page
    from a file, `file://`, has none either.
    `engine` is the one whose habits it has where these are not the standard's. `cookies` are in
    its jar from the start; those that answers set are added. `clock` tells seconds since 1970.

    Raises OriginError, a ValueError, where page is no origin, and TypeError for what is no Cookie.
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
            raise ValueError(f"{engine!r} is not an engine: it is one of {', '.join(ENGINES)}")
        traits = ENGINES[engine]
        origin = _origin(page)
        self.page = str(origin)
        self.engine = engine
        self.preflights = 0
        """How many preflights went over the wire so far."""
        jar = Jar(cookies, traits)
        self._around = Surroundings(origin, traits, jar, PreflightCache(traits), clock)
        self._base = None if origin.opaque else URL.parse(page)
        self._serving: Serving | None = None

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
        """Return a browser in front of an application, called in this process.

        `app` is a WSGI callable (a Flask or Django application is one) or an ASGI application,
        which its parameters tell; `interface`, "asgi" or "wsgi", where they don't. `url` is where
        it answers. What the application raises is raised by `fetch`; with
        `raise_app_exceptions=False` the page gets what a server sends instead: the response as far
        as it had begun, else a plain 500.

        Raises TypeError for what is no application, and where the interface can't be known.
        """
        browser = cls(page, engine=engine, cookies=cookies, clock=clock)
        browser._base = URL.parse(url)
        browser._serving = open_transport(
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
        """Return what a script on the page gets from the application, with `fetch()`'s defaults.

        `url` may be relative to the application's. `timeout` is how many seconds each response may
        take, None for any number: after that it counts as far as it has come, and a stream that
        never ends is a response with the part of the body that has arrived.

        Raises Blocked where a script would get a TypeError, TimeoutError where no response begins
        in time, and TypeError or ValueError for what is no argument of `fetch()`.
        """
        __tracebackhide__ = True
        if self._serving is None:
            raise TypeError("fetch() needs an application: make the browser with Browser.on()")
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
            partial(self._serving, timeout=seconds(timeout)),
        )
        if exchange.response is None:
            raise Blocked(exchange)
        return exchange.response

    def play(self, request: Request, send: Send) -> Exchange:
        """All that happens for one request of a script, where send is the network."""
        trail = Trail()
        response: Response | None = None
        refusal: Refusal | None = None
        urls: list[URL] = []
        try:
            fetching = made(request, self._base, self._around.engine, trail)
            urls = fetching.urls
            response = Fetch(self._around, fetching, send, trail).run()
        except Refused as refused:
            refusal = refused.refusal
        exchange = Exchange(
            self.page,
            self.engine,
            request,
            tuple(trail.steps),
            tuple(trail.hops),
            response,
            refusal,
            console_text(refusal, self.page, request, urls) if refusal else "",
            tuple(trail.caveats.values()),
        )
        self.preflights += exchange.preflights
        return exchange


def _origin(page: str) -> Origin:
    try:
        return parse_page_origin(page)
    except OriginError as error:
        mended = fix_origin(page)
        hint = f"; did you mean {mended}?" if mended else ""
        raise OriginError(f"{page!r} is not an origin: {error}{hint}") from None
