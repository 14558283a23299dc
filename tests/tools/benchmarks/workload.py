"""The requests that every stack gets, and the one policy that it applies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

from corsguard import Policy

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
HEADERS = ("Content-Type", "Authorization")
EXPOSED = "X-Total-Count"
MAX_AGE = 600
OWN = "https://api.example.com"
"""The origin of the service itself."""
UNTRUSTED = "https://untrusted.example"

_BODY = BytesIO()
_BROWSER = {
    "Host": "api.example.com",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "application/json",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "https://app.example.com/",
    "Connection": "keep-alive",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
}


class PageRequest(NamedTuple):
    """One request of a browser: where its page is from, and whether it is a preflight."""

    origin: str | None
    preflight: bool = False
    method: str = "GET"

    def fields(self) -> dict[str, str]:
        """Return the header fields of the request, as a browser sends them."""
        fields = dict(_BROWSER)
        if self.origin is None:
            return {**fields, "Sec-Fetch-Site": "same-origin", "Cookie": "session=8c1f"}
        site = "same-origin" if self.origin == OWN else "cross-site"
        fields |= {"Origin": self.origin, "Sec-Fetch-Site": site}
        if not self.preflight:
            return {**fields, "Cookie": "session=8c1f"}
        return {
            **fields,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,content-type",
        }

    def environs(self, count: int) -> list[dict[str, Any]]:
        """As many WSGI environs, no string shared: a server reads each from the wire, so none has
        been hashed before."""
        method = "OPTIONS" if self.preflight else self.method
        fields = [
            (f"HTTP_{name.upper().replace('-', '_')}", value.encode())
            for name, value in self.fields().items()
        ]
        return [
            {
                "REQUEST_METHOD": method,
                "SCRIPT_NAME": "",
                "PATH_INFO": "/items",
                "QUERY_STRING": "",
                "SERVER_NAME": "api.example.com",
                "SERVER_PORT": "443",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "192.0.2.1",
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "https",
                "wsgi.input": _BODY,
                "wsgi.errors": None,
                "wsgi.multithread": True,
                "wsgi.multiprocess": True,
                "wsgi.run_once": False,
                **{key: value.decode() for key, value in fields},
            }
            for _ in range(count)
        ]

    def scopes(self, count: int) -> list[dict[str, Any]]:
        """Return so many ASGI scopes, likewise."""
        method = "OPTIONS" if self.preflight else self.method
        fields = [(name.lower(), value) for name, value in self.fields().items()]
        return [
            {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.4"},
                "http_version": "1.1",
                "method": method,
                "scheme": "https",
                "path": "/items",
                "raw_path": b"/items",
                "query_string": b"",
                "root_path": "",
                "headers": [(name.encode(), value.encode()) for name, value in fields],
                "client": ("192.0.2.1", 50_000),
                "server": ("192.0.2.2", 443),
            }
            for _ in range(count)
        ]


class Origins(NamedTuple):
    """The entries of a policy: so many origins, or so many patterns of subdomains."""

    size: int
    subdomains: bool = False

    @property
    def listed(self) -> list[str]:
        """Return the entries as corsguard writes them."""
        wild = "*." if self.subdomains else ""
        return [f"https://{wild}app{number}.example.com" for number in range(self.size)]

    @property
    def regexes(self) -> list[str]:
        """Return the subdomain patterns for peers that take only regular expressions."""
        return [
            rf"^https://([a-z0-9-]+\.)+app{number}\.example\.com$" for number in range(self.size)
        ]

    @property
    def last(self) -> str:
        """Return an origin that the last entry allows."""
        return f"https://{'www.' if self.subdomains else ''}app{self.size - 1}.example.com"

    @property
    def policy(self) -> Policy:
        """Return the policy that lists them, always the same object."""
        return _build_policy_once(self)


def build_policy(origins: Sequence[str]) -> Policy:
    """Build the policy of every stack: credentials, six methods, two headers, one exposed."""
    return Policy(
        allow_origins=origins,
        allow_credentials=True,
        allow_methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=[EXPOSED],
        max_age=MAX_AGE,
    )


@cache
def _build_policy_once(origins: Origins) -> Policy:
    return build_policy(origins.listed)


TEN = Origins(10)
REQUESTS = {
    "no Origin": PageRequest(None),
    "allowed": PageRequest(TEN.last),
    "refused": PageRequest(UNTRUSTED),
    "preflight": PageRequest(TEN.last, preflight=True),
    "preflight refused": PageRequest(UNTRUSTED, preflight=True),
    "POST, same origin": PageRequest(OWN, method="POST"),
    "POST, allowed": PageRequest(TEN.last, method="POST"),
}
