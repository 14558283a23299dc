"""Cases in which the model and a browser once differed: what a failed run printed."""

from __future__ import annotations

from support.e2e.differential.cases import Case, Hop
from support.e2e.differential.requests import CREDENTIALS

from corsguard.browser.messages import Answer, Request
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
)

ORIGIN = (ALLOW_ORIGIN, "{page}")
ALLOWED = (ALLOW_CREDENTIALS, "true")

IF_MATCH = (("If-Match", "1"),)
DROPPED = (("Authorization", "Bearer x"), ("Content-Type", "application/json"))
ANYTHING = Answer(
    204, (ORIGIN, (ALLOW_METHODS, "PUT"), (ALLOW_HEADERS, "Authorization, Content-Type"))
)


def redirect_hop(site: str, status: int = 307) -> Hop:
    """Build a hop that any page may read, and that redirects to the next one."""
    return Hop(ANYTHING, Answer(status, (ORIGIN, ("Location", "{next}"))), site=site)


REGRESSIONS = [
    # WebKit keeps the answer to a preflight that refused what was asked.
    Case(
        (Request("{first}", "patch"), Request("{first}", "PUT")),
        (Hop(Answer(204, (ORIGIN, (ALLOW_METHODS, "PUT"))), Answer(200, (ORIGIN,))),),
    ),
    # After a redirect between two sites, Firefox sends a preflight in the page's name.
    Case(
        (Request("{first}", "PUT"),),
        (
            Hop(
                Answer(204, (ORIGIN, (ALLOW_METHODS, "PUT"))),
                Answer(307, (ORIGIN, ("Location", "{next}"))),
            ),
            Hop(
                Answer(204, ((ALLOW_ORIGIN, "*"), (ALLOW_METHODS, "PUT"))),
                Answer(200, ((ALLOW_ORIGIN, "*"),)),
                site="other",
            ),
        ),
    ),
    # Chromium tells an XMLHttpRequest by its name in the console.
    Case((Request("{first}", "POST", body="text", upload_listener=True),), (Hop(),)),
    # A preflight that is redirected nowhere has a wrong status, and passes the CORS check before.
    *(
        Case((Request("{first}", "PUT"),), (Hop(Answer(307, fields), Answer(200, (ORIGIN,))),))
        for fields in [(ORIGIN,), (), (ORIGIN, ("Location", ""))]
    ),
    # Firefox forgets what it keeps for a URL when a request that had no preflight is refused.
    Case(
        (
            Request("{first}", "PUT"),
            Request("{first}", credentials="include"),
            Request("{first}", "PUT"),
        ),
        (Hop(Answer(204, (ORIGIN, (ALLOW_METHODS, "PUT"))), Answer(200, (ORIGIN,))),),
    ),
    # Chromium drops what it keeps where that does not cover a request, but does not look for a
    # conditional one.
    *(
        Case(
            (Request("{first}", "PUT"), other, Request("{first}", "PUT")),
            (Hop(Answer(204, (ORIGIN, (ALLOW_METHODS, "PUT"))), Answer(200, (ORIGIN,))),),
        )
        for other in (Request("{first}", "DELETE", IF_MATCH), Request("{first}", "DELETE"))
    ),
    # In Firefox, a `*` before an invalid name exposes everything to `fetch()`.
    *(
        Case(
            (
                Request("{first}", credentials=credentials),
                Request("{first}", "POST", upload_listener=True, credentials=credentials),
            ),
            (
                Hop(
                    actual=Answer(200, (ORIGIN, ALLOWED, (EXPOSE_HEADERS, exposed), ("X-One", "1")))
                ),
            ),
        )
        for exposed in ("*, X-One;", "X-One;, *", "X-One, X-Two;", "X-Two, *, ;")
        for credentials in CREDENTIALS
    ),
    # Firefox sends what one redirect dropped again after the next one.
    Case(
        (Request("{first}", "POST", DROPPED, "{}"),),
        (
            redirect_hop("page", 303),
            redirect_hop("other", 302),
            redirect_hop("other", 307),
            Hop(ANYTHING, Answer(200, (ORIGIN,)), site="other"),
        ),
    ),
    # WebKit checks a redirect away from the page's own origin as if it had credentials, and
    # sends the next preflight before it does.
    *(
        Case(
            (Request("{first}", method, credentials=credentials),),
            (redirect_hop("page"), redirect_hop("api"), Hop(ANYTHING, Answer(200, (ORIGIN,)))),
        )
        for method in ("GET", "PUT")
        for credentials in CREDENTIALS
    ),
]
