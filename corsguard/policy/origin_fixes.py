"""What was meant: the suggestions that go with a problem. Start-up only, so it may be thorough."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corsguard.origin import OriginError, OriginPattern, is_loopback

__all__ = [
    "closest_name",
    "encode_host",
    "fix_origin",
    "fix_prefix",
    "mended_origins",
    "mended_regex",
]

_AUTHORITY = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<port>\*|[0-9]*))?")
_QUOTES = re.compile(r"^\[?\s*[\"']|[\"']\s*\]?$")  # those of a list in JSON too
_ANY_WEB_SCHEME = re.compile(r"^(?:\*|http\*|https\*)://")
_REGEX_PORT = re.compile(r"\(?(\?:)?:\*?\(?(\?:)?(\\d|\[0-9\])[+*]\)?\)?\??$")
_REGEX_LABELS = re.compile(r"\(?(\?:)?(\.|\[\^[./]+\]|\\S|\\w)[*+]\??\)?(?P<dot>\\?\.)?")
_BETWEEN = re.compile(r"[\s,;\"']+")


def fix_origin(text: str) -> str | None:
    """Return the origin pattern that text was meant to be, or None where that can't be known."""
    from urllib.parse import urlsplit

    text = _QUOTES.sub("", text.strip()).strip().removeprefix("//")
    text = re.sub(r"(?i)^(https?)(?::/*|/+)(?=[^/0-9])", r"\1://", text)
    if text.lower() == "null":
        return None
    if "://" not in text:
        host = _split_port(re.split("[/?#]", text)[0].lower())[0]
        is_local = is_loopback(host) or host == "0.0.0.0"  # noqa: S104  # nothing binds it
        text = f"{'http' if is_local else 'https'}://{text}"
    text = _ANY_WEB_SCHEME.sub("https://", text)
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    if "." in url.query and "=" not in url.query:
        return None  # `?` stands for a character
    host, port = _split_port(url.netloc.rpartition("@")[2])
    bare = host.lstrip("*.")
    labels_before = host.removesuffix(bare)
    bare = encode_host(bare.rstrip("."))
    if "*.*" in labels_before:
        return None  # two labels at least
    if labels_before.endswith("*") and not _is_owned(bare):
        return None  # a part of a label, such as `*-preview.example.com`
    subdomains = "*." if labels_before else ""
    if (url.scheme, port) in {("http", "80"), ("https", "443")}:
        port = ""
    mended = f"{url.scheme}://{subdomains}{bare}{':' if port else ''}{port}"
    try:
        return str(OriginPattern.parse(mended))
    except OriginError:
        return None


def _is_owned(host: str) -> bool:
    """Return True if host is a name that somebody registers, and no name below one.

    Names that are given away are not: `*-app.vercel.app` has a dot where its author means one.
    """
    from corsguard.public_suffix import find_suffix, registrable_domain

    suffix = find_suffix(host)
    is_given = suffix.private and suffix.labels <= host.count(".")
    return not host.startswith("-") and not is_given and registrable_domain(host) == host


def mended_origins(text: str) -> list[str]:
    """The origin patterns that stand in text together, or none where that can't be told."""
    parts = [part for part in _BETWEEN.split(_QUOTES.sub("", text.strip())) if part]
    if len(parts) == 1 or not (
        all("://" in part for part in parts) or all(map(_is_bare_host, parts))
    ):
        return []
    mended = [fix_origin(part) for part in parts]
    return [] if None in mended else [origin for origin in mended if origin]


def _is_bare_host(text: str) -> bool:
    return "://" not in text and ("." in text or ":" in text or text == "localhost")


def _split_port(authority: str) -> tuple[str, str]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return authority, ""
    port = match["port"] or ""
    return match["host"], port.lstrip("0") or port


def encode_host(host: str) -> str:
    """The host as a browser writes it in `Origin` (URL standard, "domain to ASCII")."""
    if host.startswith("["):
        from ipaddress import AddressValueError, IPv6Address

        try:
            return f"[{IPv6Address(host[1:-1])}]"
        except AddressValueError:
            return host
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def mended_regex(text: str) -> str | None:
    """Return the origin pattern that says what a regular expression was meant to say, or None."""
    text = re.sub(r"^(\^|\\A)|(\$|\\Z)$", "", text)
    scheme, separator, rest = text.replace(r"\/", "/").partition("://")
    scheme = {"https?": "https", "http(s)?": "https", "http(?:s)?": "https"}.get(scheme, scheme)
    rest = _REGEX_PORT.sub(":*", rest)
    start = _REGEX_LABELS.match(rest)
    host = rest[start.end() :] if start else rest
    host = host.replace(r"\.", ".").replace(r"\-", "-")
    if start and not start["dot"] and not _is_owned(host.partition(":")[0]):
        return None  # a part of a label
    try:
        return str(OriginPattern.parse(f"{scheme}{separator}{'*.' if start else ''}{host}"))
    except OriginError:
        return None


def fix_prefix(prefix: str) -> str:
    """The route prefix that was meant: literal, decoded once, without `.`, `..` and wildcards."""
    from posixpath import normpath
    from urllib.parse import unquote

    if "://" in prefix:
        prefix = prefix.partition("://")[2].partition("/")[2]
    # What is not literal ends it, and so does what no route covers: controls, and no UTF-8.
    prefix = re.split(r"[?#*<>{}%\x00-\x1f\x7f\ufffd]", unquote(prefix))[0].replace("\\", "/")
    segments = (segment.strip() for segment in prefix.strip().removeprefix("^").split("/"))
    return "/" + normpath("/" + "/".join(segments)).lstrip("/")


def closest_name(name: str, names: Iterable[str], least: float = 0.6) -> str | None:
    """Return the one of names that is most like name, or None; likeness is from 0 to 1."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(names), n=1, cutoff=least)), None)
