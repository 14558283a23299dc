"""The request headers that a browser adds by itself (Fetch, and Fetch Metadata)."""

from __future__ import annotations

from itertools import pairwise

from corsguard.browser.engine_quirks import EngineQuirks
from corsguard.browser.messages import Fields, Mode
from corsguard.browser.referrer_policy import determine_referrer, hides_origin
from corsguard.browser.request_constructor import FetchRequest
from corsguard.browser.site import is_same_site, is_trustworthy
from corsguard.origin import Origin

__all__ = [
    "build_request_headers",
    "choose_origin_header",
    "serialize_preflight_origin",
    "serialize_request_origin",
]


def build_request_headers(
    request: FetchRequest, page: Origin, origin: str | None, mode: Mode
) -> Fields:
    """Return Host, Origin, Referer and the Sec-Fetch fields of a request to its current URL.

    `origin` is the value of `Origin`, or None for a request without that header. `mode` is the
    value of `Sec-Fetch-Mode`, which is always `cors` for a preflight.
    """
    url = request.url
    fields = [("Host", url.authority)]
    if origin is not None:
        fields.append(("Origin", origin))
    if referrer := determine_referrer(request.referrer_policy, page, url):
        fields.append(("Referer", referrer))
    if is_trustworthy(url.origin):  # Fetch Metadata, 2: only to trustworthy URLs
        fields.append(("Sec-Fetch-Site", _find_fetch_site(request, page)))
        fields.append(("Sec-Fetch-Mode", mode))
        fields.append(("Sec-Fetch-Dest", "empty"))
    return tuple(fields)


def choose_origin_header(request: FetchRequest, page: Origin, engine: EngineQuirks) -> str | None:
    """Return the value of `Origin`, or None for a request without that header.

    Fetch, "append a request `Origin` header".
    """
    if request.tainting == "cors":
        return serialize_request_origin(request, page)
    if _has_safe_method(request, engine):
        return None
    if request.mode != "cors" and hides_origin(request.referrer_policy, page, request.url):
        return "null"
    return serialize_request_origin(request, page)


def serialize_request_origin(request: FetchRequest, page: Origin) -> str:
    """Return the page's origin, or "null" after redirects between two other origins.

    Fetch, "byte-serializing a request origin".
    """
    return "null" if _is_redirect_tainted(request, page) else str(page)


def serialize_preflight_origin(request: FetchRequest, page: Origin, engine: EngineQuirks) -> str:
    """Return the `Origin` of a preflight, which not every engine makes "null" after redirects."""
    return serialize_request_origin(request, page) if engine.taints_preflights else str(page)


def _has_safe_method(request: FetchRequest, engine: EngineQuirks) -> bool:
    """Return True if the method is one that sends no `Origin` outside CORS."""
    methods = {request.method}
    if not engine.drops_origin:
        methods.add(request.initial_method)
    return methods <= {"GET", "HEAD"}


def _is_redirect_tainted(request: FetchRequest, page: Origin) -> bool:
    """Return True if an origin other than the page's redirected to a third one.

    Fetch, "redirect-taint".
    """
    return any(
        after.origin != before.origin and before.origin != page
        for before, after in pairwise(request.urls)
    )


def _find_fetch_site(request: FetchRequest, page: Origin) -> str:
    """Return the value of `Sec-Fetch-Site` over all URLs so far (Fetch Metadata, 2.3)."""
    origins = [url.origin for url in request.urls]
    if all(origin == page and not origin.opaque for origin in origins):
        return "same-origin"
    if all(is_same_site(page, origin) for origin in origins):
        return "same-site"
    return "cross-site"
