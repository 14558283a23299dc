"""The parts of the URL of an HTTPSource."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from corsguard.origin import DEFAULT_PORTS
from corsguard.sources.redaction import redact
from corsguard.sources.source import SourceError

__all__ = ["Target", "find_proxy", "parse_target"]


class Target(NamedTuple):
    """Where a request goes, and with which credentials."""

    url: str
    """Without credentials and fragment."""
    user_and_password: str
    """As Basic authentication has them, `USER:PASSWORD`, or empty."""
    origin: tuple[str, str, int]
    """Scheme, host and port."""

    @property
    def is_plain(self) -> bool:
        """True without TLS."""
        return self.origin[0] == "http"

    @property
    def is_loopback(self) -> bool:
        """True for a server on this host. `x.localhost` is not: a resolver may ask the network."""
        host = self.origin[1]
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def parse_target(url: str) -> Target:
    """Parse a URL of http or https. Raises SourceError, without the credentials, if it is none."""
    invalid = SourceError(f"{redact(url)} is not a valid URL of http or https")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise invalid from None
    if not host or parts.scheme not in DEFAULT_PORTS:
        raise invalid
    user_and_password = ""
    if parts.username is not None:
        user_and_password = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    netloc = parts.netloc.rpartition("@")[2]
    return Target(
        parts._replace(netloc=netloc, fragment="").geturl(),
        user_and_password,
        (parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port),
    )


def find_proxy(target: Target) -> str | None:
    """Return the URL of the proxy for a server, by the environment, or None."""
    scheme, host, port = target.origin
    if target.is_loopback or proxy_bypass(f"{host}:{port}"):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")
