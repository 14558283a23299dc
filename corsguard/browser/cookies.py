"""A small cookie jar: what RFC 6265bis says of which cookie goes where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from corsguard.browser.engine_quirks import Traits
from corsguard.browser.messages import Answer
from corsguard.browser.url import URL, is_trustworthy, strip_final_dot
from corsguard.origin import is_ip_address
from corsguard.public_suffix import is_public_suffix

__all__ = ["Cookie", "Jar", "Kept", "parse_cookie"]

SameSite = Literal["Strict", "Lax", "None"]
_SAME_SITE: dict[str, SameSite] = {"strict": "Strict", "lax": "Lax", "none": "None"}
_WHITE_SPACE = " \t"
# RFC 6265bis, 5.6, 1: what has these is no cookie.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MOST_DIGITS = 10
# RFC 6265bis, 5.6: bytes of a name and its value.
_LONGEST = 4_096
_PREFIXES = ("__secure-", "__host-")
Withheld = Literal["cookie-same-site", "third-party-cookies"]


class Cookie(NamedTuple):
    """One cookie of a browser."""

    name: str
    """Empty where a `Set-Cookie` has no `=`."""
    value: str
    host: str
    """The host that gets it."""
    subdomains: bool = False
    """Whether the hosts below get it too (`Domain=`)."""
    path: str = "/"
    secure: bool = False
    same_site: SameSite | None = None
    """None where the cookie does not say."""
    expires: float | None = None
    """By the browser's clock, in seconds; None for the end of the session."""
    third_party: bool = False
    """Whether it was set while a page of another site was open."""

    @property
    def pair(self) -> str:
        """As it stands in `Cookie` (RFC 6265bis, 5.8.3)."""
        return f"{self.name}={self.value}" if self.name else self.value

    def goes_to(self, url: URL) -> bool:
        """Whether host, path and scheme are the cookie's (RFC 6265bis, 5.8.3)."""
        host = url.origin.host
        return (
            (host == self.host or (self.subdomains and _is_below(host, self.host)))
            and _is_at_or_below(url.path, self.path)
            and (not self.secure or is_trustworthy(url.origin))
        )


class Kept(NamedTuple):
    """A cookie that the browser has and does not send, or is sent and does not take; and why."""

    cookie: Cookie
    why: Withheld


class Jar:
    """The cookies of one browser. Raises TypeError for what is no Cookie."""

    def __init__(self, cookies: Iterable[Cookie], engine: Traits) -> None:
        self._engine = engine
        self._cookies = {(c.name, c.host, c.path, c.third_party): c for c in map(_checked, cookies)}

    def select(self, url: URL, now: float, *, same_site: bool) -> tuple[list[Cookie], list[Kept]]:
        """The cookies that go with a request to url, and those that are kept back.

        `same_site` tells whether the page is of the URL's site.
        """
        sent: list[Cookie] = []
        kept: list[Kept] = []
        for cookie in self._cookies.values():
            expired = cookie.expires is not None and cookie.expires <= now
            if expired or not cookie.goes_to(url) or (same_site and cookie.third_party):
                continue
            why = None if same_site else self._withheld(cookie)
            if why is None:
                sent.append(cookie)
            else:
                kept.append(Kept(cookie, why))
        # RFC 6265bis, 5.8.3: longer paths first.
        return sorted(sent, key=lambda cookie: -len(cookie.path)), kept

    def store(self, answer: Answer, url: URL, now: float, *, same_site: bool) -> list[Kept]:
        """Take the cookies that an answer sets (RFC 6265bis, 5.7), and return the others that it
        would set if they crossed sites."""
        kept: list[Kept] = []
        for name, value in answer.headers:
            cookie = parse_cookie(value, url, now) if name.lower() == "set-cookie" else None
            if cookie is None or self._hides_secure(cookie, url):
                continue
            if why := self._refused(cookie, same_site=same_site):
                kept.append(Kept(cookie, why))
            else:
                self._put(cookie._replace(third_party=self._partitions and not same_site), now)
        return kept

    @property
    def _partitions(self) -> bool:
        return self._engine.third_party_cookies == "partitioned"

    def _put(self, cookie: Cookie, now: float) -> None:
        key = (cookie.name, cookie.host, cookie.path, cookie.third_party)
        if cookie.expires is None or cookie.expires > now:
            self._cookies[key] = cookie  # in the place of the old one (RFC 6265bis, 5.7)
        else:
            self._cookies.pop(key, None)

    def _withheld(self, cookie: Cookie) -> Withheld | None:
        """Why a cookie does not go to another site, or None where it does."""
        if not self._crosses_sites(cookie):
            return "cookie-same-site"
        policy = self._engine.third_party_cookies
        if policy == "blocked" or (policy == "partitioned" and not cookie.third_party):
            return "third-party-cookies"
        return None

    def _crosses_sites(self, cookie: Cookie) -> bool:
        """Whether SameSite lets it go to another site, or come from there."""
        if cookie.same_site is None:
            return not self._engine.lax_by_default
        # RFC 6265bis, 5.7: SameSite=None counts with Secure alone.
        return cookie.same_site == "None" and cookie.secure

    def _refused(self, cookie: Cookie, *, same_site: bool) -> Withheld | None:
        """Why a cookie is not taken, or None where it is."""
        if cookie.same_site == "None" and not cookie.secure:  # RFC 6265bis, 5.7
            return "cookie-same-site"
        if same_site:
            return None
        if not self._crosses_sites(cookie):
            return "cookie-same-site"
        return "third-party-cookies" if self._engine.third_party_cookies == "blocked" else None

    def _hides_secure(self, cookie: Cookie, url: URL) -> bool:
        """Whether plain http would set what hides a secure cookie (RFC 6265bis, 5.7)."""
        return not is_trustworthy(url.origin) and any(
            held.secure and held.name == cookie.name and _overlap(held, cookie)
            for held in self._cookies.values()
        )


def _checked(given: object) -> Cookie:
    if not isinstance(given, Cookie):
        example = 'Cookie("session", "1", "api.example.com")'
        raise TypeError(f"cookies: {given!r} is not a Cookie: write cookies=[{example}]")
    return given


def parse_cookie(line: str, url: URL, now: float) -> Cookie | None:
    """The cookie of one `Set-Cookie`, None where it is to be ignored (RFC 6265bis, 5.6, 5.7)."""
    if _CONTROL.search(line):
        return None
    pair, *rest = line.split(";")
    name, equals, value = (part.strip(_WHITE_SPACE) for part in pair.partition("="))
    if not equals:
        name, value = "", name
    nameless = not name and (not value or value.lower().startswith(_PREFIXES))
    if nameless or len(name) + len(value) > _LONGEST:
        return None
    attributes = {}
    for attribute in rest:
        key, _, text = attribute.partition("=")
        attributes[key.strip(_WHITE_SPACE).lower()] = text.strip(_WHITE_SPACE)
    host, path = url.origin.host, attributes.get("path", "")
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if _is_shared(domain) and domain == host:
        domain = ""
    cookie = Cookie(
        name,
        value,
        domain or host,
        subdomains=bool(domain),
        path=path if path.startswith("/") else url.path.rpartition("/")[0] or "/",
        secure="secure" in attributes,
        same_site=_SAME_SITE.get(attributes.get("samesite", "").lower()),
        expires=_expiry(attributes, now),
    )
    return cookie if _is_acceptable(cookie, url) else None


def _is_acceptable(cookie: Cookie, url: URL) -> bool:
    """Whether a URL may set a cookie (RFC 6265bis, 5.7)."""
    host = url.origin.host
    # Not for another host, nor for everybody under a public suffix.
    owned = _is_below(host, cookie.host) and not _is_shared(cookie.host)
    if cookie.subdomains and host != cookie.host and not owned:
        return False
    name = cookie.name.lower()
    hosts_own = cookie.secure and cookie.path == "/" and not cookie.subdomains
    if (name.startswith("__secure-") and not cookie.secure) or (
        name.startswith("__host-") and not hosts_own
    ):
        return False
    return not cookie.secure or is_trustworthy(url.origin)


def _is_shared(host: str) -> bool:
    """Return True if anyone can have a name below host, with or without its final dot."""
    return is_public_suffix(strip_final_dot(host))


def _overlap(held: Cookie, cookie: Cookie) -> bool:
    """Whether a host and a path may have both cookies."""
    one, other = held.host, cookie.host
    hosts = one == other or _is_below(one, other) or _is_below(other, one)
    return hosts and _is_at_or_below(cookie.path, held.path)


def _is_below(host: str, domain: str) -> bool:
    """RFC 6265bis, 5.1.3, "domain-match", of a host that is another one."""
    return host.endswith(f".{domain}") and not is_ip_address(host)


def _is_at_or_below(path: str, folder: str) -> bool:
    """RFC 6265bis, 5.1.4, "path-match"."""
    return path == folder or path.startswith(folder if folder.endswith("/") else f"{folder}/")


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    # RFC 6265bis, 5.6: Max-Age comes first, and what can't be read is left out.
    age = attributes.get("max-age", "")
    if re.fullmatch("-?[0-9]+", age):
        return now + int(age[:_MOST_DIGITS])
    try:
        date = parsedate_to_datetime(attributes.get("expires", ""))
    except (ValueError, OverflowError):  # the latter for a zone that is years away
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).timestamp()
