"""The regular expressions that stand in the texts of origins, where a policy needs `re.compile`.

Start-up only.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from corsguard.origin import Origin, OriginError, OriginPattern

__all__ = [
    "compiled",
    "covers_an_origin",
    "glob_expression",
    "is_within",
    "narrowed",
    "with_scheme",
    "written",
]

_LONGEST = 1_000  # of a text that is worth reading as an expression
_SYNTAX = re.compile(r"[\\()\[\]{}^$+|?]|\.\*")
_ADDRESS = re.compile(r"(?:[a-z]+://)?\[[^\]]*(?:\](?=[:/]|$)|$)", re.IGNORECASE)  # IPv6
_ANCHORS = re.compile(r"^(?:\^|\\A)|(?:\$|\\Z)$")
_GLOB = re.compile(r"(https?|[a-z][a-z0-9+.-]*)://([a-z0-9._*-]+)((?::[0-9*]+)?)")
_LABEL = "[a-z0-9-]+"
# What repeats any character or nearly any, a counted dot, an escape, a class, and a bare dot.
_PARTS = re.compile(
    r"(?P<label>(?:\.|\\S|\[\^[./:\\]+\])[*+]\??)|(?P<counted>\.(?=\{))|\\."
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<dot>\.)"
)


def compiled(text: str) -> re.Pattern[str] | None:
    """Return text as a regular expression, or None where it does not look like one."""
    if len(text) > _LONGEST or not _SYNTAX.search(text) or _ADDRESS.match(text):
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what `re` says of it would name a line of ours
            return re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return None


def with_scheme(source: str) -> str:
    """Return the expression with https in front of it where it has no scheme."""
    if "://" in source.replace(r"\/", "/"):
        return source
    return f"https://{_ANCHORS.sub('', source)}"


def narrowed(source: str) -> str | None:
    """Return an expression that covers no more than source, and in which each dot is a dot.

    What repeats any character (`.*`) covers one label of a host. None where something is not to
    be matched (`(?!`): less of that would cover more.
    """
    if "(?!" in source or "(?<!" in source:
        return None
    return _PARTS.sub(_narrowed_part, _ANCHORS.sub("", with_scheme(source)))


def _narrowed_part(match: re.Match[str]) -> str:
    if match["label"]:
        return _LABEL
    if match["counted"]:
        return _LABEL.removesuffix("+")
    return r"\." if match["dot"] else match[0]


def glob_expression(text: str) -> str | None:
    """Return the expression for an origin with `*` in the place of some characters of a label or
    a port, or None where text is none."""
    match = _GLOB.fullmatch(text.lower())
    if match is None or "*" not in match[2] + match[3].removeprefix(":*"):
        return None
    scheme, host, port = match.groups()
    host = host.replace(".", r"\.").replace("*", _LABEL)
    port = r"(?::[0-9]+)?" if port == ":*" else port.replace("*", "[0-9]+")
    return f"{scheme}://{host}{port}"


def is_within(pattern: str, expression: re.Pattern[str]) -> bool:
    """Return True if the expression covers origins of each kind that pattern covers."""
    return all(expression.fullmatch(origin) for origin in _samples(OriginPattern.parse(pattern)))


def _samples(pattern: OriginPattern) -> Iterator[str]:
    prefixes = ("a.", "b-7.", "xn--a.b.c.") if pattern.subdomains else ("",)
    # With any port, the default one as well, which an origin leaves out.
    ports = ("7", "3000", "65535") if pattern.port == "*" else (pattern.port,)
    for prefix in prefixes:
        for port in ports:
            yield f"{pattern.scheme}://{prefix}{pattern.host}{port and ':'}{port}"


def covers_an_origin(expression: str) -> bool:
    """Return True if an origin is what expression covers, with `a` or `7` for its repeats."""
    try:
        Origin.parse(re.sub(r"\\(.)", r"\1", expression.replace(_LABEL, "a").replace("[0-9]+", "7")))
    except OriginError:
        return False
    return True


def written(expression: str) -> str:
    """Return the Python that compiles expression."""
    raw = '"' not in expression and not expression.endswith("\\")
    return f're.compile(r"{expression}")' if raw else f"re.compile({expression!r})"
