"""Whether the origins of a policy cover an origin, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from re import Pattern

from corsguard.engine.closest_origin import sort_origins
from corsguard.engine.decision import Reason
from corsguard.origin import MAX_LENGTH, Origin, OriginError, OriginPattern, is_insecure
from corsguard.policy.origin_lookup import OriginLookup
from corsguard.policy.predicates import FunctionPredicate, Predicate

__all__ = ["OriginMatcher"]

_Port = tuple[str, str]
"""The scheme and the port of a pattern, `("https", "*")`."""


class OriginMatcher:
    """The entries of `allow_origins`, indexed.

    `secure_only` refuses plain http from regular expressions and callables; with credentials and
    under enforcement they do not lift that rule.
    """

    def __init__(
        self, entries: Sequence[str | Pattern[str] | Predicate], *, secure_only: bool
    ) -> None:
        self._secure_only = secure_only
        texts = [entry for entry in entries if isinstance(entry, str)]
        self.exact: frozenset[str] = frozenset(entry for entry in texts if "*" not in entry)
        self._wide = _index(entry for entry in texts if "*" in entry and entry != "*")
        self._regexes: list[Callable[[str], object]] = [
            entry.fullmatch for entry in entries if isinstance(entry, Pattern)
        ]
        self.predicates: list[FunctionPredicate | OriginLookup] = [
            entry if isinstance(entry, OriginLookup) else FunctionPredicate(entry)
            for entry in entries
            if not isinstance(entry, (str, Pattern))
        ]
        self.lookups: list[OriginLookup] = [
            entry for entry in entries if isinstance(entry, OriginLookup)
        ]
        self.takes_request: bool = any(each.takes_request for each in self.predicates)
        """True if a predicate depends on more of the request than its origin."""
        self.countable: int = len(self.exact) + sum(
            lookup.limits.max_entries for lookup in self.lookups
        )
        """The number of origins that are listed, or that look-ups may remember."""
        self.listed: Sequence[str] = sort_origins(texts)
        """The entries that are texts, sorted: what a refused origin may be close to."""

    def match(self, origin: str) -> Reason | None:
        """Return ALLOWED, ORIGIN_INVALID or ORIGIN_NOT_ALLOWED; None if the predicates decide."""
        if len(origin) > MAX_LENGTH:  # not worth hashing
            return Reason.ORIGIN_INVALID
        if origin in self.exact:
            return Reason.ALLOWED
        try:
            parsed = Origin.parse(origin)
        except OriginError:
            return Reason.ORIGIN_INVALID
        if self._covers(parsed):
            return Reason.ALLOWED
        if parsed.opaque or self.refuses_plain_http(parsed):
            return Reason.ORIGIN_NOT_ALLOWED
        if any(fullmatch(origin) for fullmatch in self._regexes):
            return Reason.ALLOWED
        return None if self.predicates else Reason.ORIGIN_NOT_ALLOWED

    def refuses_plain_http(self, origin: Origin) -> bool:
        """Return True if origin is plain http, which nothing but a flag allows here."""
        return self._secure_only and is_insecure(origin)

    def may_match(self, origin: str) -> bool:
        """Return True if a regular expression matches origin, or a predicate could."""
        return bool(self.predicates) or any(fullmatch(origin) for fullmatch in self._regexes)

    def _covers(self, origin: Origin) -> bool:
        """Return True if a pattern for any port or for subdomains covers origin.

        Costs one look-up for each label of the host, whatever the number of patterns.
        """
        if not self._wide:
            return False
        host = origin.host
        ports = ((origin.scheme, str(origin.port or "")), (origin.scheme, "*"))
        at = 0
        key = host
        while True:
            listed = self._wide.get(key)
            if listed is not None and not listed.isdisjoint(ports):
                return True
            at = host.find(".", at + 1)
            if at < 0:
                return False
            key = host[at:]


def _index(patterns: Iterable[str]) -> dict[str, frozenset[_Port]]:
    """Return host -> ports of the host itself, and `.host` -> ports of its subdomains."""
    index: dict[str, set[_Port]] = {}
    for entry in patterns:
        pattern = OriginPattern.of(entry)
        key = f".{pattern.host}" if pattern.subdomains else pattern.host
        index.setdefault(key, set()).add((pattern.scheme, pattern.port))
    shared: dict[frozenset[_Port], frozenset[_Port]] = {}  # most patterns have the same ports
    return {
        key: shared.setdefault(ports, ports)
        for key, ports in ((key, frozenset(ports)) for key, ports in index.items())
    }
