"""Evidence beside a verdict: which layers of a live server respond, and what they do not expose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corsguard.browser import Answer, Exchange
from corsguard.browser.header_values import split_lines
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
    FORBIDDEN_RESPONSE_HEADERS,
    MAX_AGE,
)

__all__ = ["Evidence", "collect_evidence"]

# Header fields that name the software (RFC 9110, 7.6.3 and 10.2.4).
_SERVERS = ("Server", "Via")
# A response has one value of each.
_SINGLE = (ALLOW_ORIGIN, ALLOW_CREDENTIALS, MAX_AGE)
# Header fields for browsers and caches, which scripts do not need.
_NOT_NEEDED = FORBIDDEN_RESPONSE_HEADERS | frozenset(
    {
        "alt-svc",
        "connection",
        "content-encoding",
        "content-security-policy",
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "date",
        "keep-alive",
        "permissions-policy",
        "referrer-policy",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "vary",
        "via",
        "x-content-type-options",
        "x-frame-options",
    }
)


class Evidence(NamedTuple):
    """What the last response of a server shows beside the verdict."""

    server: tuple[str, ...] = ()
    """The lines of `Server` and `Via`, as they were sent."""
    layers: str = ""
    """A sentence if more than one layer sets CORS headers; empty if nothing shows that."""
    not_exposed: tuple[str, ...] = ()
    """The header fields that the server sends and the browser hides from the script."""

    @property
    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield (label, text) of each, for a terminal."""
        for line in self.server:
            yield "server", line
        if self.layers:
            yield "layers", self.layers
        if self.not_exposed:
            names = ", ".join(self.not_exposed)
            yield (
                "hidden",
                f"{names}: not exposed, so the script can't read it. List what the script needs in "
                f"{EXPOSE_HEADERS} (expose_headers of a policy)",
            )


def collect_evidence(exchange: Exchange) -> Evidence:
    """Return what the last response shows; empty where there is none."""
    answer = next((hop.answer for hop in reversed(exchange.hops) if hop.answer), None)
    if answer is None:
        return Evidence()
    server = tuple(f"{name}: {value}" for name in _SERVERS for value in split_lines(answer, name))
    return Evidence(
        server,
        "; ".join(_describe_repeated(answer)),
        tuple(dict.fromkeys(_list_not_exposed(exchange, answer))),
    )


def _describe_repeated(answer: Answer) -> Iterator[str]:
    for name in _SINGLE:
        sent = split_lines(answer, name)
        values = [value.strip() for line in sent for value in line.split(",")]
        # A layer may join the lines of the one behind it.
        if len(sent) > 1 or len(set(values)) < len(values):
            yield (
                f"two layers set CORS headers: {name} is sent {len(values)} times "
                f"({', '.join(values)}). Leave CORS to one of them: the proxy or the application"
            )


def _list_not_exposed(exchange: Exchange, answer: Answer) -> Iterator[str]:
    response = exchange.response
    if response is None or response.type != "cors":
        return
    for name, _ in answer.headers:
        key = name.lower()
        is_needed = key not in _NOT_NEEDED and not key.startswith("access-control-")
        if is_needed and name not in response.headers:
            yield name
