"""A cookie, and the `Set-Cookie` line that sets it (RFC 6265bis, 5.6 and 5.7)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from corsguard.browser.site import is_trustworthy, strip_final_dot
from corsguard.browser.url import URL
from corsguard.origin import is_ip_address
from corsguard.public_suffix import is_public_suffix

__all__ = ["Cookie", "is_domain_below", "is_path_within", "parse_cookie"]

SameSite = Literal["Strict", "Lax", "None"]
_SAME_SITE: dict[str, SameSite] = {"strict": "Strict", "lax": "Lax", "none": "None"}
_WHITE_SPACE = " \t"
# RFC 6265bis, 5.6, 1: a line with one of these characters is ignored.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_DIGITS = 10
# RFC 6265bis, 5.6: bytes of the name and the value together.
_MAX_BYTES = 4_096
_PREFIXES = ("__secure-", "__host-")


class Cookie(NamedTuple):
    """One cookie of a browser."""

    name: str
    """Empty where a `Set-Cookie` has no `=`."""
    value: str
    host: str
    """The host that the cookie is sent to."""
    subdomains: bool = False
    """True if it is sent to the host's subdomains too (`Domain=`)."""
    path: str = "/"
    secure: bool = False
    same_site: SameSite | None = None
    """None where the cookie has no such attribute, or an unknown value."""
    expires: float | None = None
    """Seconds on the browser's clock; None for the end of the session."""
    third_party: bool = False
    """True if it was set while a page of another site was open."""

    @property
    def pair(self) -> str:
        """The cookie as `Cookie` has it (RFC 6265bis, 5.8.3)."""
        return f"{self.name}={self.value}" if self.name else self.value

    def goes_to(self, url: URL) -> bool:
        """Return True if host, path and scheme match the cookie's (RFC 6265bis, 5.8.3)."""
        host = url.origin.host
        return (
            (host == self.host or (self.subdomains and is_domain_below(host, self.host)))
            and is_path_within(url.path, self.path)
            and (not self.secure or is_trustworthy(url.origin))
        )


def parse_cookie(line: str, url: URL, now: float) -> Cookie | None:
    """Return the cookie of a `Set-Cookie` line from url, or None where browsers ignore the line.

    `now` is the time in seconds, to which Max-Age is added (RFC 6265bis, 5.6 and 5.7).
    """
    if _CONTROL.search(line):
        return None
    pair, *rest = line.split(";")
    name, equals, value = (part.strip(_WHITE_SPACE) for part in pair.partition("="))
    if not equals:
        name, value = "", name
    is_nameless = not name and (not value or value.lower().startswith(_PREFIXES))
    if is_nameless or len(name) + len(value) > _MAX_BYTES:
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
        expires=_parse_expiry(attributes, now),
    )
    return cookie if _is_acceptable(cookie, url) else None


def is_domain_below(host: str, domain: str) -> bool:
    """Return True if host is a subdomain of domain (RFC 6265bis, 5.1.3, "domain-match")."""
    return host.endswith(f".{domain}") and not is_ip_address(host)


def is_path_within(path: str, folder: str) -> bool:
    """Return True if path is folder or below it (RFC 6265bis, 5.1.4, "path-match")."""
    return path == folder or path.startswith(folder if folder.endswith("/") else f"{folder}/")


def _is_acceptable(cookie: Cookie, url: URL) -> bool:
    """Return True if url may set the cookie (RFC 6265bis, 5.7)."""
    host = url.origin.host
    # A host sets no cookie for an unrelated host, nor for a whole public suffix.
    is_parent = is_domain_below(host, cookie.host) and not _is_shared(cookie.host)
    if cookie.subdomains and host != cookie.host and not is_parent:
        return False
    name = cookie.name.lower()
    is_host_only = cookie.secure and cookie.path == "/" and not cookie.subdomains
    if (name.startswith("__secure-") and not cookie.secure) or (
        name.startswith("__host-") and not is_host_only
    ):
        return False
    return not cookie.secure or is_trustworthy(url.origin)


def _is_shared(host: str) -> bool:
    """Return True if anyone can register a name below host, with or without its final dot."""
    return is_public_suffix(strip_final_dot(host))


def _parse_expiry(attributes: dict[str, str], now: float) -> float | None:
    # RFC 6265bis, 5.6: Max-Age takes precedence, and an attribute that can't be parsed is ignored.
    age = attributes.get("max-age", "")
    if re.fullmatch("-?[0-9]+", age):
        return now + int(age[:_MAX_DIGITS])
    try:
        date = parsedate_to_datetime(attributes.get("expires", ""))
    except (ValueError, OverflowError):  # the latter for a zone that is years away
        return None
    return date.replace(tzinfo=date.tzinfo or UTC).timestamp()
