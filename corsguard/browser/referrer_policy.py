"""The referrer policy: how much of the page's URL a server receives (W3C, Referrer Policy)."""

from __future__ import annotations

from corsguard.browser.header_values import parse_list
from corsguard.browser.messages import Answer
from corsguard.browser.site import is_trustworthy
from corsguard.browser.url import URL
from corsguard.origin import Origin

__all__ = ["DEFAULT_POLICY", "determine_referrer", "hides_origin", "update_policy"]

DEFAULT_POLICY = "strict-origin-when-cross-origin"

_TO_LESS_SECURE = frozenset({"origin", "origin-when-cross-origin", "unsafe-url"})
_TO_SECURE = frozenset({"no-referrer-when-downgrade", "strict-origin", DEFAULT_POLICY})
_POLICIES = frozenset({"no-referrer", "same-origin", *_TO_LESS_SECURE, *_TO_SECURE})


def update_policy(answer: Answer, policy: str) -> str:
    """Return the last valid policy that a redirect names, else policy (Referrer Policy, 8.2)."""
    names = [name.lower() for name in parse_list(answer, "Referrer-Policy") or ()]
    return next((name for name in reversed(names) if name in _POLICIES), policy)


def determine_referrer(policy: str, page: Origin, url: URL) -> str | None:
    """Return the value of `Referer`, or None for a request without it (Referrer Policy, 8.3).

    The model knows the page's origin and not its path, so the value is never more than that.
    """
    hidden = (
        page.opaque
        or policy == "no-referrer"
        or (policy == "same-origin" and url.origin != page)
        or (policy in _TO_SECURE and is_trustworthy(page) and not is_trustworthy(url.origin))
    )
    return None if hidden else f"{page}/"


def hides_origin(policy: str, page: Origin, url: URL) -> bool:
    """Return True if the policy turns the `Origin` of a request outside CORS into "null".

    Fetch, "append a request `Origin` header".
    """
    if policy in _TO_SECURE:
        return page.scheme == "https" and url.scheme != "https"
    return policy == "no-referrer" or (policy == "same-origin" and url.origin != page)
