"""The origins of the exchanges: listed ones, samples of patterns, near misses, untrusted ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from corsguard.cli.audit.origin_probes import list_origin_probes
from corsguard.cli.migrate.replay.entries import Entry
from corsguard.cli.migrate.replay.regex_samples import list_samples
from corsguard.origin import Origin, OriginError, OriginPattern, is_ip_address
from corsguard.policy.redos import is_linear
from corsguard.policy.regex_coverage import measure_coverage
from corsguard.public_suffix import find_registrable_domain

__all__ = ["LISTED", "UNTRUSTED", "OriginCase", "Trust", "list_listed", "list_near_misses"]

_UNTRUSTED_ORIGIN = "https://untrusted.example"  # RFC 2606, 3: nobody can register it
_ANY_ORIGIN = "https://any.example"
_LABELS = ("app", "a.b")
_PORT = ":3000"
_LEFT_OUT = frozenset({"special-characters"})
"""Probes of an audit for servers that read origins as no browser sends them."""


class Trust(StrEnum):
    """The relation of an origin to what a configuration lists."""

    LISTED = "listed"
    """The configuration lists it by name."""
    MATCHED = "matched"
    """A pattern or a regular expression of the configuration matches it."""
    ANYONE = "anyone"
    """As MATCHED, but the entry matches any site: it is `*`, or as wide."""
    NEAR = "near"
    """It looks like a listed one, and belongs to someone else, or is not secure."""
    UNTRUSTED = "untrusted"
    """It has nothing to do with the configuration."""


class OriginCase(NamedTuple):
    """An origin, and why it is tried."""

    origin: str
    trust: Trust
    entry: Entry | None = None
    """The entry of the configuration that it was derived from; None for untrusted ones."""


LISTED = frozenset({Trust.LISTED, Trust.MATCHED, Trust.ANYONE})
"""The relations of origins that a configuration means to allow."""

UNTRUSTED = (
    OriginCase(_UNTRUSTED_ORIGIN, Trust.UNTRUSTED),
    OriginCase("null", Trust.UNTRUSTED),
)


def list_listed(entries: Iterable[Entry]) -> list[OriginCase]:
    """Return the origins that entries list by name, and samples of those that are patterns.

    What is not a valid origin or pattern is left out: no browser sends it.
    """
    cases: dict[str, OriginCase] = {}
    for entry in entries:
        for case in _list_of_entry(entry):
            known = cases.get(case.origin)
            if known is None or known.trust is not Trust.LISTED:
                cases[case.origin] = case
    return [*cases.values()]


def list_near_misses(cases: Iterable[OriginCase], listed: Iterable[OriginCase]) -> list[OriginCase]:
    """Return the origins that only a mistake would allow beside cases, without those in listed."""
    known = {case.origin for case in (*listed, *UNTRUSTED)}
    near: dict[str, OriginCase] = {}
    for case in cases:
        if case.trust is Trust.ANYONE:
            continue
        page = Origin.parse(case.origin)
        for origin in _list_mistakes(page):
            if origin not in known and _is_valid(origin):
                near.setdefault(origin, OriginCase(origin, Trust.NEAR, case.entry))
    return [*near.values()]


def _list_mistakes(page: Origin) -> Iterator[str]:
    # A difference names the first few origins, so the longest ones come last.
    probes = sorted(list_origin_probes(page), key=lambda probe: probe.code == "substring-match")
    for probe in probes:
        if probe.code not in _LEFT_OUT:
            yield from probe.origins
    if page.host and not is_ip_address(page.host):
        yield str(page._replace(host=f"sub.{page.host}"))
    if page.scheme == "http":
        yield str(page._replace(scheme="https"))


def _list_of_entry(entry: Entry) -> list[OriginCase]:
    if isinstance(entry, re.Pattern):
        # Without a sample, the untrusted origin carries the entry: the expression may hang.
        return [
            OriginCase(origin, _rate_sample(entry, origin), entry) for origin in list_samples(entry)
        ] or [OriginCase(_UNTRUSTED_ORIGIN, Trust.UNTRUSTED, entry)]
    if entry == "*":
        return [OriginCase(_ANY_ORIGIN, Trust.ANYONE, entry)]
    if _is_valid(entry):
        return [OriginCase(entry, Trust.LISTED, entry)]
    return [OriginCase(origin, Trust.MATCHED, entry) for origin in _list_pattern_samples(entry)]


def _rate_sample(pattern: re.Pattern[str], origin: str) -> Trust:
    """Return the trust in an origin that pattern matches.

    Where a dot is missing, or is not escaped, pattern matches too many domains. Only those that it
    spells out are the author's.
    """
    if _matches_anyone(pattern):
        return Trust.ANYONE
    domain = re.escape(find_registrable_domain(Origin.parse(origin).host))
    text = pattern.pattern.replace("\\", "")
    if re.search(rf"(?<![a-z0-9-]){domain}(?![a-z0-9-])", text, re.IGNORECASE):
        return Trust.MATCHED
    covered = measure_coverage(pattern)
    is_too_wide = covered is not None and covered.registered.too_many
    return Trust.NEAR if is_too_wide else Trust.MATCHED


def _matches_anyone(pattern: re.Pattern[str]) -> bool:
    """Return True if pattern matches an untrusted origin. False also where it may hang."""
    return is_linear(pattern) and pattern.match(_UNTRUSTED_ORIGIN) is not None


def _list_pattern_samples(entry: str) -> list[str]:
    try:
        pattern = OriginPattern.parse(entry)
    except OriginError:
        return []
    beginning, star, rest = entry.removesuffix(":*").partition("*")
    texts = [beginning + label + rest for label in _LABELS] if star else [beginning]
    if pattern.label:  # in the middle of a label, `*` covers no dot
        texts = texts[:1]
    if pattern.port == "*":
        texts += [text + _PORT for text in texts[:1]]
    return texts


def _is_valid(origin: str) -> bool:
    try:
        Origin.parse(origin)
    except OriginError:
        return False
    return True
