"""The Public Suffix List: the names under which anyone can have a name. Start-up only."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

__all__ = ["holds_public_suffix", "is_public_suffix", "owned_part"]


def is_public_suffix(host: str) -> bool:
    """Whether anyone can have a name right under host."""
    return _suffixes().is_public(host)


def holds_public_suffix(host: str) -> bool:
    """Whether host is a public suffix, or has one below it, as amazonaws.com has."""
    return is_public_suffix(host) or _in_unicode(host) in _parents()


def owned_part(host: str) -> str:
    """The last labels of host that one owner has: example.co.uk of a.example.co.uk."""
    return _suffixes().privatesuffix(host) or host


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _in_unicode(host: str) -> str:
    """The host as the list writes it."""
    if "xn--" not in host:
        return host
    import idna

    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


@cache
def _parents() -> frozenset[str]:
    from publicsuffixlist import PSLFILE

    parents = set()
    with open(PSLFILE, encoding="utf-8") as lines:
        for line in lines:
            rule = "" if line.startswith("//") else line.strip()
            while "." in rule:
                rule = rule.partition(".")[2]
                parents.add(rule)
    return frozenset(parents)
