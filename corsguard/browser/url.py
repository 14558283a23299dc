"""URLs as a browser reads them: as much of the URL standard as a fetch needs."""

from __future__ import annotations

import re
from socket import inet_aton, inet_ntoa
from typing import NamedTuple
from urllib.parse import quote, unquote

from corsguard.origin import (
    DEFAULT_PORTS,
    Origin,
    OriginError,
    default_port_suffix,
    encode_host,
    is_ip_address,
    is_loopback,
)
from corsguard.policy.origin_fixes import fix_origin
from corsguard.public_suffix import find_registrable_domain

__all__ = [
    "HTTP_SCHEMES",
    "URL",
    "URLError",
    "add_scheme",
    "is_same_site",
    "is_trustworthy",
    "parse_page_origin",
    "strip_final_dot",
    "to_scalar_values",
]

HTTP_SCHEMES = DEFAULT_PORTS.keys()
_DOTTED = re.compile(r"(?P<scheme>[^:/]*)://(?P<host>[^:/]*)\.(?P<port>(?::[0-9]+)?)")
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"(?:(?P<userinfo>.*)@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?")
_SCHEMELESS = re.compile(
    r"(?P<authority>(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(?P<rest>[/?#].*)?", re.DOTALL
)
# URL standard, "path percent-encode set" and "special-query percent-encode set": what is left
# alone, the escapes that are there included.
_PATH_SAFE = "%/:@!$&'()*+,;=[]|\\-._~"
_QUERY_SAFE = "%/:@!$&()*+,;=[]|\\-._~?`{}^"
# "C0 control percent-encode set" and "fragment percent-encode set", likewise.
_OPAQUE_SAFE = "".join(map(chr, range(0x20, 0x7F)))
_FRAGMENT_SAFE = re.sub('[ "<>`]', "", _OPAQUE_SAFE)
_DOT = re.compile(r"(?i)\.|%2e")


class URLError(ValueError):
    """Text that is no URL, or none that can be fetched."""


class URL(NamedTuple):
    """A parsed URL; as a str, it is without its fragment."""

    scheme: str
    origin: Origin
    """Opaque where the scheme is not http or https."""
    target: str
    """The path and the query."""
    userinfo: str = ""
    fragment: str | None = None

    @classmethod
    def parse(cls, text: str, base: URL | None = None) -> URL:
        """The URL that text is, relative to base; raises URLError."""
        text = to_scalar_values(text).strip("".join(map(chr, range(0x21))))
        text = re.sub("[\t\n\r]", "", text)
        text, hash_sign, fragment = text.partition("#")
        escaped = quote(fragment, _FRAGMENT_SAFE) if hash_sign else None
        return cls._parse(text, base)._replace(fragment=escaped)

    @classmethod
    def _parse(cls, text: str, base: URL | None) -> URL:
        match = _SCHEME.match(text)
        scheme = match[1].lower() if match else ""
        if scheme and scheme not in HTTP_SCHEMES:
            path = quote(text.partition(":")[2], _OPAQUE_SAFE)
            return cls(scheme, Origin.parse("null"), path)
        # URL standard, "special scheme": a backslash is a slash, and slashes may be missing.
        head, mark, query = text.partition("?")
        head = head.replace("\\", "/")
        tail = f"?{quote(query, _QUERY_SAFE)}" if mark else ""
        path = head.partition(":")[2] if scheme else head
        if scheme and (base is None or scheme != base.scheme or path.startswith("//")):
            return _absolute(scheme, path.lstrip("/"), tail)
        if base is None or base.scheme not in HTTP_SCHEMES:
            raise URLError(f"{text!r} is not an absolute URL")
        if path.startswith("//"):
            return _absolute(base.scheme, path.lstrip("/"), tail)
        return base._replace(target=_joined(base, path, tail))

    @property
    def path(self) -> str:
        """The path as it goes over the wire."""
        return self.target.partition("?")[0]

    @property
    def authority(self) -> str:
        """The host and the port, as `Host` has them."""
        return self.origin.authority

    @property
    def port(self) -> int:
        """The port, the default one of the scheme included."""
        return DEFAULT_PORTS[self.scheme] if self.origin.port is None else self.origin.port

    def __str__(self) -> str:
        if self.origin.opaque:
            return f"{self.scheme}:{self.target}"
        userinfo = f"{self.userinfo}@" if self.userinfo else ""
        return f"{self.scheme}://{userinfo}{self.authority}{self.target}"

    @property
    def href(self) -> str:
        """The URL with its fragment."""
        return str(self) if self.fragment is None else f"{self}#{self.fragment}"


def to_scalar_values(text: str) -> str:
    """Text with U+FFFD for what is no character, as a browser takes a script's string (Web IDL,
    "scalar value string")."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def add_scheme(text: str) -> str | None:
    """The URL that text was meant to be, where a host begins it and no scheme; else None.

    A browser takes `localhost:8000/items` for a URL whose scheme is `localhost`.
    """
    match = _SCHEMELESS.fullmatch(text.strip())
    origin = fix_origin(match["authority"]) if match else None
    return f"{origin}{match['rest'] or ''}" if match and origin else None


def is_same_site(one: Origin, other: Origin) -> bool:
    """Whether two origins are of one site, scheme included (HTML, "same site")."""
    if one.opaque or other.opaque:
        return False
    return one.scheme == other.scheme and _site(one.host) == _site(other.host)


def parse_page_origin(text: str) -> Origin:
    """Return the origin of a page, as text serialises it; raises OriginError.

    A page from a file has an opaque origin (URL standard, "origin"), also where an engine
    serialises it as `file://`.
    """
    return Origin.parse("null") if text == "file://" else Origin.parse(text)


def strip_final_dot(host: str) -> str:
    """Return host without the dot that may end it, which DNS passes over and browsers do not."""
    return host.removesuffix(".")


def _site(host: str) -> str:
    if is_ip_address(host):
        return host
    # URL standard, "registrable domain": it ends in a dot where the host does.
    name = strip_final_dot(host)
    return find_registrable_domain(name) + host[len(name) :]


def is_trustworthy(origin: Origin) -> bool:
    """Whether nobody on the network can speak for it (Secure Contexts, 3.1)."""
    return origin.scheme in {"https", "wss"} or is_loopback(strip_final_dot(origin.host))


def _absolute(scheme: str, rest: str, query: str) -> URL:
    authority, _, path = rest.partition("/")
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not match["host"]:
        raise URLError(f"{authority!r} is not a host and a port")
    host = _ipv4(encode_host(unquote(match["host"])))
    digits = (match["port"] or "").lstrip("0") or (match["port"] and "0") or ""
    port = "" if f":{digits}" == default_port_suffix(scheme) or not digits else f":{digits}"
    try:
        # Port 0 can be written in a URL, and not in an Origin.
        origin = Origin.parse(f"{scheme}://{host}{'' if port == ':0' else port}")
    except OriginError as error:
        raise URLError(f"{authority!r} is not a host and a port: {error}") from None
    if port == ":0":
        origin = origin._replace(port=0)
    user, _, password = (match["userinfo"] or "").partition(":")
    # URL standard, "URL serializer": a password that is empty is not written, nor are both.
    userinfo = f"{user}:{password}" if password else user
    return URL(scheme, origin, _normalised(f"/{path}") + query, userinfo)


def _ipv4(host: str) -> str:
    """URL standard, "IPv4 parser": 127.1 and 0x7f000001 are spellings of 127.0.0.1."""
    bare = strip_final_dot(host)
    if host.startswith("[") or not is_ip_address(bare):
        return host
    try:
        return inet_ntoa(inet_aton(bare))
    except (OSError, ValueError):  # the latter for NUL
        return host  # which is no origin


def _joined(base: URL, path: str, query: str) -> str:
    if not path:
        return base.path + query if query else base.target
    if not path.startswith("/"):
        path = f"{base.path.rpartition('/')[0]}/{path}"
    return _normalised(path) + query


def _normalised(path: str) -> str:
    """The path without its dot segments, and with what can't be sent escaped."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for at, segment in enumerate(segments):
        dots = _DOT.sub(".", segment)
        if dots not in {".", ".."}:
            kept.append(segment)
            continue
        if dots == "..":
            del kept[-1:]
        if at == len(segments) - 1:
            kept.append("")
    return "/" + quote("/".join(kept), _PATH_SAFE)
