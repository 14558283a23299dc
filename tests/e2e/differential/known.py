"""Cases in which the model and a browser once differed: what a failed run printed."""

from __future__ import annotations

from e2e.differential.cases import Case, Hop

from corsguard.browser.messages import Answer, Request
from corsguard.fetch import ALLOW_METHODS, ALLOW_ORIGIN

ORIGIN = (ALLOW_ORIGIN, "{page}")

KNOWN = [
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
]
