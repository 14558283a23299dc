"""Main fetch, HTTP fetch and HTTP-redirect fetch: the standard's algorithm, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, NoReturn

from corsguard.browser.caveats import (
    is_mixed_content,
    report_network_caveats,
    report_refused_cookies,
    report_unsent_cookies,
)
from corsguard.browser.clauses import Clause
from corsguard.browser.cookie_jar import CookieJar
from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.exchange import BlockReason, Hop
from corsguard.browser.filtered_response import filter_response, hide_redirect
from corsguard.browser.messages import Answer, Fields, Response, Send, SendError, Sent
from corsguard.browser.preflight import Preflight
from corsguard.browser.preflight_cache import CacheKey, PreflightCache
from corsguard.browser.redirect import REDIRECT_STATUSES, follow_redirect, refuse_mixed_content
from corsguard.browser.request_constructor import FetchRequest
from corsguard.browser.request_headers import (
    build_request_headers,
    choose_origin_header,
    serialize_preflight_origin,
    serialize_request_origin,
)
from corsguard.browser.response_checks import check_cors, check_resource_policy
from corsguard.browser.site import is_same_site
from corsguard.browser.trace import Refused, Trace
from corsguard.browser.url import HTTP_SCHEMES, URL, add_scheme
from corsguard.fetch_spec import BAD_PORTS
from corsguard.origin import Origin

__all__ = ["BrowserState", "Fetch"]

Purpose = Literal["preflight", "request"]
_PROXY_STATUS = 407


class BrowserState(NamedTuple):
    """The state of a browser that lasts from one request to the next."""

    page: Origin
    engine: EngineQuirks
    jar: CookieJar
    cache: PreflightCache
    clock: Callable[[], float]
    """The current time in seconds since 1970."""


class Fetch:
    """One request of a script on its way through the standard."""

    def __init__(
        self, state: BrowserState, request: FetchRequest, send: Send, trace: Trace
    ) -> None:
        self._state = state
        self._page = state.page
        self._request = request
        self._send = send
        self._trace = trace
        self._unchecked: tuple[Answer, str] | None = None
        """A redirect that the engine checks a second time, and the origin it is checked for."""

    def run(self) -> Response:
        """Return the response as the script sees it. Raises Refused."""
        try:
            return self._follow_to_response()
        except Refused:
            self._clear_preflight_cache()
            raise

    def _follow_to_response(self) -> Response:
        while True:  # a redirect starts main fetch again
            answer = self._main_fetch()
            if answer.status not in REDIRECT_STATUSES:
                break
            if self._request.redirect == "manual":
                return hide_redirect(self._request, self._trace)
            engine, unchecked = self._state.engine, self._find_second_check(answer)
            if not follow_redirect(self._request, self._page, engine, answer, self._trace):
                break
            self._unchecked = unchecked
        return filter_response(self._request, self._state.engine, answer, self._trace)

    def _clear_preflight_cache(self) -> None:
        """Clear the cached preflights of a URL whose fetch failed (Fetch, "main fetch", 12)."""
        is_cleared = {
            "failed cors fetch": self._request.tainting == "cors",
            "failed preflighted fetch": self._request.preflighted,
            "nothing": False,
        }
        if is_cleared[self._state.engine.clears_cache_after]:
            self._state.cache.clear(
                CacheKey(self._serialize_preflight_origin(), str(self._request.url), False)
            )

    def _main_fetch(self) -> Answer:
        """Run one round of main fetch and of HTTP fetch (Fetch, "main fetch", 12)."""
        request, url = self._request, self._request.url
        if url.scheme in HTTP_SCHEMES and url.origin.port in BAD_PORTS:
            self._refuse(
                "port",
                Clause.PORT_BLOCKING,
                BlockReason.PORT_BLOCKED,
                f"browsers block port {url.origin.port}",
                "use another port",
            )
        report_network_caveats(self._page, url, self._trace)
        if request.tainting == "basic" and self._is_same_origin(url):
            text = f"{url.origin} is the page's own origin: no CORS"
            self._trace.add_step("same origin", Clause.MAIN_FETCH, text)
            return self._http_fetch()
        self._require_cross_origin_request(url)
        if request.mode == "no-cors":
            request.tainting = "opaque"
            text = "mode `no-cors`: the response is hidden from the script"
            self._trace.add_step("response tainting", Clause.MAIN_FETCH, text)
            return self._http_fetch()
        request.tainting = "cors"
        text = f"{url.origin} is not the page's origin, {self._page}: CORS"
        self._trace.add_step("response tainting", Clause.MAIN_FETCH, text)
        self._run_preflight()
        self._run_second_check()
        return self._http_fetch()

    def _require_cross_origin_request(self, url: URL) -> None:
        """Refuse a request that its mode or its scheme keeps within the page's origin."""
        request = self._request
        if request.mode == "same-origin":
            self._refuse(
                "mode",
                Clause.MAIN_FETCH,
                BlockReason.SAME_ORIGIN_ONLY,
                f"mode `same-origin`, and {url.origin} is another origin",
                'use mode "cors"',
            )
        if request.mode == "no-cors" and request.redirect != "follow":
            self._refuse(
                "mode",
                Clause.MAIN_FETCH,
                BlockReason.NO_CORS_REDIRECT_MODE,
                f"mode `no-cors` needs redirect `follow`, and redirect is `{request.redirect}`",
                'use redirect "follow", or mode "cors"',
            )
        if url.scheme not in HTTP_SCHEMES:
            suggestion = add_scheme(str(url))
            self._refuse(
                "scheme",
                Clause.MAIN_FETCH,
                BlockReason.SCHEME_NOT_HTTP,
                f"the scheme is `{url.scheme}`, and CORS needs http or https",
                f"write {suggestion}" if suggestion else "serve it over https",
                url.scheme,
            )

    def _run_preflight(self) -> None:
        """Send a preflight where the request needs one and none is cached."""
        state, request = self._state, self._request
        origin = self._serialize_preflight_origin()
        preflight = Preflight(request, origin, state.engine, state.cache, state.clock, self._trace)
        if not preflight.is_needed:
            text = "method and headers are safelisted: no preflight"
            self._trace.add_step("preflight", Clause.MAIN_FETCH, text)
            return
        request.preflighted = True
        if preflight.look_up():
            text = f"{preflight.why}: a cached preflight covers it"
            self._trace.add_step("preflight cache", Clause.PREFLIGHT_CACHE, text)
            return
        text = f"{preflight.why}: needs a preflight"
        self._trace.add_step("preflight", Clause.HTTP_FETCH, text)
        # Fetch, "CORS-preflight fetch", 1: its mode is `cors`, and it carries no cookies.
        added = build_request_headers(request, self._page, origin, "cors")
        headers = (*preflight.build_headers(), *added)
        preflight.check(self._transmit("preflight", Sent("OPTIONS", str(request.url), headers)))

    def _find_second_check(self, answer: Answer) -> tuple[Answer, str] | None:
        """Return the redirect that WebKit checks once more, and for which origin, or None."""
        request = self._request
        is_checked_again = (
            self._state.engine.checks_redirects_as_included
            and request.credentials == "same-origin"
            and request.tainting == "cors"
            and self._is_same_origin(request.urls[0])
        )
        return (answer, self._serialize_origin()) if is_checked_again else None

    def _run_second_check(self) -> None:
        if self._unchecked is not None:
            answer, origin = self._unchecked
            check_cors(replace(self._request, credentials="include"), origin, answer, self._trace)

    def _http_fetch(self) -> Answer:
        """Send the request and check the response (Fetch, "HTTP fetch", 4)."""
        request = self._request
        answer = self._network_fetch()
        if request.tainting == "cors":
            check_cors(request, self._serialize_origin(), answer, self._trace)
        elif request.tainting == "opaque":
            check_resource_policy(self._page, request.url, answer, self._trace)
        if answer.status in REDIRECT_STATUSES and request.redirect == "error":
            self._refuse(
                "redirect",
                Clause.HTTP_FETCH,
                BlockReason.REDIRECT_MODE_ERROR,
                f"the status is {answer.status}, and redirect is `error`",
                'fetch the final URL, or use redirect "follow"',
                str(answer.status),
            )
        return answer

    def _network_fetch(self) -> Answer:
        """Send the request with the browser's headers and cookies, and store those it gets.

        Fetch, "HTTP-network-or-cache fetch", without the cache.
        """
        request, state, url = self._request, self._state, self._request.url
        headers = [*self._build_headers()]
        is_same = is_same_site(self._page, url.origin)
        has_credentials = self._includes_credentials()
        if has_credentials:
            cookies, blocked = state.jar.select(url, state.clock(), same_site=is_same)
            report_unsent_cookies(blocked, self._trace)
            if cookies:
                headers.append(("Cookie", "; ".join(cookie.pair for cookie in cookies)))
        # A user name in the URL, which a redirect may add, is not sent by fetch().
        address = str(url._replace(userinfo=""))
        sent = Sent(request.method, address, tuple(headers), request.body)
        answer = self._transmit("request", sent)
        if has_credentials:
            blocked = state.jar.store(answer, url, state.clock(), same_site=is_same)
            report_refused_cookies(blocked, self._trace)
        return answer

    def _build_headers(self) -> Fields:
        """Return the script's headers and the browser's, without cookies."""
        request, engine = self._request, self._state.engine
        headers = [*request.headers]
        if engine.headers_in_utf8:
            headers = [(name, value.encode().decode("latin-1")) for name, value in headers]
        if not any(name.lower() == "accept" for name, _ in headers):
            headers.append(("Accept", "*/*"))
        origin = choose_origin_header(request, self._page, engine)
        headers.extend(build_request_headers(request, self._page, origin, request.mode))
        # Fetch, "HTTP-network-or-cache fetch", 8: the length of a stream is not known.
        has_length = request.body is not None or request.method in {"POST", "PUT"}
        if has_length and not request.streamed:
            headers.append(("Content-Length", str(len(request.body or b""))))
        return tuple(headers)

    def _transmit(self, purpose: Purpose, sent: Sent) -> Answer:
        """Send one request over the network and record it."""
        try:
            answer = self._send(sent)
        except SendError as error:
            if len(self._request.urls) > 1 and is_mixed_content(self._page, self._request.url):
                # A browser would not have sent it.
                refuse_mixed_content(self._page, self._request.url, self._trace)
            self._trace.hops.append(Hop(purpose, sent, None))
            self._refuse_unreachable(purpose, str(error), error.fix)
        self._trace.hops.append(Hop(purpose, sent, answer))
        if answer.status == _PROXY_STATUS and not self._state.engine.accepts_proxy_status:
            text = f"this engine accepts the status {_PROXY_STATUS} from a proxy only"
            self._refuse_unreachable(purpose, text, "send 401 instead")
        text = f"{sent.method} {sent.url} -> {answer.status}"
        self._trace.add_step(purpose, Clause.NETWORK_FETCH, text)
        return answer

    def _is_same_origin(self, url: URL) -> bool:
        return url.origin == self._page and not self._page.opaque

    def _includes_credentials(self) -> bool:
        credentials = self._request.credentials
        return credentials == "include" or (
            credentials == "same-origin" and self._request.tainting == "basic"
        )

    def _serialize_origin(self) -> str:
        return serialize_request_origin(self._request, self._page)

    def _serialize_preflight_origin(self) -> str:
        return serialize_preflight_origin(self._request, self._page, self._state.engine)

    def _refuse_unreachable(self, purpose: Purpose, text: str, fix: str) -> NoReturn:
        self._trace.refuse(
            ("network", Clause.NETWORK_FETCH),
            BlockReason.UNREACHABLE,
            text,
            fix=fix,
            in_preflight=purpose == "preflight",
        )

    def _refuse(
        self,
        name: str,
        clause: Clause,
        reason: BlockReason,
        text: str,
        fix: str,
        detail: str = "",
    ) -> NoReturn:
        self._trace.refuse((name, clause), reason, text, fix=fix, detail=detail)
