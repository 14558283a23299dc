"""Main fetch, HTTP fetch and HTTP-redirect fetch: the standard's algorithm, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Literal, NamedTuple, NoReturn

from corsguard.browser.caveats import is_mixed_content, kept_cookies, refused_cookies, surroundings
from corsguard.browser.clauses import Clause
from corsguard.browser.cookies import Jar
from corsguard.browser.engine_quirks import Traits
from corsguard.browser.exchange import BlockReason, Hop
from corsguard.browser.filtered_response import readable
from corsguard.browser.messages import Answer, Fields, Mode, Response, Send, SendError, Sent
from corsguard.browser.preflight import Preflight
from corsguard.browser.preflight_cache import CacheKey, PreflightCache
from corsguard.browser.redirect import REDIRECT_STATUSES, followed, refuse_mixed_content
from corsguard.browser.referrer_policy import hides_origin, referrer
from corsguard.browser.request_constructor import Fetching
from corsguard.browser.response_checks import check_cors, check_resource_policy
from corsguard.browser.trace import Refused, Trail
from corsguard.browser.url import HTTP_SCHEMES, URL, add_scheme, is_same_site, is_trustworthy
from corsguard.fetch_spec import BAD_PORTS
from corsguard.origin import Origin

__all__ = ["Fetch", "Surroundings"]

Purpose = Literal["preflight", "request"]
_PROXY_STATUS = 407


class Surroundings(NamedTuple):
    """What of a browser lasts from one request to the next."""

    page: Origin
    engine: Traits
    jar: Jar
    cache: PreflightCache
    clock: Callable[[], float]


class Fetch:
    """One request of a script on its way through the standard."""

    def __init__(self, around: Surroundings, fetching: Fetching, send: Send, trail: Trail) -> None:
        self._around = around
        self._page = around.page
        self._fetching = fetching
        self._send = send
        self._trail = trail
        self._unchecked: tuple[Answer, str] | None = None
        """The answer of a redirect that an engine checks a second time, and for which origin."""

    def run(self) -> Response:
        """The response as the script sees it; raises Refused."""
        try:
            return self._fetch()
        except Refused:
            self._forget()
            raise

    def _fetch(self) -> Response:
        while True:  # a redirect starts main fetch again
            answer = self._main_fetch()
            if answer.status not in REDIRECT_STATUSES:
                break
            if self._fetching.redirect == "manual":
                return self._unfollowed()
            engine, again = self._around.engine, self._to_check_again(answer)
            if not followed(self._fetching, self._page, engine, answer, self._trail):
                break
            self._unchecked = again
        return readable(self._fetching, self._around.engine, answer, self._trail)

    def _forget(self) -> None:
        """Fetch, "main fetch", 12: what was cached for this URL is not trusted any more."""
        distrusted = {
            "failed cors fetch": self._fetching.tainting == "cors",
            "failed preflighted fetch": self._fetching.preflighted,
            "nothing": False,
        }
        if distrusted[self._around.engine.clears_cache_after]:
            key = CacheKey(self._preflight_origin(), str(self._fetching.url), False)
            self._around.cache.clear(key)

    def _main_fetch(self) -> Answer:
        """Fetch, "main fetch", 12, and "HTTP fetch"."""
        fetching, url = self._fetching, self._fetching.url
        if url.scheme in HTTP_SCHEMES and url.origin.port in BAD_PORTS:
            self._refuse(
                "port",
                Clause.PORT_BLOCKING,
                BlockReason.PORT_BLOCKED,
                f"port {url.origin.port} is closed to every page",
                "serve it on another port",
            )
        surroundings(self._page, url, self._trail)
        if fetching.tainting == "basic" and self._is_same_origin(url):
            text = f"{url.origin} is the page's own origin: no CORS"
            self._trail.passed("same origin", Clause.MAIN_FETCH, text)
            return self._http_fetch()
        self._require_cross_origin(url)
        if fetching.mode == "no-cors":
            fetching.tainting = "opaque"
            text = "mode `no-cors`: sent, and kept from the script"
            self._trail.passed("response tainting", Clause.MAIN_FETCH, text)
            return self._http_fetch()
        fetching.tainting = "cors"
        text = f"{url.origin} is not the page's origin, {self._page}: CORS"
        self._trail.passed("response tainting", Clause.MAIN_FETCH, text)
        self._preflight()
        self._check_again()
        return self._http_fetch()

    def _require_cross_origin(self, url: URL) -> None:
        """Refuse what can't go to another origin at all."""
        fetching = self._fetching
        if fetching.mode == "same-origin":
            self._refuse(
                "mode",
                Clause.MAIN_FETCH,
                BlockReason.SAME_ORIGIN_ONLY,
                f"mode `same-origin`, and {url.origin} is another origin",
                'use mode "cors"',
            )
        if fetching.mode == "no-cors" and fetching.redirect != "follow":
            self._refuse(
                "mode",
                Clause.MAIN_FETCH,
                BlockReason.NO_CORS_REDIRECT_MODE,
                f"mode `no-cors` follows redirects, and redirect is `{fetching.redirect}`",
                'use redirect "follow", or mode "cors"',
            )
        if url.scheme not in HTTP_SCHEMES:
            meant = add_scheme(str(url))
            self._refuse(
                "scheme",
                Clause.MAIN_FETCH,
                BlockReason.SCHEME_NOT_HTTP,
                f"{url.scheme}: has no server that could allow it",
                f"write {meant}" if meant else "serve it over https",
                url.scheme,
            )

    def _preflight(self) -> None:
        around = self._around
        origin = self._preflight_origin()
        preflight = Preflight(
            self._fetching, origin, around.engine, around.cache, around.clock, self._trail
        )
        if not preflight.is_needed:
            text = "method and headers are safelisted: no preflight"
            self._trail.passed("preflight", Clause.MAIN_FETCH, text)
            return
        self._fetching.preflighted = True
        if preflight.look_up():
            text = f"{preflight.why}: covered by an earlier preflight"
            self._trail.passed("preflight cache", Clause.PREFLIGHT_CACHE, text)
            return
        self._trail.passed("preflight", Clause.HTTP_FETCH, f"{preflight.why}: it is asked first")
        url = self._fetching.url
        # Fetch, "CORS-preflight fetch", 1: its mode is `cors`, and it carries no cookies.
        headers = (*preflight.headers, *self._context(url, origin, "cors"))
        preflight.check(self._over_the_wire("preflight", Sent("OPTIONS", str(url), headers)))

    def _to_check_again(self, answer: Answer) -> tuple[Answer, str] | None:
        fetching = self._fetching
        again = (
            self._around.engine.checks_redirects_as_included
            and fetching.credentials == "same-origin"
            and fetching.tainting == "cors"
            and self._is_same_origin(fetching.urls[0])
        )
        return (answer, self._origin()) if again else None

    def _check_again(self) -> None:
        if self._unchecked is not None:
            answer, origin = self._unchecked
            check_cors(replace(self._fetching, credentials="include"), origin, answer, self._trail)

    def _http_fetch(self) -> Answer:
        """Send the request; check the answer (Fetch, "HTTP fetch", 4)."""
        fetching = self._fetching
        answer = self._network_fetch()
        if fetching.tainting == "cors":
            check_cors(fetching, self._origin(), answer, self._trail)
        elif fetching.tainting == "opaque":
            check_resource_policy(self._page, fetching.url, answer, self._trail)
        if answer.status in REDIRECT_STATUSES and fetching.redirect == "error":
            self._refuse(
                "redirect",
                Clause.HTTP_FETCH,
                BlockReason.REDIRECT_MODE_ERROR,
                f"the answer is {answer.status}, and redirect is `error`",
                'fetch the final URL, or use redirect "follow"',
                str(answer.status),
            )
        return answer

    def _network_fetch(self) -> Answer:
        """Fetch, "HTTP-network-or-cache fetch", without the cache."""
        fetching, around, url = self._fetching, self._around, self._fetching.url
        headers = [*fetching.headers]
        if around.engine.headers_in_utf8:
            headers = [(name, value.encode().decode("latin-1")) for name, value in headers]
        if not any(name.lower() == "accept" for name, _ in headers):
            headers.append(("Accept", "*/*"))
        headers.extend(self._context(url, self._sent_origin(), fetching.mode))
        # Fetch, "HTTP-network-or-cache fetch", 8: the length of a stream is not known.
        has_length = fetching.body is not None or fetching.method in {"POST", "PUT"}
        if has_length and not fetching.streamed:
            headers.append(("Content-Length", str(len(fetching.body or b""))))
        same_site = is_same_site(self._page, url.origin)
        if credentialed := self._includes_credentials():
            cookies, kept = around.jar.select(url, around.clock(), same_site=same_site)
            kept_cookies(kept, self._trail)
            if cookies:
                headers.append(("Cookie", "; ".join(cookie.pair for cookie in cookies)))
        # A user name in the URL, which a redirect may add, is not sent by fetch().
        address = str(url._replace(userinfo=""))
        sent = Sent(fetching.method, address, tuple(headers), fetching.body)
        answer = self._over_the_wire("request", sent)
        if credentialed:
            kept = around.jar.store(answer, url, around.clock(), same_site=same_site)
            refused_cookies(kept, self._trail)
        return answer

    def _over_the_wire(self, purpose: Purpose, sent: Sent) -> Answer:
        try:
            answer = self._send(sent)
        except SendError as error:
            if len(self._fetching.urls) > 1 and is_mixed_content(self._page, self._fetching.url):
                # No browser would have sent it.
                refuse_mixed_content(self._page, self._fetching.url, self._trail)
            self._trail.hops.append(Hop(purpose, sent, None))
            self._unanswered(purpose, str(error), error.fix)
        self._trail.hops.append(Hop(purpose, sent, answer))
        if answer.status == _PROXY_STATUS and not self._around.engine.takes_proxy_status:
            text = f"this engine takes {_PROXY_STATUS} from no server, for it is a proxy's"
            self._unanswered(purpose, text, "answer 401 instead")
        text = f"{sent.method} {sent.url} -> {answer.status}"
        self._trail.passed(purpose, Clause.NETWORK_FETCH, text)
        return answer

    def _unanswered(self, purpose: Purpose, text: str, fix: str) -> NoReturn:
        self._trail.refuse(
            "network",
            Clause.NETWORK_FETCH,
            BlockReason.UNREACHABLE,
            text,
            fix=fix,
            in_preflight=purpose == "preflight",
        )

    def _context(self, url: URL, origin: str | None, mode: Mode) -> Fields:
        """The fields that a browser adds by itself to every request."""
        fields = [("Host", url.authority)]
        if origin is not None:
            fields.append(("Origin", origin))
        if told := referrer(self._fetching.referrer_policy, self._page, url):
            fields.append(("Referer", told))
        if is_trustworthy(url.origin):  # Fetch Metadata, 2: to nobody else
            fields.append(("Sec-Fetch-Site", self._site()))
            fields.append(("Sec-Fetch-Mode", mode))
            fields.append(("Sec-Fetch-Dest", "empty"))
        return tuple(fields)

    def _site(self) -> str:
        """`Sec-Fetch-Site` (Fetch Metadata, 2.3), over all URLs so far."""
        origins = [url.origin for url in self._fetching.urls]
        if all(origin == self._page and not origin.opaque for origin in origins):
            return "same-origin"
        if all(is_same_site(self._page, origin) for origin in origins):
            return "same-site"
        return "cross-site"

    def _is_same_origin(self, url: URL) -> bool:
        return url.origin == self._page and not self._page.opaque

    def _includes_credentials(self) -> bool:
        credentials = self._fetching.credentials
        return credentials == "include" or (
            credentials == "same-origin" and self._fetching.tainting == "basic"
        )

    def _origin(self) -> str:
        """Fetch, "byte-serializing a request origin"."""
        return "null" if self._is_tainted() else str(self._page)

    def _preflight_origin(self) -> str:
        return self._origin() if self._around.engine.taints_preflights else str(self._page)

    def _is_tainted(self) -> bool:
        """Fetch, "redirect-taint": whether another origin has sent the request on to a third."""
        urls = self._fetching.urls
        return any(
            after.origin != before.origin and before.origin != self._page
            for before, after in pairwise(urls)
        )

    def _sent_origin(self) -> str | None:
        """The value of `Origin`, None for none (Fetch, "append a request `Origin` header")."""
        fetching = self._fetching
        if fetching.tainting == "cors":
            return self._origin()
        if fetching.method in {"GET", "HEAD"} and not self._keeps_origin:
            return None
        policy = fetching.referrer_policy
        if fetching.mode != "cors" and hides_origin(policy, self._page, fetching.url):
            return "null"
        return self._origin()

    @property
    def _keeps_origin(self) -> bool:
        """Whether an engine sends `Origin` because the method was another before a redirect."""
        first = next((hop for hop in self._trail.hops), None)
        return (
            not self._around.engine.drops_origin
            and first is not None
            and first.sent.method not in {"GET", "HEAD"}
        )

    def _unfollowed(self) -> Response:
        text = "a redirect, which mode `manual` keeps from the script"
        self._trail.passed("read the answer", Clause.FILTERED, text)
        return Response.hidden("opaqueredirect", str(self._fetching.urls[0]))

    def _refuse(
        self,
        name: str,
        clause: Clause,
        reason: BlockReason,
        text: str,
        fix: str,
        detail: str = "",
    ) -> NoReturn:
        self._trail.refuse(name, clause, reason, text, fix=fix, detail=detail)
