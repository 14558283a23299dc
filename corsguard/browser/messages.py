"""Requests and responses, as a script sees them and as the network does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, cast

__all__ = [
    "Answer",
    "Credentials",
    "Fields",
    "Headers",
    "Mode",
    "Outcome",
    "Redirect",
    "Request",
    "Response",
    "Send",
    "SendError",
    "Sent",
]

Credentials = Literal["omit", "same-origin", "include"]
Mode = Literal["cors", "no-cors", "same-origin"]
Redirect = Literal["follow", "error", "manual"]
Fields = tuple[tuple[str, str], ...]
"""Header fields in their order. Each character of a value represents one byte (ISO 8859-1)."""


class Request(NamedTuple):
    """The arguments of `fetch()`, with the names and the defaults of the web's."""

    url: str
    """An absolute URL, or one relative to the page where that has an origin."""
    method: str = "GET"
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    body: bytes | str | None = None
    """A str is sent as UTF-8 with the Content-Type that a browser sets."""
    credentials: Credentials = "same-origin"
    mode: Mode = "cors"
    redirect: Redirect = "follow"
    upload_listener: bool = False
    """True for an XMLHttpRequest that listens to the progress of its upload."""
    streamed: bool = False
    """True for a body that is a stream (`duplex: "half"`), which can't be sent twice."""

    @property
    def fields(self) -> Fields:
        """The headers as (name, value) pairs."""
        headers = self.headers
        if isinstance(headers, Mapping):  # for a type checker, perhaps one whose keys are pairs
            return tuple(cast(Mapping[str, str], headers).items())
        return tuple(headers)


class Sent(NamedTuple):
    """A request as the browser sends it."""

    method: str
    url: str
    headers: Fields
    body: bytes | None = None


class Answer(NamedTuple):
    """A response as the server sends it."""

    status: int
    headers: Fields = ()
    body: bytes = b""


class Outcome(NamedTuple):
    """The result of a call to an application: a response, an error, or both."""

    answer: Answer | None
    """The response as far as it was sent; None where none began."""
    error: BaseException | None = None
    """The exception that the application raised, or None."""


MAX_BODY_BYTES = 67_108_864
"""The size from which the transport reads no further."""


def build_timeout_error(seconds: float, why: str = "") -> TimeoutError:
    """Return the error for a response that does not begin within seconds."""
    return TimeoutError(f"the application sent no response within {seconds:g} s{why}")


class SendError(Exception):
    """No response arrived. The message says why in one line, `fix` what to do."""

    def __init__(self, message: str, fix: str = "start the server, or fix the URL") -> None:
        super().__init__(message)
        self.fix = fix


Send = Callable[[Sent], Answer]
"""The network: sends a request and returns the response, redirects included. Raises SendError."""


class Headers(Mapping[str, str]):
    """Header fields by name in any case; several of one name are joined, as for a script."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            earlier = self._values.get(key)
            # Fetch, "get a header": 0x2C 0x20 between the values.
            self._values[key] = value if earlier is None else f"{earlier}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


class Response(NamedTuple):
    """A response as the script sees it (Fetch, "filtered response")."""

    type: Literal["basic", "cors", "opaque", "opaqueredirect"]
    url: str
    """The URL of the response without its fragment; empty where it is hidden."""
    status: int
    """0 where it is hidden."""
    headers: Headers
    """The headers that the script may read."""
    body: bytes
    redirected: bool = False

    @classmethod
    def hidden(cls, type_: Literal["opaque", "opaqueredirect"], url: str = "") -> Response:
        """Return a response that hides everything from the script but its type and url."""
        return cls(type_, url, 0, Headers(), b"")

    @property
    def ok(self) -> bool:
        """True if the status is 200 to 299."""
        return 200 <= self.status <= 299

    @property
    def text(self) -> str:
        """The body as a script's `text()` reads it."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Parse the body as a script's `json()` does. Raises ValueError."""
        return json.loads(self.text)
