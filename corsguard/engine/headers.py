"""Reading the header fields of a request, and writing those of a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corsguard.engine.cache import BoundedCache
from corsguard.fetch_spec import ALLOW_ORIGIN, EXPOSE_HEADERS, RESPONSE_HEADERS

__all__ = [
    "READ_NAMES",
    "UNTOUCHED",
    "HeaderList",
    "RequestHeaders",
    "build_environ_reader",
    "build_reader",
    "is_merged",
    "merge_headers",
    "parse_names",
]

HeaderList = list[tuple[str, str]]
RequestHeaders = Mapping[str, str] | Callable[[str], str | None]
"""The request's header fields by name in any case; or, for an adapter that has no such mapping, a
function from the lower-case name to the value, None where there is no such field."""

# The request header fields that a decision may depend on, as CGI (RFC 3875, 4.1.18) names them;
# and the two that only the log reads, to say what a proxy does to `Host`.
_ENVIRON_KEYS = {
    name: f"HTTP_{name.upper().replace('-', '_')}"
    for name in (
        "access-control-request-headers",
        "access-control-request-method",
        "forwarded",
        "host",
        "sec-fetch-mode",
        "sec-fetch-site",
        "upgrade",
        "x-forwarded-host",
    )
}
READ_NAMES = frozenset({"origin", "cookie", *_ENVIRON_KEYS})
"""Lower-case names of the request fields that decisions depend on: adapters read no others."""
_EXPOSE = EXPOSE_HEADERS.lower()
_MERGED = RESPONSE_HEADERS | {"vary"}
UNTOUCHED: BoundedCache[str, None] = BoundedCache()
"""Names of response fields that `is_merged` has said no to: what an application sets is the same
few, so most responses are looked through without changing the case of a letter."""
_LONGEST_LIST = 4_096
_MOST_NAMES = 64
_OWS = " \t"


def build_reader(headers: RequestHeaders) -> Callable[[str], str | None]:
    """A function from a lower-case name to the value of that field, or None."""
    if callable(headers):
        return headers
    return {name.lower(): value for name, value in headers.items()}.get


def build_environ_reader(environ: Mapping[str, Any]) -> Callable[[str], str | None]:
    """The same for a WSGI environ, or for the META of Django."""
    return lambda name: environ.get(_ENVIRON_KEYS[name])


def parse_names(value: str | None) -> list[str] | None:
    """The lower-case names in a list of field names, in their order, each once.

    Optional white space and empty elements are left out (RFC 9110, 5.6.1.2). None stands for a
    list of over 4,096 characters or 64 names: more than any page has, and work that only an
    attacker wants done.
    """
    if value is None:
        return []
    if len(value) > _LONGEST_LIST:
        return None
    names = [name for part in filter(None, value.split(",")) if (name := part.strip(_OWS))]
    if len(names) > _MOST_NAMES:
        return None
    # ASCII alone: the lower case of some other letters is a letter of ASCII.
    return list(dict.fromkeys(name.lower() if name.isascii() else name for name in names))


def is_merged(name: str) -> bool:
    """Whether a field of a response gives way to the decided ones or is merged with them.

    A response with no such field has the decided ones added to it, and that is all.
    """
    if name.lower() in _MERGED:
        return True
    UNTOUCHED.keep(name, None)
    return False


def merge_headers(
    decided: Sequence[tuple[str, str]], given: HeaderList
) -> tuple[HeaderList, list[str]]:
    """The response's fields with the decided ones put in, and the names of those that gave way.

    Fields of the CORS protocol are replaced. The names that the application exposes for itself
    are added to those of the policy, where the page may read the answer at all. `Vary` is merged.
    """
    if not any(is_merged(field[0]) for field in given):
        return [*given, *decided], []
    return _merged(decided, given)


def _merged(decided: Sequence[tuple[str, str]], given: HeaderList) -> tuple[HeaderList, list[str]]:
    result: HeaderList = []
    replaced: list[str] = []
    exposed: list[str] = []
    varying: list[str] = []
    readable = any(field[0] == ALLOW_ORIGIN for field in decided)
    for field in given:
        name = field[0].lower()
        if name == "vary":
            varying.append(field[1])
        elif name not in RESPONSE_HEADERS:
            result.append(field)
        elif name == _EXPOSE:
            exposed.append(field[1])
        else:
            replaced.append(field[0])
    for field in decided:
        if field[0] == "Vary":
            result.append(("Vary", _vary(varying, field[1])) if varying else field)
            varying = []
        elif field[0] == EXPOSE_HEADERS:
            exposed.insert(0, field[1])
        else:
            result.append(field)
    if varying:  # under `*`, an answer does not depend on the origin
        result.append(("Vary", ", ".join(varying)))
    if exposed and readable:
        result.append((EXPOSE_HEADERS, ", ".join(_distinct(exposed))))
    return result, replaced


def _vary(given: list[str], decided: str) -> str:
    names = _distinct([*given, decided])
    # RFC 9110, 12.5.5: `*` says already that the answer depends on anything.
    return ", ".join(given if "*" in names else names)


def _distinct(values: Iterable[str]) -> list[str]:
    """The elements of several lists of names, each once, as it is written first."""
    names: dict[str, str] = {}
    for value in values:
        for part in value.split(","):
            if name := part.strip(_OWS):
                names.setdefault(name.lower(), name)
    return list(names.values())
