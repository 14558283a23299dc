"""A case: what a page asks for and what the servers answer; an observation: what came of it."""

from __future__ import annotations

from typing import NamedTuple

from corsguard import Policy
from corsguard.browser import EngineName
from corsguard.browser.messages import Answer, Request, Sent

FIRST = "{first}"
"""The URL of a case's first hop."""


class Sites(NamedTuple):
    """The origins of a run. In what a case says they stand as `{page}`, `{api}` and so on."""

    page: str
    """Where the page is: http://localhost and a port."""
    api: str
    """Of another origin, but of the same site: http://localhost and another port."""
    other: str
    """Of another site: http://127.0.0.1 and a third port."""
    closed: str
    """Where nothing answers."""


class Hop(NamedTuple):
    """The responses of one URL: the first of a case, or the target of a redirect.

    Header values may hold the names of the sites in braces, `{next}` for the URL of the next hop
    and `{next-with-userinfo}` for the same with a name and a password.
    """

    preflight: Answer | None = None
    """The answer to a preflight; None where the policy gives it."""
    actual: Answer = Answer(200)
    """The answer to the request; a policy adds its headers."""
    policy: Policy | None = None
    site: str = "api"
    """The name of the site that it is on."""


class Case(NamedTuple):
    """Requests, one after the other, mostly to one URL; and the answers."""

    requests: tuple[Request, ...]
    hops: tuple[Hop, ...]
    sandboxed: bool = False
    """Whether the page is in a sandboxed frame, whose origin is `null`."""
    strategy: str = ""
    """What it was drawn for."""


class Seen(NamedTuple):
    """The outcome of one request, as the script sees it."""

    outcome: str
    """`allowed`, `blocked`, or `hung` where nothing came for a long time."""
    type: str = ""
    """`basic`, `cors`, `opaque` or `opaqueredirect`; empty for an XMLHttpRequest."""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    """Those that the script may read, by lower-case name, sorted."""


class Wire(NamedTuple):
    """The parts of a request on the wire that concern CORS."""

    method: str
    url: str
    origin: str | None
    requested_method: str | None
    requested_headers: str | None
    authorization: str | None

    @classmethod
    def of(cls, sent: Sent) -> Wire:
        fields = {name.lower(): value for name, value in sent.headers}
        names = ("origin", *(f"access-control-request-{name}" for name in ("method", "headers")))
        values = [fields.get(name) for name in (*names, "authorization")]
        return cls(sent.method, sent.url, *values)

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and self.requested_method is not None


class Observation(NamedTuple):
    """A browser's behaviour in a case: the outcomes, and the requests that arrived."""

    engine: EngineName
    seen: tuple[Seen, ...]
    wire: tuple[Wire, ...]
    console: tuple[str, ...] = ()
    """What the browser said of it, where its console can be read."""

    @property
    def preflights(self) -> int:
        """Return the number of preflights that arrived."""
        return sum(wire.is_preflight for wire in self.wire)
