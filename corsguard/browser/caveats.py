"""What lies outside CORS, and keeps a request from working all the same."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from corsguard.browser.cookies import Kept
from corsguard.browser.trace import Trail
from corsguard.browser.url import HTTP_SCHEMES, URL, is_trustworthy, strip_final_dot
from corsguard.origin import Origin, is_ip_address, is_loopback

__all__ = ["is_mixed_content", "kept_cookies", "mixed_content", "refused_cookies", "surroundings"]


def surroundings(page: Origin, url: URL, trail: Trail) -> None:
    """Say what of the place of page and url gets in the way."""
    if is_mixed_content(page, url):
        mixed_content(page, url, trail)
    # Local Network Access, 2.2: asked of the user when a page reaches into a network that is
    # closer to the browser than the page's own.
    if not page.opaque and _distance(url.origin) < _distance(page):
        text = (
            f"local network access: {url.origin} is on the user's own network, and Chromium asks "
            f"the user before it lets {page} in"
        )
        trail.caution("local-network-access", text)


def is_mixed_content(page: Origin, url: URL) -> bool:
    """Return True if browsers keep page, over https, from url, over plain http.

    Mixed Content, 4.4: this machine is as good as https.
    """
    return page.scheme == "https" and url.scheme == "http" and not is_trustworthy(url.origin)


def mixed_content(page: Origin, url: URL, trail: Trail) -> None:
    """Say that browsers keep page from url."""
    text = f"mixed content: {page} is https, and browsers fetch nothing from {url.origin}"
    trail.caution("mixed-content", text)


def kept_cookies(kept: Iterable[Kept], trail: Trail) -> None:
    """Say which cookies the browser has and does not send."""
    _tell(kept, "sent to another site", "sent: this engine keeps third-party cookies back", trail)


def refused_cookies(refused: Iterable[Kept], trail: Trail) -> None:
    """Say which cookies an answer sets and the browser does not take."""
    _tell(refused, "stored", "stored: this engine takes no third-party cookies", trail)


def _tell(cookies: Iterable[Kept], by_same_site: str, by_engine: str, trail: Trail) -> None:
    """What is not done with the cookies, in the words for each reason."""
    for cookie, why in cookies:
        same_site = cookie.same_site or "Lax, which it is by default"
        words = {
            "cookie-same-site": f"{by_same_site}: SameSite={same_site}; "
            "SameSite=None; Secure would let it",
            "third-party-cookies": f"{by_engine}; serve page and API under one site",
        }
        trail.caution(f"{why}:{cookie.name}", f"the cookie {cookie.name} is not {words[why]}")


def _distance(origin: Origin) -> int:
    """Local Network Access, 2.1: 0 for this machine, 1 for its network, 2 for the public one."""
    host = strip_final_dot(origin.host)
    if is_loopback(host):
        return 0
    # The host of another scheme, such as that of an app, is any text.
    if origin.scheme in HTTP_SCHEMES and is_ip_address(origin.host):
        return 2 if ip_address(origin.host.strip("[]")).is_global else 1
    return 1 if host.endswith(".local") else 2  # RFC 6762, 3
