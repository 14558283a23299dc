"""Origins that nobody has, to see whether a regular expression covers more than was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corsguard.origin import Origin, OriginError, is_ip_address
from corsguard.regex import Piece, shapes

__all__ = ["grown_match", "invented_match"]

# Origins that nobody has, in the shapes that attackers can get: other names under the suffixes
# where names are sold or given away, addresses, single labels, other schemes and ports.
_LABELS = (
    *("corsguard", "corsguard-invented", "corsguard7"),
    *("zqjxvkwp"[:length] for length in range(2, 9)),  # for [a-z]{3} and its like
)
_SUFFIXES = """
    com net org io dev app co info xyz me co.uk com.au de fr cn
    github.io gitlab.io netlify.app vercel.app pages.dev workers.dev herokuapp.com web.app
    firebaseapp.com onrender.com fly.dev azurewebsites.net cloudfront.net s3.amazonaws.com
""".split()
_HOSTS = (
    *_LABELS,
    *(f"{label}.{suffix}" for suffix in _SUFFIXES for label in _LABELS),
    *(f"www.{label}.{suffix}" for suffix in _SUFFIXES for label in _LABELS),
    "203.0.113.7",
    "[2001:db8::7]",
)
_FILLINGS = ("corsguard", "corsguard7", "70707", "corsguard.com", ".corsguard.com")
_RESERVED = ("example", "invalid", "localhost", "test")  # RFC 6761: nobody can register these
_INVENTED = tuple(
    f"{scheme}://{host}{port}"
    for scheme in ("https", "http")
    for port in ("", ":8443", ":1")
    for host in _HOSTS
)


def invented_match(pattern: re.Pattern[str]) -> str | None:
    """An origin nobody has that pattern covers all the same, or None."""
    return next((origin for origin in _INVENTED if pattern.fullmatch(origin)), None)


def grown_match(pattern: re.Pattern[str]) -> str | None:
    """The same, with an invented name in the place of a class or a repeat of the pattern.

    Whoever takes that name has the origin, as with app-NAME.vercel.app or NAMEexample.com.
    """
    grown = (origin for shape in shapes(pattern) for origin in _grown(shape))
    return next((origin for origin in grown if pattern.fullmatch(origin)), None)


def _grown(shape: tuple[Piece, ...]) -> Iterator[str]:
    """Origins in one shape that are another owner's than most of that shape."""
    texts = [piece.text for piece in shape]
    usual = _owner("".join(texts))
    for at, piece in enumerate(shape):
        for name in (piece.other, *((*_FILLINGS, piece.text * 3) if piece.repeated else ())):
            origin = "".join([*texts[:at], name, *texts[at + 1 :]])
            if name and _owner(origin) not in {usual, None}:
                yield origin


def _owner(origin: str) -> str | None:
    """The part of a host that somebody has to register, or None where nobody can."""
    from corsguard.suffix import owned_part

    try:
        host = Origin.parse(origin).host
    except OriginError:
        return None
    owned = owned_part(host)
    return None if is_ip_address(host) or owned.rpartition(".")[2] in _RESERVED else owned
