"""The cookies of one browser, and which of them cross sites (RFC 6265bis, 5.7 and 5.8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from corsguard.browser.cookies import Cookie, is_domain_below, is_path_within, parse_cookie
from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.messages import Answer
from corsguard.browser.site import is_trustworthy
from corsguard.browser.url import URL

__all__ = ["BlockedCookie", "CookieJar"]

CookieBlock = Literal["cookie-same-site", "third-party-cookies"]


class BlockedCookie(NamedTuple):
    """A cookie that the browser does not send to another site, or does not store."""

    cookie: Cookie
    why: CookieBlock


class CookieJar:
    """The cookies of one browser. Raises TypeError for a value that is not a Cookie."""

    def __init__(self, cookies: Iterable[Cookie], engine: EngineQuirks) -> None:
        self._engine = engine
        # (name, host, path, third_party) -> Cookie
        self._cookies = {
            (cookie.name, cookie.host, cookie.path, cookie.third_party): cookie
            for cookie in map(_require_cookie, cookies)
        }

    def select(
        self, url: URL, now: float, *, same_site: bool
    ) -> tuple[list[Cookie], list[BlockedCookie]]:
        """Return the cookies to send with a request to url, and those that are held back.

        `same_site` is True if the page belongs to the URL's site. `now` is the time in seconds.
        """
        sent: list[Cookie] = []
        blocked: list[BlockedCookie] = []
        for cookie in self._cookies.values():
            is_expired = cookie.expires is not None and cookie.expires <= now
            if is_expired or not cookie.goes_to(url) or (same_site and cookie.third_party):
                continue
            why = None if same_site else self._find_send_block(cookie)
            if why is None:
                sent.append(cookie)
            else:
                blocked.append(BlockedCookie(cookie, why))
        # RFC 6265bis, 5.8.3: longer paths first.
        return sorted(sent, key=lambda cookie: -len(cookie.path)), blocked

    def store(
        self, answer: Answer, url: URL, now: float, *, same_site: bool
    ) -> list[BlockedCookie]:
        """Store the cookies that a response from url sets (RFC 6265bis, 5.7).

        Return those that are blocked because they lack SameSite=None; Secure, or because the
        engine blocks third-party cookies.
        """
        blocked: list[BlockedCookie] = []
        for name, value in answer.headers:
            cookie = parse_cookie(value, url, now) if name.lower() == "set-cookie" else None
            if cookie is None or self._hides_secure_cookie(cookie, url):
                continue
            if why := self._find_store_block(cookie, same_site=same_site):
                blocked.append(BlockedCookie(cookie, why))
            else:
                self._put(cookie._replace(third_party=self._is_partitioned and not same_site), now)
        return blocked

    @property
    def _is_partitioned(self) -> bool:
        return self._engine.third_party_cookies == "partitioned"

    def _put(self, cookie: Cookie, now: float) -> None:
        key = (cookie.name, cookie.host, cookie.path, cookie.third_party)
        if cookie.expires is None or cookie.expires > now:
            self._cookies[key] = cookie  # RFC 6265bis, 5.7: it replaces the old one
        else:
            self._cookies.pop(key, None)

    def _find_send_block(self, cookie: Cookie) -> CookieBlock | None:
        """Return why a cookie is not sent to another site, or None where it is."""
        if not self._can_cross_sites(cookie):
            return "cookie-same-site"
        policy = self._engine.third_party_cookies
        if policy == "blocked" or (policy == "partitioned" and not cookie.third_party):
            return "third-party-cookies"
        return None

    def _find_store_block(self, cookie: Cookie, *, same_site: bool) -> CookieBlock | None:
        """Return why a cookie is not stored, or None where it is."""
        if cookie.same_site == "None" and not cookie.secure:  # RFC 6265bis, 5.7
            return "cookie-same-site"
        if same_site:
            return None
        if not self._can_cross_sites(cookie):
            return "cookie-same-site"
        return "third-party-cookies" if self._engine.third_party_cookies == "blocked" else None

    def _can_cross_sites(self, cookie: Cookie) -> bool:
        """Return True if SameSite allows a cookie on requests between two sites."""
        if cookie.same_site is None:
            return not self._engine.lax_by_default
        # RFC 6265bis, 5.7: SameSite=None needs Secure.
        return cookie.same_site == "None" and cookie.secure

    def _hides_secure_cookie(self, cookie: Cookie, url: URL) -> bool:
        """Return True if plain http would hide a secure cookie by this one (RFC 6265bis, 5.7)."""
        return not is_trustworthy(url.origin) and any(
            stored.secure and stored.name == cookie.name and _overlap(stored, cookie)
            for stored in self._cookies.values()
        )


def _require_cookie(value: object) -> Cookie:
    if not isinstance(value, Cookie):
        example = 'Cookie("session", "1", "api.example.com")'
        raise TypeError(f"cookies: {value!r} is not a Cookie: write cookies=[{example}]")
    return value


def _overlap(stored: Cookie, cookie: Cookie) -> bool:
    """Return True if one request can carry both cookies."""
    one, other = stored.host, cookie.host
    hosts = one == other or is_domain_below(one, other) or is_domain_below(other, one)
    return hosts and is_path_within(cookie.path, stored.path)
