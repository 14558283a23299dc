"""Invalid texts of origins and route prefixes, and the valid ones that were most likely meant.

Start-up only, so it may be thorough.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from corsguard.origin import DEFAULT_PORTS, OriginError, OriginPattern, encode_host, is_loopback

__all__ = ["convert_regex", "fix_origin", "fix_origins", "fix_prefix"]

_AUTHORITY = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<port>\*|[0-9]*))?")
_QUOTES = re.compile(r"^\[?\s*[\"']|[\"']\s*\]?$")  # and the brackets of a list in JSON
_MISTYPED_SCHEME = re.compile(r"^(https?)(?::/*|/+)(?=[^/0-9])", re.IGNORECASE)
_ANY_WEB_SCHEME = re.compile(r"^(?:\*|http\*|https\*)://")
_SEPARATORS = re.compile(r"[\s,;\"']+")
_URL_TAIL = re.compile("[/?#]")
_NOT_IN_PREFIX = re.compile(r"[?#*<>{}%\x00-\x1f\x7f\ufffd]")

_REGEX_ANCHORS = re.compile(r"^(\^|\\A)|(\$|\\Z)$")
_REGEX_PORT = re.compile(r"\(?(\?:)?:\*?\(?(\?:)?(\\d|\[0-9\])[+*]\)?\)?\??$")
_REGEX_LABELS = re.compile(r"\(?(\?:)?(\.|\[\^[./]+\]|\\S|\\w)[*+]\??\)?(?P<dot>\\?\.)?")
_REGEX_SCHEMES = {"https?": "https", "http(s)?": "https", "http(?:s)?": "https"}
_REGEX_ESCAPES = {r"\.": ".", r"\-": "-"}


def fix_origin(text: str) -> str | None:
    """Return the origin pattern that text was meant to be, or None where that can't be known."""
    text = _fix_separator(_remove_quotes(text))
    if text.lower() == "null":
        return None
    text = _ANY_WEB_SCHEME.sub("https://", _add_scheme(text))
    try:
        url = urlsplit(text)
    except ValueError:
        return None
    if _is_glob_query(url):
        return None
    host, port = _split_port(url.netloc.rpartition("@")[2])
    fixed = _fix_host(host)
    if fixed is None:
        return None
    if port == str(DEFAULT_PORTS.get(url.scheme)):
        port = ""
    return _parse_pattern(f"{url.scheme}://{fixed}{':' if port else ''}{port}")


def fix_origins(text: str) -> list[str]:
    """Return the patterns of several origins in one text, or none where that can't be known."""
    parts = [part for part in _SEPARATORS.split(_QUOTES.sub("", text.strip())) if part]
    if len(parts) == 1 or not (
        all("://" in part for part in parts) or all(map(_is_bare_host, parts))
    ):
        return []
    fixed = [fix_origin(part) for part in parts]
    return [] if None in fixed else [origin for origin in fixed if origin]


def convert_regex(source: str) -> str | None:
    """Return the origin pattern that says what a regular expression was meant to say, or None."""
    source = _REGEX_ANCHORS.sub("", source).replace(r"\/", "/")
    scheme, separator, authority = source.partition("://")
    scheme = _REGEX_SCHEMES.get(scheme, scheme)
    parts = _split_regex(authority)
    is_part = parts.ends_inside_label and not _is_registrable(parts.host.partition(":")[0])
    wildcard = "*." if parts.has_labels else ""
    return _parse_pattern(f"{scheme}{separator}{'*' if is_part else wildcard}{parts.host}")


def fix_prefix(prefix: str) -> str:
    """Return the route prefix that was meant: decoded once, without `.`, `..` and wildcards."""
    from posixpath import normpath

    if "://" in prefix:
        prefix = prefix.partition("://")[2].partition("/")[2]
    # It ends at the first character that is not literal, or that no route has: controls, no UTF-8.
    prefix = _NOT_IN_PREFIX.split(unquote(prefix))[0].replace("\\", "/")
    segments = (segment.strip() for segment in prefix.strip().removeprefix("^").split("/"))
    return "/" + normpath("/" + "/".join(segments)).lstrip("/")


def _remove_quotes(text: str) -> str:
    return _QUOTES.sub("", text.strip()).strip()


def _fix_separator(text: str) -> str:
    """Return text with `://` behind a web scheme, and without the slashes of a relative URL."""
    return _MISTYPED_SCHEME.sub(r"\1://", text.removeprefix("//"))


def _add_scheme(text: str) -> str:
    """Return text with a scheme: https, or http for the machine itself."""
    if "://" in text:
        return text
    host = _split_port(_URL_TAIL.split(text)[0].lower())[0]
    is_local = is_loopback(host) or host == "0.0.0.0"  # noqa: S104  # nothing binds it
    return f"{'http' if is_local else 'https'}://{text}"


def _is_glob_query(url: SplitResult) -> bool:
    """Return True if the `?` of a text was meant as one character of a host."""
    return "." in url.query and "=" not in url.query


def _fix_host(host: str) -> str | None:
    """Return the host of a pattern with its `*`, or None where it can't be one."""
    name = host.lstrip("*.")
    wildcard = host.removesuffix(name)
    name = encode_host(name.rstrip("."))
    if "*.*" in wildcard:
        return None  # two labels at least
    if wildcard.endswith("*") and not _is_registrable(name):
        return f"*{name}"  # a part of a label, such as `*-preview.example.com`
    return f"*.{name}" if wildcard else name


def _is_registrable(host: str) -> bool:
    """Return True if host is a name that somebody buys, and not one below such a name.

    Free names under a private suffix are not: in `*-app.vercel.app`, the part is meant.
    """
    from corsguard.public_suffix import find_registrable_domain, find_suffix

    suffix = find_suffix(host)
    is_free = suffix.private and suffix.labels <= host.count(".")
    return not host.startswith("-") and not is_free and find_registrable_domain(host) == host


def _is_bare_host(text: str) -> bool:
    return "://" not in text and ("." in text or ":" in text or text == "localhost")


def _split_port(authority: str) -> tuple[str, str]:
    """Return the host and the port without leading zeros, which is empty where there is none."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return authority, ""
    port = match["port"] or ""
    return match["host"], port.lstrip("0") or port


class _RegexParts(NamedTuple):
    """The parts of a regular expression behind its scheme."""

    host: str
    """Without escapes, and `:*` in place of an expression for a port."""
    has_labels: bool
    """True if it begins with an expression for any labels, such as `.*`."""
    ends_inside_label: bool
    """True if no dot follows that expression."""


def _split_regex(authority: str) -> _RegexParts:
    authority = _REGEX_PORT.sub(":*", authority)
    labels = _REGEX_LABELS.match(authority)
    host = authority[labels.end() :] if labels else authority
    for escape, character in _REGEX_ESCAPES.items():
        host = host.replace(escape, character)
    return _RegexParts(host, labels is not None, labels is not None and not labels["dot"])


def _parse_pattern(text: str) -> str | None:
    """Return text as a pattern is written, or None where it is not one."""
    try:
        return str(OriginPattern.parse(text))
    except OriginError:
        return None
