"""The options of the commands that send requests to a live server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from corsguard.browser.url import URL
from corsguard.cli.client import Limits
from corsguard.cli.terminal import fail

__all__ = ["INTERRUPTED", "ClientOptions", "parse_client_options"]

INTERRUPTED = 130
"""The exit code after Ctrl-C, by the convention of shells: 128 and the number of the signal."""
_MIN_SECONDS = 0.001
_MAX = 86_400  # of every limit: waiting for much longer is an OverflowError


class ClientOptions(NamedTuple):
    """The server to send requests to, and how."""

    url: str
    """The URL as a browser serialises it."""
    limits: Limits
    verify: bool | str
    """Whether certificates are checked, or the file with the certificates to trust."""


def parse_client_options(url: URL, options: Mapping[str, Any]) -> ClientOptions:
    """Return the options for the client. End the command where a limit is out of range.

    `url` is where requests go to. `options` are the parsed options of the command, name -> value.
    """
    limits = Limits(
        seconds=_parse_limit(options, "timeout"),
        per_second=_parse_limit(options, "rate"),
        requests=int(_parse_limit(options, "requests", 1)),
    )
    verify = not options["insecure"] and (options["ca"] or True)
    return ClientOptions(str(url), limits, verify)


def _parse_limit(options: Mapping[str, Any], name: str, lowest: float = _MIN_SECONDS) -> float:
    value: float = options[name]
    if not lowest <= value <= _MAX:  # false for NaN, too
        fail(f"--{name} {value:g} is not from {lowest} to {_MAX}")
    return value
