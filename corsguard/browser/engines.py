"""Where the engines do something else than the standard, or choose what it leaves open."""

from __future__ import annotations

from typing import Literal, NamedTuple

from corsguard.browser.exchange import EngineName
from corsguard.fetch import MAX_AGE_CAPS, MAX_AGE_LIMIT

__all__ = ["ENGINES", "Engine"]


class Engine(NamedTuple):
    """What one engine does."""

    max_age_cap: int
    """Seconds; the standard leaves it to the browser."""
    wildcard_covers_authorization: bool
    """Whether `Access-Control-Allow-Headers: *` lets `Authorization` pass. The standard says no
    (Fetch, "CORS non-wildcard request-header name")."""
    caches_invalid_max_age: bool
    """Whether an answer whose max-age can't be read is kept for 5 seconds, as one without is."""
    keeps_one_preflight: bool
    """Whether a newer answer to a preflight takes the place of all older ones for the same URL;
    the standard keeps each method and each header by itself."""
    caches_by_credentials: bool
    """Whether an answer with credentials holds for requests with credentials alone."""
    lax_by_default: bool
    """Whether a cookie without SameSite is kept from other sites (RFC 6265bis, 5.6.7)."""
    third_party_cookies: Literal["sent", "partitioned", "blocked"]
    """What becomes of the cookies of another site."""


ENGINES: dict[EngineName, Engine] = {
    "standard": Engine(
        max_age_cap=MAX_AGE_LIMIT,
        wildcard_covers_authorization=False,
        caches_invalid_max_age=True,
        keeps_one_preflight=False,
        caches_by_credentials=False,
        lax_by_default=True,
        third_party_cookies="sent",
    ),
    "chromium": Engine(
        max_age_cap=MAX_AGE_CAPS["Chromium"],
        wildcard_covers_authorization=True,
        caches_invalid_max_age=True,
        keeps_one_preflight=True,
        caches_by_credentials=False,
        lax_by_default=True,
        third_party_cookies="sent",
    ),
    "firefox": Engine(
        max_age_cap=MAX_AGE_CAPS["Firefox"],
        wildcard_covers_authorization=True,
        caches_invalid_max_age=False,
        keeps_one_preflight=False,
        caches_by_credentials=True,
        lax_by_default=False,
        third_party_cookies="partitioned",
    ),
    "webkit": Engine(
        max_age_cap=MAX_AGE_CAPS["WebKit"],
        wildcard_covers_authorization=True,
        caches_invalid_max_age=True,
        keeps_one_preflight=True,
        caches_by_credentials=False,
        lax_by_default=False,
        third_party_cookies="blocked",
    ),
}
