"""What a script asks for, what goes over the wire, and what the script gets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

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
"""Header fields in their order; of values, each character stands for one byte (ISO 8859-1)."""


class Request(NamedTuple):
    """What a script passes to `fetch()`, with the names and the defaults of that."""

    url: str
    """Absolute; or relative to the page, where that is an origin."""
    method: str = "GET"
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    body: bytes | str | None = None
    """A str is sent as UTF-8 with the Content-Type that a browser gives it."""
    credentials: Credentials = "same-origin"
    mode: Mode = "cors"
    redirect: Redirect = "follow"
    upload_listener: bool = False
    """Whether an XMLHttpRequest listens to the progress of its upload."""
    streamed: bool = False
    """Whether the body is a stream (`duplex: "half"`), which can't be sent a second time."""

    @property
    def fields(self) -> Fields:
        """The headers as fields."""
        given = self.headers
        return tuple(given.items() if isinstance(given, Mapping) else given)


class Sent(NamedTuple):
    """A request as it goes over the wire."""

    method: str
    url: str
    headers: Fields
    body: bytes | None = None


class Answer(NamedTuple):
    """A response as it comes over the wire."""

    status: int
    headers: Fields = ()
    body: bytes = b""


class Outcome(NamedTuple):
    """What came of calling an application."""

    answer: Answer | None
    """As far as it was sent; None where no response began."""
    error: BaseException | None = None
    """What the application raised. There is an answer or an error, or both."""


LARGEST_BODY = 67_108_864
"""Bytes of a body after which no more is taken of it."""


def late(seconds: float, why: str = "") -> TimeoutError:
    """Return the error that no response begins within so many seconds."""
    return TimeoutError(f"the application sent no response within {seconds:g} s{why}")


class SendError(Exception):
    """No answer came: why, in one line, and what would mend it."""

    def __init__(self, message: str, fix: str = "start the server, or mend the URL") -> None:
        super().__init__(message)
        self.fix = fix


Send = Callable[[Sent], Answer]
"""Sends a request and returns its answer without following redirects; raises SendError."""


class Headers(Mapping[str, str]):
    """Header fields by name in any case, several of one name joined as a script sees them."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            held = self._values.get(key)
            # Fetch, "get a header": 0x2C 0x20 between the values.
            self._values[key] = value if held is None else f"{held}, {value}"

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
    """Where the answer came from, without a fragment; empty where the script can't know."""
    status: int
    """0 where the script can't know."""
    headers: Headers
    """Only what the script may read."""
    body: bytes
    redirected: bool = False

    @classmethod
    def hidden(cls, type_: Literal["opaque", "opaqueredirect"], url: str = "") -> Response:
        """A response of which the script learns nothing but that there is one."""
        return cls(type_, url, 0, Headers(), b"")

    @property
    def ok(self) -> bool:
        """Whether status is one of success."""
        return 200 <= self.status <= 299

    @property
    def text(self) -> str:
        """The body as a script's `text()` reads it."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as a script's `json()` reads it. Raises ValueError where it is no JSON."""
        return json.loads(self.text)
