"""Origins as browsers serialise them, and the origin patterns of a policy."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

__all__ = [
    "DEFAULT_PORTS",
    "MAX_LENGTH",
    "Origin",
    "OriginError",
    "OriginPattern",
    "default_port_suffix",
    "encode_host",
    "is_insecure",
    "is_ip_address",
    "is_loopback",
    "match_domain_origin",
]

MAX_LENGTH = 326
"""Characters of the longest origin: scheme 64, "://" 3, host 253, ":" 1, port 5."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The ports that an origin leaves out (URL standard, "special scheme")."""

_MAX_HOST = 253
_MAX_DOMAIN_ORIGIN = len("https://") + _MAX_HOST
_MAX_LABEL = 63
_MAX_PORT = 65_535

_FOREIGN_CHARACTERS = frozenset(" \t\r\n,;\"'")
_HEXADECIMAL = frozenset("0123456789abcdef")


class OriginError(ValueError):
    """Text that is not one serialised origin, or not one origin pattern."""


class Origin(NamedTuple):
    """One origin (RFC 6454, 4): a scheme, a host and a port, or an opaque one.

    Opaque are `null` and `file://`, which some engines send for a page that was opened from a file.
    """

    scheme: str
    host: str
    port: int | None
    """None for the default port of the scheme, which browsers omit."""

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Parse the serialisation of an origin, character for character.

        Raises OriginError for anything else. Browsers compare origins by their bytes (Fetch, "CORS
        check"), so another spelling is another origin.
        """
        if len(text) > MAX_LENGTH:
            raise OriginError(f"it is longer than {MAX_LENGTH} characters")
        domain = match_domain_origin(text)
        if domain is not None:  # most
            return cls("https", domain[1][8:], int(domain[2]) if domain[2] else None)
        if text in _OPAQUE:
            return _OPAQUE[text]
        match = _compile_grammar().fullmatch(text)
        if match is None:
            raise OriginError(_explain_syntax_error(text))
        scheme, host, digits = match.groups()
        _validate_host(scheme, host)
        port = int(digits) if digits else None
        if port is not None and port > _MAX_PORT:
            raise OriginError(f"its port is over {_MAX_PORT}")
        if port is not None and port == DEFAULT_PORTS.get(scheme):
            raise OriginError(f"browsers omit port {port}, the default of {scheme}")
        return cls(scheme, host, port)

    @property
    def opaque(self) -> bool:
        """True for `null` and `file://`, which many unrelated pages share."""
        return not self.host

    @property
    def authority(self) -> str:
        """The host, and the port unless it is the default one: `example.com:8443`."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}" if self.scheme else "null"


_OPAQUE = {"null": Origin("", "", None), "file://": Origin("file", "", None)}


class OriginPattern(NamedTuple):
    """An entry of a policy: an origin, with wildcards in its host or for its port, or `*`."""

    scheme: str
    host: str
    port: str
    """Digits; `*` for any port or none; empty for the default port."""
    subdomains: bool
    """True if it covers one or more labels before the host, and not the host itself."""
    label: str = ""
    """The one label before the host in which `*` covers characters, `pr-*`; empty for none."""

    @classmethod
    def parse(cls, text: str) -> OriginPattern:
        """Parse a pattern. Raises OriginError for an invalid one."""
        if text == "*":
            return _ANY
        bare = text.removesuffix(":*")
        scheme, separator, rest = bare.partition("://")
        label, _, parent = rest.partition(".")
        subdomains = rest.startswith("*.")
        if subdomains:
            bare = scheme + separator + parent
        elif "*" in label:
            if label.count("*") > 1:
                raise OriginError("one `*` in a label is enough: it covers any characters of it")
            bare = scheme + separator + rest.replace("*", "x", 1)
        origin = Origin.parse(bare)
        if "*" in label and not subdomains:
            _validate_parent(origin.host.partition(".")[2])
        any_port = text.endswith(":*")
        if any_port and (origin.opaque or origin.port is not None):
            raise OriginError("`:*` must follow a host, in place of its port")
        if subdomains and is_ip_address(origin.host):
            raise OriginError("an IP address has no subdomains")
        if origin.host == "." and "*" in text:
            raise OriginError("the host `.` has neither subdomains nor other ports")
        return cls(origin.scheme, "", "", subdomains=False) if origin.opaque else cls.of(text)

    @classmethod
    def of(cls, text: str) -> OriginPattern:
        """Split a pattern with a scheme that `parse` has accepted, without validating it again."""
        scheme, _, rest = text.partition("://")
        label, _, host = rest.partition(".")
        if "*" not in label or label.endswith(":*"):
            label, host = "", rest
        port = ""
        if ":" in host and not host.endswith("]"):
            host, _, port = host.rpartition(":")
        subdomains = label == "*"
        return cls(scheme, host, port, subdomains, "" if subdomains else label)

    @property
    def any_origin(self) -> bool:
        """True for `*`."""
        return self == _ANY

    @property
    def opaque(self) -> bool:
        """True for `null` and `file://`."""
        return not self.host

    def __str__(self) -> str:
        if self.any_origin or not self.scheme:
            return "*" if self.any_origin else "null"
        port = f":{self.port}" if self.port else ""
        label = "*" if self.subdomains else self.label
        return f"{self.scheme}://{label}{'.' if label else ''}{self.host}{port}"


_ANY = OriginPattern("*", "*", "*", subdomains=True)


def match_domain_origin(text: str) -> re.Match[str] | None:
    """Match an https origin of a domain, as most are: it is sure to be valid.

    The groups are the origin without its port, and the port. None for any other text, which
    Origin.parse may well accept.
    """
    match = _compile_domain_origin().fullmatch(text)
    return match if match is not None and match.end(1) <= _MAX_DOMAIN_ORIGIN else None


def is_loopback(host: str) -> bool:
    """Return True if host is loopback: localhost (RFC 6761, 6.3), 127.0.0.0/8 or [::1]."""
    name = host.removesuffix(".")
    return (
        name in {"localhost", "[::1]"}
        or name.endswith(".localhost")
        or (name.startswith("127.") and is_ip_address(name))
    )


def is_insecure(origin: Origin | OriginPattern) -> bool:
    """Return True for plain http that is not loopback: anyone on the network can impersonate it."""
    return origin.scheme == "http" and not is_loopback(origin.host)


def default_port_suffix(scheme: str) -> str:
    """Return the default port of scheme as the end of an authority, `:443`, or an empty str."""
    return f":{DEFAULT_PORTS[scheme]}" if scheme in DEFAULT_PORTS else ""


def is_ip_address(host: str) -> bool:
    """Return True if a valid host is an IPv4 address, or an IPv6 address in brackets."""
    # URL standard, "ends in a number checker", which ignores a trailing dot.
    last = host.removesuffix(".").rpartition(".")[2]
    return (
        host.startswith("[")
        or last.isdigit()
        or (last.startswith("0x") and _HEXADECIMAL.issuperset(last[2:]))
    )


def encode_host(host: str) -> str:
    """Return host as a browser writes it in `Origin` (URL standard, "domain to ASCII").

    A host that can't be encoded is returned as it is.
    """
    if host.startswith("["):
        from ipaddress import AddressValueError, IPv6Address

        try:
            return f"[{IPv6Address(host[1:-1])}]"
        except AddressValueError:
            return host
    if host.isascii():
        return host.lower()
    import idna  # start-up only, for the few names that are not ASCII

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


@cache
def _compile_domain_origin() -> re.Pattern[str]:
    # Lower case, no trailing dot, a last label that no address can end with (URL standard, "ends in
    # a number checker"), and a port of up to four digits that is not the default one.
    return re.compile(
        r"(https://(?:[a-z0-9_\-]{1,63}\.)+[a-z_\-][a-z0-9_\-]{0,62})"
        r"(?::((?!443$)[1-9][0-9]{0,3}))?"
    )


@cache
def _compile_grammar() -> re.Pattern[str]:
    # Fetch, "`Origin` header", serialized-origin. Beyond that grammar, browsers also send hosts
    # with an underscore, and keep upper case in the hosts of schemes other than http and https.
    return re.compile(
        r"([a-z][a-z0-9+.\-]{0,63})://"
        r"([A-Za-z0-9._\-]+|\[[0-9a-f:]+\])"
        r"(?::([1-9][0-9]{0,4}))?"
    )


def _explain_syntax_error(text: str) -> str:
    """Return why text does not match the grammar."""
    if not text.isascii():
        return "it is not ASCII: browsers send such a host in Punycode"
    if not _FOREIGN_CHARACTERS.isdisjoint(text):
        return "it contains white space, a comma, a semicolon or a quote"
    if "://" not in text:
        return "it has no scheme"
    if "/" in text.partition("://")[2]:
        return "it has a path or a slash after its host"
    if "*" in text.partition("://")[2]:
        return "`*` stands for labels before a host, in its first label, or for the port"
    if _compile_grammar().fullmatch(text.lower()):
        return "it is not in lower case"
    return "it is not scheme://host or scheme://host:port"


def _validate_parent(host: str) -> None:
    """Raise OriginError if a `*` in the label before host would cover whole domains."""
    if not is_loopback(host) and "." not in host.removesuffix("."):
        raise OriginError("its `*` covers domains of other owners: put a dot behind the `*`")


def _validate_host(scheme: str, host: str) -> None:
    """Raise OriginError if browsers do not serialise a host like this."""
    if host.startswith("["):
        if host != f"[{_serialise_ipv6(host[1:-1])}]":
            raise OriginError("its IPv6 address is not in the compressed form that browsers send")
        return
    if len(host) > _MAX_HOST:
        raise OriginError(f"its host is longer than {_MAX_HOST} characters")
    is_web = scheme in DEFAULT_PORTS
    if host == "." and not is_web:
        return  # Electron sends `app://.`
    # A trailing dot is part of the host, so it makes another origin (URL standard, "host").
    labels = host.removesuffix(".").split(".")
    if "" in labels or max(map(len, labels)) > _MAX_LABEL:
        raise OriginError(f"a label of its host is empty or longer than {_MAX_LABEL} characters")
    if not is_web:
        return  # an opaque host (URL standard) is neither lower-cased nor parsed as an address
    if host != host.lower():
        raise OriginError("its host is not in lower case")
    if is_ip_address(host) and not _is_ipv4_serialised(host):
        raise OriginError("its IPv4 address is not four decimal numbers without leading zeros")


def _is_ipv4_serialised(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and all(
        part.isdigit() and len(part) <= 3 and int(part) <= 255 and str(int(part)) == part
        for part in parts
    )


def _serialise_ipv6(address: str) -> str | None:
    """Return the address as the URL standard serialises it, or None if it is not valid."""
    from ipaddress import AddressValueError, IPv6Address  # 3 ms, for few requests

    try:
        parsed = IPv6Address(address)
    except AddressValueError:
        return None
    if parsed.ipv4_mapped:  # Python 3.13 and newer write these with dots, browsers never do
        return f"::ffff:{int(parsed) >> 16 & 0xFFFF:x}:{int(parsed) & 0xFFFF:x}"
    return str(parsed)
