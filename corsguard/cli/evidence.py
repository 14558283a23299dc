"""What of a live server's answer explains a verdict: which layers answered, and what is hidden."""

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

__all__ = ["Evidence", "evidence_of"]

# Header fields that name who answered (RFC 9110, 7.6.3 and 10.2.4).
_SERVERS = ("Server", "Via")
# Of these a response has one value.
_SINGLE = (ALLOW_ORIGIN, ALLOW_CREDENTIALS, MAX_AGE)
# Header fields that are for the browser or for caches, and that no script misses.
_NOT_MISSED = FORBIDDEN_RESPONSE_HEADERS | frozenset(
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
    """What the last answer of a server shows besides the verdict."""

    server: tuple[str, ...] = ()
    """`Server` and `Via`, a line each, as they were sent."""
    layers: str = ""
    """That more than one layer answers, in words; empty where nothing shows that."""
    not_exposed: tuple[str, ...] = ()
    """The header fields that a script could miss: there, and kept from it."""

    @property
    def rows(self) -> Iterator[tuple[str, str]]:
        """A label and a text of each, for a terminal."""
        for line in self.server:
            yield "server", line
        if self.layers:
            yield "layers", self.layers
        if self.not_exposed:
            names = ", ".join(self.not_exposed)
            yield (
                "hidden",
                f"{names}: not exposed, so the script can't read it; what it needs belongs in "
                f"{EXPOSE_HEADERS} (a policy's expose_headers)",
            )


def evidence_of(exchange: Exchange) -> Evidence:
    """Return what the last answer shows; nothing where there was none."""
    answer = next((hop.answer for hop in reversed(exchange.hops) if hop.answer), None)
    if answer is None:
        return Evidence()
    server = tuple(f"{name}: {value}" for name in _SERVERS for value in split_lines(answer, name))
    return Evidence(
        server,
        "; ".join(_repeated(answer)),
        tuple(dict.fromkeys(_not_exposed(exchange, answer))),
    )


def _repeated(answer: Answer) -> Iterator[str]:
    for name in _SINGLE:
        sent = split_lines(answer, name)
        values = [value.strip() for line in sent for value in line.split(",")]
        # A layer may join the lines of the one behind it.
        if len(sent) > 1 or len(set(values)) < len(values):
            yield (
                f"two layers answer: {name} is sent {len(values)} times ({', '.join(values)}), "
                "such as by a proxy and by the application; leave CORS to one of them"
            )


def _not_exposed(exchange: Exchange, answer: Answer) -> Iterator[str]:
    response = exchange.response
    if response is None or response.type != "cors":
        return
    for name, _ in answer.headers:
        key = name.lower()
        is_missed = key not in _NOT_MISSED and not key.startswith("access-control-")
        if is_missed and name not in response.headers:
            yield name
