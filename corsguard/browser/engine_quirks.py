"""The quirks of the engines: where they deviate from the standard, or choose what it leaves open.

Measured on Chromium 156, Firefox 153 and WebKitGTK 2.50.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from corsguard.browser.exchange import EngineName
from corsguard.fetch_spec import MAX_AGE_CAPS, MAX_AGE_LIMIT

__all__ = ["ENGINES", "EngineQuirks"]


class EngineQuirks(NamedTuple):
    """The behaviour of one engine; the defaults are the standard."""

    # Safelisted request headers (Fetch, "CORS-safelisted request-header").
    checks_lines_combined: bool = False
    """True if several lines of one header are joined before they are checked."""
    limits_safelisted_sum: bool = True
    """True if safelisted values of more than 1,024 bytes together are unsafe."""
    safelists_high_bytes: bool = True
    """True if Accept and Content-Type may contain bytes over 0x7F."""
    safelists_any_case_of_bytes: bool = False
    """True if `BYTES=0-1` is a safelisted Range."""
    largest_range: int | None = None
    """The largest number in a safelisted Range; None for no limit."""
    safelists_own_headers: bool = False
    """True if `User-Agent` and the engine's client hints are safelisted."""
    headers_in_utf8: bool = False
    """True if header values are encoded as UTF-8, False if byte by byte."""

    # Preflights.
    preflights_empty_uploads: bool = True
    """True if a listener forces a preflight for an upload without a body."""
    allows_upload_method: bool = True
    """True if a response without Allow-Methods allows the method of an upload."""
    lists_each_line: bool = False
    """True if a header with two lines is listed twice in Access-Control-Request-Headers."""
    wildcard_covers_authorization: bool = False
    """True if `Access-Control-Allow-Headers: *` covers `Authorization`, which the standard
    excludes (Fetch, "CORS non-wildcard request-header name")."""
    taints_preflights: bool = True
    """True if a preflight has `Origin: null` where the request has that after a redirect, False
    if it has the page's origin."""
    checks_same_origin_preflights: bool = True
    """True if the CORS check applies to a preflight at the page's own origin, to which a redirect
    led back."""
    repeats_preflights: bool = False
    """True if a request that needed a preflight at first repeats it after each redirect, its
    method and headers safelisted by then or not."""
    lists_removed_headers: bool = False
    """True if that preflight also lists the headers that the redirect removed."""

    # The preflight cache.
    max_age_cap: int = MAX_AGE_LIMIT
    """Seconds; the standard leaves the limit to the browser."""
    caches_invalid_max_age: bool = True
    """True if a response with an invalid max-age is cached for 5 seconds, as one without is."""
    caches_negative_max_age: bool = True
    """True if a negative max-age counts as an invalid one, False if as 0."""
    caches_for_null: bool = True
    """True if responses to `Origin: null` are cached."""
    caches_wildcards: bool = True
    """True if a cached `*` covers later requests."""
    caches_wildcards_of_credentials: bool = True
    """True if a `*` cached with credentials covers later requests without."""
    cached_wildcard_covers_authorization: bool = False
    """True if a cached `*` covers `Authorization`."""
    caches_refused: bool = False
    """True if a response is cached that allows the origin, but not the method or the headers."""
    looks_up_conditional: bool = True
    """True if a conditional request, such as one with `If-None-Match`, uses the cache."""
    keeps_uncovering_entries: bool = True
    """True if the entries of a URL stay cached when they do not cover a request."""
    replaces_older_preflights: bool = False
    """True if a new preflight replaces all earlier ones of the same URL; the standard caches each
    method and each header separately."""
    caches_by_credentials: bool = False
    """True if entries with credentials apply to requests with credentials only."""
    looks_up_upload_method: bool = True
    """True if the POST of an upload has to be among the cached methods, False if any entry
    suffices."""
    looks_up_head: bool = False
    """True if HEAD has to be among the cached methods."""
    keeps_entries_without_credentials: bool = True
    """True if entries without credentials stay when a request with them sends a preflight."""
    clears_cache_after: Literal["failed cors fetch", "failed preflighted fetch", "nothing"] = (
        "failed preflighted fetch"
    )
    """The failure that clears the entries of a URL (Fetch, "main fetch", 12)."""

    # Filtered responses.
    exposes_by_wildcard_before_failure: bool = False
    """True if `fetch()` respects a `*` in Access-Control-Expose-Headers before an invalid name;
    the standard then ignores the whole list."""

    # Redirects.
    follows_equal_locations: bool = False
    """True if several equal Location headers count as one."""
    empty_location: Literal["followed", "ignored", "refused"] = "followed"
    """The effect of a Location without a value."""
    follows_userinfo: bool = True
    """True if a redirect may add a user name where the standard allows it."""
    checks_redirects_as_included: bool = False
    """True if a redirect from the page's own origin to another one is checked again as if the
    credentials mode were `include`, where it is `same-origin`. A process that still has the
    initial credentials mode runs this second check, after the next preflight has passed."""
    removes_headers_for_good: bool = True
    """True if a header that one redirect removed stays away after the next one. False if each
    redirect starts from the script's headers, so that `Authorization` reaches the other origin."""
    keeps_delete: bool = True
    """True if DELETE stays DELETE after a redirect to another origin."""
    drops_origin: bool = True
    """True if a POST loses its `Origin` when a redirect changes it to a GET."""

    # Statuses and cookies.
    accepts_proxy_status: bool = True
    """True if a script may see the status 407."""
    lax_by_default: bool = True
    """True if a cookie without SameSite is treated as Lax (RFC 6265bis, 5.6.7)."""
    third_party_cookies: Literal["sent", "partitioned", "blocked"] = "sent"
    """The treatment of another site's cookies."""


ENGINES: dict[EngineName, EngineQuirks] = {
    "standard": EngineQuirks(),
    "chromium": EngineQuirks(
        checks_lines_combined=True,
        largest_range=2**63 - 1,
        safelists_own_headers=True,
        preflights_empty_uploads=False,
        allows_upload_method=False,
        wildcard_covers_authorization=True,
        max_age_cap=MAX_AGE_CAPS["Chromium"],
        caches_negative_max_age=False,
        caches_for_null=False,
        looks_up_conditional=False,
        caches_wildcards_of_credentials=False,
        keeps_uncovering_entries=False,
        replaces_older_preflights=True,
        looks_up_upload_method=False,
        clears_cache_after="nothing",
        follows_equal_locations=True,
        empty_location="ignored",
        follows_userinfo=False,
        accepts_proxy_status=False,
    ),
    "firefox": EngineQuirks(
        limits_safelisted_sum=False,
        safelists_high_bytes=False,
        largest_range=2**64 - 1,
        allows_upload_method=False,
        lists_each_line=True,
        taints_preflights=False,
        checks_same_origin_preflights=False,
        repeats_preflights=True,
        wildcard_covers_authorization=True,
        max_age_cap=MAX_AGE_CAPS["Firefox"],
        caches_negative_max_age=False,
        caches_invalid_max_age=False,
        caches_wildcards=False,
        looks_up_conditional=False,
        caches_by_credentials=True,
        looks_up_upload_method=False,
        looks_up_head=True,
        clears_cache_after="failed cors fetch",
        exposes_by_wildcard_before_failure=True,
        follows_equal_locations=True,
        removes_headers_for_good=False,
        lax_by_default=False,
        third_party_cookies="partitioned",
    ),
    "webkit": EngineQuirks(
        checks_lines_combined=True,
        safelists_any_case_of_bytes=True,
        largest_range=2**64 - 1,
        headers_in_utf8=True,
        allows_upload_method=False,
        repeats_preflights=True,
        lists_removed_headers=True,
        wildcard_covers_authorization=True,
        max_age_cap=MAX_AGE_CAPS["WebKit"],
        caches_negative_max_age=False,
        cached_wildcard_covers_authorization=True,
        caches_refused=True,
        replaces_older_preflights=True,
        looks_up_upload_method=False,
        keeps_entries_without_credentials=False,
        clears_cache_after="nothing",
        empty_location="refused",
        checks_redirects_as_included=True,
        keeps_delete=False,
        drops_origin=False,
        lax_by_default=False,
        third_party_cookies="blocked",
    ),
}
