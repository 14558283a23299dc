"""What was meant: the suggestions that go with a problem. Start-up only, so it may be thorough."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from corsguard.escape import quoted, text_of
from corsguard.fetch import is_token
from corsguard.origin import Origin, OriginError, OriginPattern, is_loopback

__all__ = [
    "ascii_host",
    "closest_name",
    "mended_entry",
    "mended_origin",
    "mended_origins",
    "mended_prefix",
    "mended_regex",
    "origin_instead",
]

_AUTHORITY = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<port>\*|[0-9]*))?")
_QUOTES = re.compile(r"^\[?\s*[\"']|[\"']\s*\]?$")  # those of a list in JSON too
_BETWEEN = re.compile(r"[\s,;\"']+")
_EXAMPLES = {
    "allow_origins": "an origin such as https://app.example.com or https://*.example.com",
    "own_origins": "an origin such as https://api.example.com",
    "enforce_exempt": "a prefix such as /api",
}


def mended_entry(field: str, entry: object) -> str:
    """What to write for an entry of another type than str: the strings in it, or an example."""
    is_list = isinstance(entry, (list, tuple)) and not isinstance(entry, (Origin, OriginPattern))
    entries = cast(Iterable[object], entry) if is_list else [entry]
    texts = [_meant(field, text_of(each)) for each in entries]
    if None in texts or not texts:
        return _EXAMPLES.get(field, "remove it")
    return ", ".join(map(repr, texts))


def _meant(field: str, text: str) -> str | None:
    if field in {"allow_origins", "own_origins"}:
        return mended_origin(text) if "://" in text else None
    is_one = text.startswith("/") if field == "enforce_exempt" else is_token(text)
    return text if is_one else None


def origin_instead(field: str, text: str) -> str:
    """What to write for text in a list of origins: one of them, several, or an example."""
    several = ", ".join(map(quoted, mended_origins(text)))
    mended = several or mended_origin(text) or mended_regex(text)
    if mended in {None, "null"} or ("*" in mended and field == "own_origins"):
        return _EXAMPLES[field]
    return mended


def mended_origin(text: str) -> str | None:
    """The origin pattern that text was meant to be, or None where that can't be told."""
    from urllib.parse import urlsplit

    text = _QUOTES.sub("", text.strip()).strip().removeprefix("//")
    text = re.sub(r"(?i)^(https?)(?::/*|/+)(?=[^/0-9])", r"\1://", text)
    if text.lower() == "null":
        return None
    if "://" not in text:
        host = _split_port(re.split("[/?#]", text)[0].lower())[0]
        text = f"{'http' if is_loopback(host) else 'https'}://{text}"
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    host, port = _split_port(url.netloc.rpartition("@")[2])
    bare = host.lstrip("*.")
    bare = ascii_host(bare.rstrip("."))
    subdomains = "*." if host.startswith(("*", ".")) else ""
    if (url.scheme, port) in {("http", "80"), ("https", "443")}:
        port = ""
    mended = f"{url.scheme}://{subdomains}{bare}{':' if port else ''}{port}"
    try:
        return str(OriginPattern.parse(mended))
    except OriginError:
        return None


def mended_origins(text: str) -> list[str]:
    """The origin patterns that stand in text together, or none where that can't be told."""
    parts = [part for part in _BETWEEN.split(_QUOTES.sub("", text.strip())) if part]
    if len(parts) == 1 or not (
        all("://" in part for part in parts) or all(map(_is_bare_host, parts))
    ):
        return []
    mended = [mended_origin(part) for part in parts]
    return [] if None in mended else [origin for origin in mended if origin]


def _is_bare_host(text: str) -> bool:
    return "://" not in text and ("." in text or ":" in text or text == "localhost")


def _split_port(authority: str) -> tuple[str, str]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return authority, ""
    port = match["port"] or ""
    return match["host"], port.lstrip("0") or port


def ascii_host(host: str) -> str:
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
    """The origin pattern that says what a regular expression was meant to say, if one does."""
    text = re.sub(r"^(\^|\\A)|(\$|\\Z)$", "", text)
    scheme, separator, rest = text.replace(r"\/", "/").partition("://")
    scheme = {"https?": "https", "http(s)?": "https", "http(?:s)?": "https"}.get(scheme, scheme)
    rest = re.sub(r"\(?(\?:)?:(\\d|\[0-9\])[+*]\)?\??$", ":*", rest)
    rest = re.sub(r"^\(?(\?:)?(\.|\[\^[./]+\]|\\S|\\w)[*+]\??\)?(\\?\.)?", "*.", rest)
    rest = rest.replace(r"\.", ".").replace(r"\-", "-")
    try:
        return str(OriginPattern.parse(scheme + separator + rest))
    except OriginError:
        return None


def mended_prefix(prefix: str) -> str:
    """The route prefix that was meant: literal, decoded once, without `.`, `..` and wildcards."""
    from posixpath import normpath
    from urllib.parse import unquote

    if "://" in prefix:
        prefix = prefix.partition("://")[2].partition("/")[2]
    # What is not literal ends it, and so does what no route covers: controls, and no UTF-8.
    prefix = re.split(r"[?#*<>{}%\x00-\x1f\x7f\ufffd]", unquote(prefix))[0].replace("\\", "/")
    segments = (segment.strip() for segment in prefix.strip().removeprefix("^").split("/"))
    return "/" + normpath("/" + "/".join(segments)).lstrip("/")


def closest_name(name: str, names: Iterable[str]) -> str | None:
    """The one of names that name was most likely meant to be."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(names), n=1)), None)
