"""Where the engines do something else than the standard, or choose what it leaves open.

Measured on Chromium 156, Firefox 153 and WebKitGTK 2.50.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from corsguard.browser.exchange import EngineName
from corsguard.fetch_spec import MAX_AGE_CAPS, MAX_AGE_LIMIT

__all__ = ["ENGINES", "Traits"]


class Traits(NamedTuple):
    """What one engine does; the defaults are the standard."""

    # What a script may set without a preflight (Fetch, "CORS-safelisted request-header").
    checks_lines_combined: bool = False
    """Whether several lines of one header are checked as the one that they make together."""
    limits_safelisted_sum: bool = True
    """Whether safelisted values of over 1,024 bytes together are unsafe."""
    safelists_high_bytes: bool = True
    """Whether Accept and Content-Type may hold bytes over 0x7F."""
    safelists_any_case_of_bytes: bool = False
    """Whether `BYTES=0-1` is a safelisted Range."""
    largest_range: int | None = None
    """The largest number in a safelisted Range; None for any."""
    safelists_own_headers: bool = False
    """Whether `User-Agent` and the client hints that it sends by itself need no preflight."""
    headers_in_utf8: bool = False
    """Whether header values are read and written as UTF-8, and not byte by byte."""

    # Preflights.
    preflights_empty_uploads: bool = True
    """Whether a listener to an upload that has no body makes a preflight."""
    allows_uploaded_method: bool = True
    """Whether the method of an upload is allowed when the answer has no Allow-Methods."""
    asks_for_each_line: bool = False
    """Whether a header that is given twice is asked for twice."""
    wildcard_covers_authorization: bool = False
    """Whether `Access-Control-Allow-Headers: *` lets `Authorization` pass. The standard says no
    (Fetch, "CORS non-wildcard request-header name")."""
    taints_preflights: bool = True
    """Whether a preflight has `Origin: null` where the request has that after a redirect, or the
    page's origin."""
    checks_preflights_at_home: bool = True
    """Whether the answer to a preflight has to pass the CORS check where it comes from the page's
    own origin, to which a redirect led back."""
    preflights_again: bool = False
    """Whether a request that had, or without a redirect would have had, a preflight has one
    after each redirect, its method and headers safelisted by now or not."""
    asks_for_dropped_headers: bool = False
    """Whether that preflight asks for the headers too that the redirect dropped."""

    # The preflight cache.
    max_age_cap: int = MAX_AGE_LIMIT
    """Seconds; the standard leaves it to the browser."""
    caches_invalid_max_age: bool = True
    """Whether an answer whose max-age can't be read is kept for 5 seconds, as one without is."""
    caches_negative_max_age: bool = True
    """Whether a negative max-age, which can't be read, is kept too."""
    caches_for_null: bool = True
    """Whether answers to `Origin: null` are kept."""
    caches_wildcards: bool = True
    """Whether a `*` that is kept covers what is asked later."""
    caches_wildcards_of_credentials: bool = True
    """Whether it does so for a request without credentials where it was sent to one with them."""
    cached_wildcard_covers_authorization: bool = False
    caches_refused: bool = False
    """Whether an answer is kept that allows the origin, and not the method or the headers."""
    looks_up_conditional: bool = True
    """Whether a conditional request, such as one with `If-None-Match`, may use what is kept."""
    keeps_what_does_not_cover: bool = True
    """Whether what is kept for a URL stays when it is looked up and does not cover the request."""
    keeps_one_preflight: bool = False
    """Whether a newer answer to a preflight takes the place of all older ones for the same URL;
    the standard keeps each method and each header by itself."""
    caches_by_credentials: bool = False
    """Whether an answer with credentials holds for requests with credentials alone."""
    looks_up_uploaded_method: bool = True
    """Whether an upload's POST has to be among the methods that are kept; or any answer will do."""
    looks_up_head: bool = False
    """Whether HEAD has to be among them."""
    keeps_without_credentials: bool = True
    """Whether an answer without credentials stays when a request with them asks again."""
    clears_cache_after: Literal["failed cors fetch", "failed preflighted fetch", "nothing"] = (
        "failed preflighted fetch"
    )
    """When what is kept for a URL is dropped (Fetch, "main fetch", 12)."""

    # What a script may read.
    exposes_by_wildcard_before_failure: bool = False
    """Whether a `*` in Access-Control-Expose-Headers counts for `fetch()` that stands before what
    is no name; the standard then takes nothing of the list."""

    # Redirects.
    follows_equal_locations: bool = False
    """Whether several equal lines of Location count as one."""
    empty_location: Literal["followed", "ignored", "refused"] = "followed"
    follows_userinfo: bool = True
    """Whether a redirect may add a user name where the standard lets it."""
    checks_redirects_as_included: bool = False
    """Whether a request with credentials `same-origin` that began on the page's own origin counts
    as one with `include` where another origin redirects it. The answer that redirects is checked
    a second time, by a process that still has the credentials of the start, and only after the
    next preflight has passed."""
    drops_headers_for_good: bool = True
    """Whether a header that a redirect dropped stays away after the next one; or each redirect
    starts from the headers of the script, so that `Authorization` goes to the other origin."""
    keeps_delete: bool = True
    """Whether DELETE stays DELETE when it is redirected to another origin."""
    drops_origin: bool = True
    """Whether the `Origin` of a POST is gone when a redirect made it a GET."""

    # The rest.
    takes_proxy_status: bool = True
    """Whether a script may see the status 407."""
    lax_by_default: bool = True
    """Whether a cookie without SameSite is kept from other sites (RFC 6265bis, 5.6.7)."""
    third_party_cookies: Literal["sent", "partitioned", "blocked"] = "sent"
    """What becomes of the cookies of another site."""


ENGINES: dict[EngineName, Traits] = {
    "standard": Traits(),
    "chromium": Traits(
        checks_lines_combined=True,
        largest_range=2**63 - 1,
        safelists_own_headers=True,
        preflights_empty_uploads=False,
        allows_uploaded_method=False,
        wildcard_covers_authorization=True,
        max_age_cap=MAX_AGE_CAPS["Chromium"],
        caches_negative_max_age=False,
        caches_for_null=False,
        looks_up_conditional=False,
        caches_wildcards_of_credentials=False,
        keeps_what_does_not_cover=False,
        keeps_one_preflight=True,
        looks_up_uploaded_method=False,
        clears_cache_after="nothing",
        follows_equal_locations=True,
        empty_location="ignored",
        follows_userinfo=False,
        takes_proxy_status=False,
    ),
    "firefox": Traits(
        limits_safelisted_sum=False,
        safelists_high_bytes=False,
        largest_range=2**64 - 1,
        allows_uploaded_method=False,
        asks_for_each_line=True,
        taints_preflights=False,
        checks_preflights_at_home=False,
        preflights_again=True,
        wildcard_covers_authorization=True,
        max_age_cap=MAX_AGE_CAPS["Firefox"],
        caches_negative_max_age=False,
        caches_invalid_max_age=False,
        caches_wildcards=False,
        looks_up_conditional=False,
        caches_by_credentials=True,
        looks_up_uploaded_method=False,
        looks_up_head=True,
        clears_cache_after="failed cors fetch",
        exposes_by_wildcard_before_failure=True,
        follows_equal_locations=True,
        drops_headers_for_good=False,
        lax_by_default=False,
        third_party_cookies="partitioned",
    ),
    "webkit": Traits(
        checks_lines_combined=True,
        safelists_any_case_of_bytes=True,
        largest_range=2**64 - 1,
        headers_in_utf8=True,
        allows_uploaded_method=False,
        preflights_again=True,
        asks_for_dropped_headers=True,
        wildcard_covers_authorization=True,
        max_age_cap=MAX_AGE_CAPS["WebKit"],
        caches_negative_max_age=False,
        cached_wildcard_covers_authorization=True,
        caches_refused=True,
        keeps_one_preflight=True,
        looks_up_uploaded_method=False,
        keeps_without_credentials=False,
        clears_cache_after="nothing",
        empty_location="refused",
        checks_redirects_as_included=True,
        keeps_delete=False,
        drops_origin=False,
        lax_by_default=False,
        third_party_cookies="blocked",
    ),
}
