"""URLs as a browser parses them: the parts of the URL standard that a fetch needs."""

from __future__ import annotations

import re
from socket import inet_aton, inet_ntoa
from typing import NamedTuple
from urllib.parse import quote, unquote

from corsguard.browser.site import strip_final_dot
from corsguard.origin import (
    DEFAULT_PORTS,
    Origin,
    OriginError,
    default_port_suffix,
    encode_host,
    is_ip_address,
)
from corsguard.policy.origin_fixes import fix_origin

__all__ = [
    "HTTP_SCHEMES",
    "URL",
    "URLError",
    "add_scheme",
    "parse_page_origin",
    "to_scalar_values",
]

HTTP_SCHEMES = DEFAULT_PORTS.keys()
_SCHEME = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"(?:(?P<userinfo>.*)@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?")
_SCHEMELESS = re.compile(
    r"(?P<authority>(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(?P<rest>[/?#].*)?", re.DOTALL
)
# URL standard, "path percent-encode set" and "special-query percent-encode set": the characters
# that are not escaped. "%" is one of them, so existing escapes stay.
_PATH_SAFE = "%/:@!$&'()*+,;=[]|\\-._~"
_QUERY_SAFE = "%/:@!$&()*+,;=[]|\\-._~?`{}^"
# "C0 control percent-encode set" and "fragment percent-encode set", in the same way.
_OPAQUE_SAFE = "".join(map(chr, range(0x20, 0x7F)))
_FRAGMENT_SAFE = re.sub('[ "<>`]', "", _OPAQUE_SAFE)
_DOT = re.compile(r"(?i)\.|%2e")


class URLError(ValueError):
    """Text that is not a valid URL, or not one that can be fetched."""


class URL(NamedTuple):
    """A parsed URL. Its str has no fragment; `href` has."""

    scheme: str
    origin: Origin
    """Opaque where the scheme is not http or https."""
    target: str
    """The path and the query."""
    userinfo: str = ""
    fragment: str | None = None

    @classmethod
    def parse(cls, text: str, base: URL | None = None) -> URL:
        """Parse text, relative to base where that is given. Raises URLError."""
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
            return _parse_absolute(scheme, path.lstrip("/"), tail)
        if base is None or base.scheme not in HTTP_SCHEMES:
            raise URLError(f"{text!r} is not an absolute URL")
        if path.startswith("//"):
            return _parse_absolute(base.scheme, path.lstrip("/"), tail)
        return base._replace(target=_join_path(base, path, tail))

    @property
    def path(self) -> str:
        """The path as a request line has it."""
        return self.target.partition("?")[0]

    @property
    def authority(self) -> str:
        """The host and the port, as `Host` has them."""
        return self.origin.authority

    @property
    def port(self) -> int:
        """The port, or the scheme's default port."""
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
    """Replace lone surrogates by U+FFFD, as a browser does (Web IDL, "scalar value string")."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def add_scheme(text: str) -> str | None:
    """Return the URL that text probably means if it begins with a host, else None.

    A browser parses `localhost:8000/items` as a URL with the scheme `localhost`.
    """
    match = _SCHEMELESS.fullmatch(text.strip())
    origin = fix_origin(match["authority"]) if match else None
    return f"{origin}{match['rest'] or ''}" if match and origin else None


def parse_page_origin(text: str) -> Origin:
    """Parse the serialised origin of a page. Raises OriginError.

    The origin of a `file:` page is opaque (URL standard, "origin"). Some engines serialise it as
    `file://` all the same.
    """
    return Origin.parse("null") if text == "file://" else Origin.parse(text)


def _parse_absolute(scheme: str, rest: str, query: str) -> URL:
    authority, _, path = rest.partition("/")
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not match["host"]:
        raise URLError(f"{authority!r} is not a host and a port")
    host = _normalize_ipv4(encode_host(unquote(match["host"])))
    digits = (match["port"] or "").lstrip("0") or (match["port"] and "0") or ""
    port = "" if f":{digits}" == default_port_suffix(scheme) or not digits else f":{digits}"
    try:
        # A URL may have port 0, and Origin.parse refuses it.
        origin = Origin.parse(f"{scheme}://{host}{'' if port == ':0' else port}")
    except OriginError as error:
        raise URLError(f"{authority!r} is not a host and a port: {error}") from None
    if port == ":0":
        origin = origin._replace(port=0)
    user, _, password = (match["userinfo"] or "").partition(":")
    # URL standard, "URL serializer": an empty password is not written, nor is an empty pair.
    userinfo = f"{user}:{password}" if password else user
    return URL(scheme, origin, _normalize_path(f"/{path}") + query, userinfo)


def _normalize_ipv4(host: str) -> str:
    """Return host with an IPv4 address in its usual form (URL standard, "IPv4 parser").

    127.1 and 0x7f000001 are spellings of 127.0.0.1.
    """
    bare = strip_final_dot(host)
    if host.startswith("[") or not is_ip_address(bare):
        return host
    try:
        return inet_ntoa(inet_aton(bare))
    except (OSError, ValueError):  # the latter for NUL
        return host  # Origin.parse refuses it


def _join_path(base: URL, path: str, query: str) -> str:
    if not path:
        return base.path + query if query else base.target
    if not path.startswith("/"):
        path = f"{base.path.rpartition('/')[0]}/{path}"
    return _normalize_path(path) + query


def _normalize_path(path: str) -> str:
    """Remove the dot segments of a path, and escape the characters that can't be sent."""
    result: list[str] = []
    segments = path.split("/")[1:]
    for at, segment in enumerate(segments):
        dots = _DOT.sub(".", segment)
        if dots not in {".", ".."}:
            result.append(segment)
            continue
        if dots == "..":
            del result[-1:]
        if at == len(segments) - 1:
            result.append("")
    return "/" + quote("/".join(result), _PATH_SAFE)
