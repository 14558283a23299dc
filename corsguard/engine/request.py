"""The request that a decision is made on, read from the shapes in which frameworks have it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from corsguard.engine.header_names import parse_names

__all__ = [
    "READ_NAMES",
    "CORSRequest",
    "Headers",
    "Methods",
    "RequestHeaders",
    "build_reader",
    "collect_fields",
    "read_path",
]

RequestHeaders = Mapping[str, str] | Callable[[str], str | None]
"""Header fields by name in any case, or a function: lower-case name -> value, None if absent."""

Headers = Iterable[tuple[bytes, bytes]]
"""Header fields as ASGI has them, the names in lower case."""

Methods = frozenset[str] | None
"""The methods of a URL that one policy applies to, where its views have others; None for all."""

READ_NAMES = frozenset(
    {
        "access-control-request-headers",
        "access-control-request-method",
        "cookie",
        "forwarded",
        "host",
        "origin",
        "sec-fetch-mode",
        "sec-fetch-site",
        "upgrade",
        "x-forwarded-host",
    }
)
"""Lower-case names of the request fields that corsguard reads: adapters collect no others."""

_READ_NAMES = frozenset(name.encode() for name in READ_NAMES)


class CORSRequest(NamedTuple):
    """What a decision depends on. Every value is as it was sent: neither checked nor escaped.

    Several lines of one field are joined with a comma (RFC 9110, 5.3). None stands for a field that
    was not sent.
    """

    path: str
    """The path as the application's router sees it, decoded once."""
    origin: str | None
    method: str
    requested_method: str | None = None
    """`Access-Control-Request-Method`."""
    requested_headers: str | None = None
    """`Access-Control-Request-Headers`."""
    has_cookie: bool | None = None
    """True if the request carries a cookie; None if that is not known."""
    fetch_site: str | None = None
    """`Sec-Fetch-Site`."""
    fetch_mode: str | None = None
    """`Sec-Fetch-Mode`."""
    host: str | None = None
    upgrade: str | None = None
    forwarded: str | None = None
    """`Forwarded`. No decision depends on it: the log says what a proxy does to `Host`."""
    forwarded_host: str | None = None
    """`X-Forwarded-Host`, for the log as well."""
    route: str | None = None
    """The route prefix, or the name of the view, whose policy applies; None if there is none."""

    @property
    def is_preflight(self) -> bool:
        """True for `OPTIONS` with `Origin` and `Access-Control-Request-Method`.

        These three and nothing else (Fetch, "CORS-preflight request").
        """
        return (
            self.method == "OPTIONS"
            and self.origin is not None
            and self.requested_method is not None
        )

    @property
    def is_websocket(self) -> bool:
        """True for a WebSocket handshake (RFC 6455, 4.1), which browsers send no preflight for."""
        return (
            self.method == "GET"
            and self.upgrade is not None
            and "websocket" in (parse_names(self.upgrade) or ())
        )

    def limit_to_preflight(self) -> CORSRequest:
        """Return what a preflight and the request that it is sent for have in common.

        These are the origin, the host, the path, and the method: for a preflight, the requested
        one. Every other attribute is None, so that no predicate depends on what a preflight lacks.
        """
        method = self.requested_method if self.is_preflight else self.method
        return CORSRequest(self.path, self.origin, method or "", host=self.host)

    def with_route(self, route: str | None) -> CORSRequest:
        """Return the request with the route, or the view, whose policy applies."""
        return self if route == self.route else self._replace(route=route)

    @classmethod
    def from_headers(
        cls,
        path: str,
        origin: str | None,
        method: str,
        headers: RequestHeaders,
        has_cookie: bool | None = None,
    ) -> CORSRequest:
        """Build a request from its header fields; see RequestHeaders for their shape."""
        read = build_reader(headers)
        return cls(
            path,
            origin,
            method,
            read("access-control-request-method"),
            read("access-control-request-headers"),
            has_cookie,
            read("sec-fetch-site"),
            read("sec-fetch-mode"),
            read("host"),
            read("upgrade"),
            _read_optional(read, "forwarded"),
            _read_optional(read, "x-forwarded-host"),
        )

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, Any], path: str | None = None, method: str | None = None
    ) -> CORSRequest:
        """Build a request from a WSGI environ (PEP 3333), or from the META of Django.

        `path` and `method` are given where the framework knows better than the environ.
        """
        get = environ.get
        return cls(
            read_path(environ) if path is None else path,
            get("HTTP_ORIGIN"),
            environ["REQUEST_METHOD"] if method is None else method,
            get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"),
            get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS"),
            bool(get("HTTP_COOKIE")),
            get("HTTP_SEC_FETCH_SITE"),
            get("HTTP_SEC_FETCH_MODE"),
            get("HTTP_HOST"),
            get("HTTP_UPGRADE"),
            get("HTTP_FORWARDED"),
            get("HTTP_X_FORWARDED_HOST"),
        )


def build_reader(headers: RequestHeaders) -> Callable[[str], str | None]:
    """Return a function from the lower-case name of a field to its value, None if absent."""
    if callable(headers):
        read: Callable[..., Any] = headers  # for a type checker, perhaps a mapping as well
        return read
    return {name.lower(): value for name, value in headers.items()}.get


def collect_fields(headers: Headers) -> dict[bytes, bytes]:
    """Return the fields of an ASGI request by name: at least all that decisions depend on.

    Several lines of one name are joined with a comma (RFC 9110, 5.3): once, and only of the names
    that anyone reads, so that the cost grows no faster than the request.
    """
    lines = [*headers]
    table = dict(lines)
    if len(table) == len(lines):
        return table
    values: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        if name in _READ_NAMES:
            values.setdefault(name, []).append(value)
    return {name: b",".join(several) for name, several in values.items()}


def _read_optional(read: Callable[[str], str | None], name: str) -> str | None:
    try:
        return read(name)
    except LookupError:  # an adapter need not read what only the log shows
        return None


def read_path(environ: Mapping[str, Any]) -> str:
    """Return the path that an application's router sees: PEP 3333 passes its bytes as latin-1.

    A character that is no byte breaks PEP 3333. It becomes `?`, which no route prefix contains.
    """
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")
