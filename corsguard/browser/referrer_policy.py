"""The referrer policy: what of the page a server is told (W3C, Referrer Policy)."""

from __future__ import annotations

from corsguard.browser.header_values import parse_list
from corsguard.browser.messages import Answer
from corsguard.browser.url import URL, is_trustworthy
from corsguard.origin import Origin

__all__ = ["DEFAULT_POLICY", "hides_origin", "policy_after", "referrer"]

DEFAULT_POLICY = "strict-origin-when-cross-origin"

_TO_LESS_SECURE = frozenset({"origin", "origin-when-cross-origin", "unsafe-url"})
_TO_SECURE = frozenset({"no-referrer-when-downgrade", "strict-origin", DEFAULT_POLICY})
_POLICIES = frozenset({"no-referrer", "same-origin", *_TO_LESS_SECURE, *_TO_SECURE})


def policy_after(answer: Answer, policy: str) -> str:
    """The policy after a redirect: the last one that it names, or policy (Referrer Policy, 8.2)."""
    names = [name.lower() for name in parse_list(answer, "Referrer-Policy") or ()]
    return next((name for name in reversed(names) if name in _POLICIES), policy)


def referrer(policy: str, page: Origin, url: URL) -> str | None:
    """The value of `Referer`, None for none (Referrer Policy, 8.3), of a page that is an origin."""
    hidden = (
        page.opaque
        or policy == "no-referrer"
        or (policy == "same-origin" and url.origin != page)
        or (policy in _TO_SECURE and is_trustworthy(page) and not is_trustworthy(url.origin))
    )
    return None if hidden else f"{page}/"


def hides_origin(policy: str, page: Origin, url: URL) -> bool:
    """Whether `Origin` is null where CORS has no use for it (Fetch, "append a request `Origin`
    header")."""
    if policy in _TO_SECURE:
        return page.scheme == "https" and url.scheme != "https"
    return policy == "no-referrer" or (policy == "same-origin" and url.origin != page)
