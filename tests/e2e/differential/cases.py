"""A case: what a page asks for and what the servers answer; an observation: what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from corsguard import Policy

Lines = tuple[tuple[str, str], ...]
"""Header lines, in order, to the byte (as latin-1); a name may stand in several."""


class Sites(NamedTuple):
    """The origins of a run. In what a case says they stand as `{page}`, `{api}` and `{other}`."""

    page: str
    """Where the page is: http://localhost and a port."""
    api: str
    """Of another origin, but of the same site: http://localhost and another port."""
    other: str
    """Of another site: http://127.0.0.1 and a third port."""

    def fill(self, text: str) -> str:
        """Text with the origins of this run in it; `{api-host}` is one without its scheme."""
        for name, origin in zip(self._fields, self, strict=True):
            text = text.replace(f"{{{name}}}", origin)
            text = text.replace(f"{{{name}-host}}", origin.partition("://")[2])
        return text


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, as a script has it."""

    status: int = 200
    headers: Lines = ()
    body: str = "body"


@dataclass(frozen=True, slots=True)
class Hop:
    """What one URL answers: the first that is asked, or one that a redirect leads to.

    `Location` of a redirect is written with `{next}`, the URL of the next hop.
    """

    preflight: Reply | None = None
    """The answer to a preflight; None where the policy gives it."""
    actual: Reply = Reply()
    """The answer to the request; a policy adds its headers."""
    policy: Policy | None = None
    site: str = "api"
    """The name of the site that it is on."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a page asks for: the names, and the defaults, of the web's own fetch()."""

    method: str = "GET"
    headers: Lines = ()
    credentials: str = "same-origin"
    mode: str = "cors"
    redirect: str = "follow"
    body: str | None = None
    upload: bool = False
    """Sent by an XMLHttpRequest with a listener for the progress of its upload."""


@dataclass(frozen=True, slots=True)
class Case:
    """Requests to one URL, one after the other, and its answers."""

    requests: tuple[Request, ...]
    hops: tuple[Hop, ...]
    sandboxed: bool = False
    """Whether the page is in a sandboxed frame, whose origin is `null`."""
    why: str = ""
    """What the case was drawn for."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it arrived."""

    hop: int
    method: str
    headers: Lines
    """As they arrived, with lower-case names."""

    def header(self, name: str) -> str | None:
        """The value of the header of this lower-case name."""
        found = [value for each, value in self.headers if each == name]
        return ", ".join(found) if found else None

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and self.header("access-control-request-method") is not None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the script saw of one request."""

    outcome: str
    """`allowed`, `blocked`, `unsent` where the browser did not take the request, or `hung`."""
    type: str = ""
    """`basic`, `cors`, `opaque` or `opaqueredirect`; empty for an XMLHttpRequest."""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    """Those that the script may read, by lower-case name, sorted."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a browser did with a case: what its script saw of each request, and what arrived."""

    seen: tuple[Seen, ...]
    wire: tuple[Wire, ...] = field(repr=False)
    console: tuple[str, ...] = ()

    @property
    def preflights(self) -> tuple[Wire, ...]:
        return tuple(each for each in self.wire if each.is_preflight)
