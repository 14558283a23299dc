"""The header fields of a response: what a policy adds, and how it merges with the application's."""

from __future__ import annotations

from collections.abc import Sequence

from corsguard.engine.cache import BoundedCache
from corsguard.engine.header_names import join_names
from corsguard.fetch_spec import (
    ALLOW_CREDENTIALS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
    REQUEST_HEADERS,
    REQUEST_METHOD,
    RESPONSE_HEADERS,
)
from corsguard.policy import Policy

__all__ = ["UNTOUCHED", "Fields", "HeaderList", "ResponseFields", "is_merged", "merge_headers"]

Fields = tuple[tuple[str, str], ...]
HeaderList = list[tuple[str, str]]

_EXPOSE = EXPOSE_HEADERS.lower()
_MERGED = RESPONSE_HEADERS | {"vary"}

UNTOUCHED: BoundedCache[str, bool] = BoundedCache()
"""Name of a response field, as it was spelled -> True, if `is_merged` has refused it.

Applications set the same few fields, so most responses are checked without lowering a letter.
"""


class ResponseFields:
    """The fields that do not depend on the request, computed from a policy once.

    `varies` is True if the fields of another origin differ.
    """

    def __init__(self, policy: Policy, *, varies: bool) -> None:
        self.credentials: Fields = ()
        if policy.allow_credentials:
            self.credentials = ((ALLOW_CREDENTIALS, "true"),)
        self.expose: Fields = ()
        if policy.expose_headers:
            self.expose = ((EXPOSE_HEADERS, ", ".join(policy.expose_headers)),)
        # Fetch, "CORS protocol and HTTP caches": a response that is the same for every origin
        # carries the header always, and does not vary by `Origin`.
        self.vary: Fields = (("Vary", "Origin"),) if varies else ()
        requested = (REQUEST_METHOD, REQUEST_HEADERS)
        varying = ("Origin", *requested) if varies else requested
        self.preflight_vary: Fields = (("Vary", ", ".join(varying)),)

    def allow(self, origin: str) -> Fields:
        """Return the fields of a response that a page of this origin may read.

        Browsers compare byte by byte (Fetch, "CORS check", 4), so the request's bytes go back.
        """
        return ((ALLOW_ORIGIN, origin), *self.credentials, *self.expose, *self.vary)


def is_merged(name: str) -> bool:
    """Return True if a field of a response is replaced by a decision's or merged with it.

    A response without such a field gets the decision's fields appended and stays as it is.
    """
    if name.lower() in _MERGED:
        return True
    UNTOUCHED.store(name, True)
    return False


def merge_headers(
    decided: Sequence[tuple[str, str]], given: HeaderList
) -> tuple[HeaderList, list[str]]:
    """Return a response's fields with the decided ones put in, and the names that were replaced.

    Fields of the CORS protocol are replaced. The names that the application exposes for itself are
    added to those of the policy, if the page may read the response at all. `Vary` is merged.
    """
    if not any(is_merged(field[0]) for field in given):
        return [*given, *decided], []
    return _merge(decided, given)


def _merge(decided: Sequence[tuple[str, str]], given: HeaderList) -> tuple[HeaderList, list[str]]:
    result: HeaderList = []
    replaced: list[str] = []
    exposed: list[str] = []
    varying: list[str] = []
    is_readable = any(field[0] == ALLOW_ORIGIN for field in decided)
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
            result.append(("Vary", _merge_vary(varying, field[1])) if varying else field)
            varying = []
        elif field[0] == EXPOSE_HEADERS:
            exposed.insert(0, field[1])
        else:
            result.append(field)
    if varying:  # under `*`, a response does not depend on the origin
        result.append(("Vary", ", ".join(varying)))
    if exposed and is_readable:
        result.append((EXPOSE_HEADERS, ", ".join(join_names(exposed))))
    return result, replaced


def _merge_vary(given: list[str], decided: str) -> str:
    names = join_names([*given, decided])
    # RFC 9110, 12.5.5: `*` already says that the response depends on anything.
    return ", ".join(given if "*" in names else names)
