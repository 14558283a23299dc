"""The caveats of a request: browser features outside CORS that can break it all the same."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from corsguard.browser.cookie_jar import BlockedCookie
from corsguard.browser.site import is_trustworthy, strip_final_dot
from corsguard.browser.trace import Trace
from corsguard.browser.url import HTTP_SCHEMES, URL
from corsguard.origin import Origin, is_ip_address, is_loopback

__all__ = [
    "is_mixed_content",
    "report_mixed_content",
    "report_network_caveats",
    "report_refused_cookies",
    "report_unsent_cookies",
]


def report_network_caveats(page: Origin, url: URL, trace: Trace) -> None:
    """Add a caveat where the page's scheme or network may not reach that of url."""
    if is_mixed_content(page, url):
        report_mixed_content(page, url, trace)
    # Local Network Access, 2.2: the user is prompted when a page reaches into a network that is
    # closer to the browser than the page's own.
    if not page.opaque and _measure_distance(url.origin) < _measure_distance(page):
        text = (
            f"local network access: {url.origin} is on the user's own network, and Chromium asks "
            f"the user for permission before {page} may reach it"
        )
        trace.add_caveat("local-network-access", text)


def is_mixed_content(page: Origin, url: URL) -> bool:
    """Return True if browsers block a request of an https page to url, over plain http.

    Mixed Content, 4.4: loopback addresses are as trustworthy as https.
    """
    return page.scheme == "https" and url.scheme == "http" and not is_trustworthy(url.origin)


def report_mixed_content(page: Origin, url: URL, trace: Trace) -> None:
    """Add the caveat that browsers block the request to url as mixed content."""
    text = f"mixed content: {page} is https, and browsers block requests to {url.origin}"
    trace.add_caveat("mixed-content", text)


def report_unsent_cookies(cookies: Iterable[BlockedCookie], trace: Trace) -> None:
    """Add a caveat for each cookie that the browser has and does not send."""
    for blocked in cookies:
        action = f"send the cookie {blocked.cookie.name} to another site"
        _report_cookie(blocked, action, trace)


def report_refused_cookies(cookies: Iterable[BlockedCookie], trace: Trace) -> None:
    """Add a caveat for each cookie that a response sets and the browser does not store."""
    for blocked in cookies:
        _report_cookie(blocked, f"store the cookie {blocked.cookie.name}", trace)


def _report_cookie(blocked: BlockedCookie, action: str, trace: Trace) -> None:
    cookie, why = blocked
    same_site = f"SameSite={cookie.same_site}" if cookie.same_site else "SameSite=Lax by default"
    causes = {
        "cookie-same-site": f"{same_site}; set SameSite=None; Secure to allow it",
        "third-party-cookies": "this engine blocks third-party cookies; serve the page and the "
        "API from one site",
    }
    trace.add_caveat(f"{why}:{cookie.name}", f"the browser does not {action}: {causes[why]}")


def _measure_distance(origin: Origin) -> int:
    """Return 0 for this machine, 1 for its network, 2 for the public one.

    Local Network Access, 2.1.
    """
    host = strip_final_dot(origin.host)
    if is_loopback(host):
        return 0
    # The host of another scheme, such as that of an app, is any text.
    if origin.scheme in HTTP_SCHEMES and is_ip_address(origin.host):
        return 2 if ip_address(origin.host.strip("[]")).is_global else 1
    return 1 if host.endswith(".local") else 2  # RFC 6762, 3
