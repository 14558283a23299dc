"""Origins that nobody has, to see whether a regular expression covers more than was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from corsguard.origin import Origin, OriginError
from corsguard.regex import shapes

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
    """The same, with an invented name in the place of a repeat of the pattern.

    Whoever takes that name has the origin, as with app-NAME.vercel.app or NAMEexample.com.
    """
    return next((origin for origin in _grown(pattern) if pattern.fullmatch(origin)), None)


def _grown(pattern: re.Pattern[str]) -> Iterator[str]:
    from corsguard.suffix import owned_part

    for shape in shapes(pattern):
        for at, piece in enumerate(shape):
            for name in _FILLINGS if piece.repeated else ():
                pieces = [other.text for other in shape]
                pieces[at] = name
                origin = "".join(pieces)
                try:
                    host = Origin.parse(origin).host
                except OriginError:
                    continue
                owned = owned_part(host)
                if name.strip(".") in owned and owned.rpartition(".")[2] not in _RESERVED:
                    yield origin
