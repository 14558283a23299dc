"""How many owners a regular expression covers: registrable domains, addresses, and ids.

A registrable domain is a public suffix and one label (publicsuffix.org): what one owner has. The
origins that an expression covers are those that its automaton and a grammar of origins both accept.
Their hosts are read from the end, label by label, along the Public Suffix List. While the label
that tells an owner is read, each beginning of it that is still open leads to another owner: so
the count passes its limit after a few steps where the owners have no end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_grammar import grammar
from corsguard.policy.regex_ast import inexact_constructs
from corsguard.policy.regex_automaton import Budget, TooMuchError, automaton_of
from corsguard.policy.regex_hosts import Hosts, Label, States
from corsguard.public_suffix import find_suffix, labels_to_private, list_below

__all__ = ["MOST_OWNERS", "RESERVED", "Coverage", "Owners", "coverage"]

MOST_OWNERS = 100
"""More than an author writes out one by one."""

RESERVED = frozenset({"example", "invalid", "localhost", "test"})
"""Top-level domains where nobody can register a name (RFC 6761)."""

_MOST_WORK = 400_000  # steps, so that counting takes some tenths of a second at most
_MOST_TRIED = 40
_NO_HOSTS = frozenset({"::", "::1"})  # RFC 4291: unspecified, and loopback
_RESERVED_ENDS = frozenset(label[at:] for label in RESERVED for at in range(len(label)))
# Readable examples, where the expression covers them: a name that is likely to be free, the best
# known suffixes, and addresses for documentation (RFC 5737, RFC 3849).
_FREE_NAME = "corsguard"
_SUFFIXES = ("com", "org", "net", "io", "dev", "app")
_WORDS = ("203.0.113.7", "2001:db8::7", _FREE_NAME)


class Owners(NamedTuple):
    """The owners of one kind that an expression covers."""

    names: frozenset[str]
    """All of them; where there are too many, some."""
    too_many: bool = False
    example: str | None = None
    """An origin that the expression matches, where there are too many."""
    shared: str = ""
    """What all names end with in the middle of a label, as `example.com` where a dot is missing;
    where there are too many."""


class Coverage(NamedTuple):
    """The owners that an expression covers.

    Not counted are names that nobody can register (RFC 6761), and addresses that lead to no one
    else on the internet: loopback, private and link-local ones.
    """

    registered: Owners
    """Domains under suffixes where names are sold, names of one label, and IP addresses."""
    hosted: Owners
    """Names under private suffixes such as github.io. They are too many together with the
    registered ones."""
    ids: Owners
    """Hosts of schemes that have no domains, such as the ids of browser extensions."""


@lru_cache(64)
def coverage(pattern: re.Pattern[str]) -> Coverage | None:
    """Count the owners that pattern covers, or return None where it is too large to count.

    Constructs that an automaton can't read exactly count as all that they may match.
    """
    try:
        return _Count(pattern).coverage()
    except (TooMuchError, RecursionError):
        return None


class _Place(NamedTuple):
    """Where a host has been read to from its end, and what may read on, or has read this."""

    hosts: Hosts
    name: str
    states: States


class _Kind:
    """The owners of one kind that have been found so far."""

    def __init__(self) -> None:
        self.found: dict[str, _Place] = {}
        self.full: _Place | None = None
        """The suffix below which there are too many by themselves."""
        self.shared = ""

    def fill(self, place: _Place, labels: list[str]) -> None:
        """Note that there are too many names below place; labels are what some of them end with."""
        self.full = place
        ends = _common_end(labels).lstrip("-_")
        if place.name and len(labels) > 1 and len(ends) > 2:
            self.shared = f"{ends}.{place.name}"


class _FullError(Exception):
    """There are too many registered owners, and nothing else matters then."""


class _Count:
    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._budget = Budget(_MOST_WORK)
        self._text = pattern.pattern.replace("\\.", ".")
        self._automaton = automaton_of(pattern)
        self._registered, self._hosted, self._ids = _Kind(), _Kind(), _Kind()

    def coverage(self) -> Coverage:
        """Count each kind."""
        try:
            domains = Hosts(self._automaton, grammar("domain"), self._budget)
            self._below(domains, "", domains.last, self._registered)
            for kind in ("IPv4", "IPv6"):
                self._words(self._undivided(kind), self._registered)
            # Where a scheme is left open, the hosts behind it are judged as those of https, but
            # for ids that https can't have: in upper case (Safari's extensions), or numbers.
            self._words(self._undivided("id", without=domains.begun), self._ids)
            self._words(self._undivided("id but for https"), self._ids)
        except _FullError:
            none = Owners(frozenset())
            return Coverage(self._owners(self._registered), none, none)
        together = len(self._registered.found) + len(self._hosted.found)
        return Coverage(
            self._owners(self._registered),
            self._owners(self._hosted, too_many=together > MOST_OWNERS),
            self._owners(self._ids),
        )

    def _undivided(self, kind: str, without: frozenset[int] = frozenset()) -> Hosts:
        return Hosts(self._automaton, grammar(kind), self._budget, separator="", without=without)

    def _words(self, hosts: Hosts, kind: _Kind) -> None:
        """Count hosts that are read as a whole: addresses and ids."""
        for whole, longer in hosts.labels(hosts.last):
            for label in whole:
                if _is_of_someone(label.text):
                    kind.found[label.text] = _Place(hosts, label.text, label.states)
            if len(kind.found) + len(longer) > MOST_OWNERS:
                self._fill(kind, _Place(hosts, "", hosts.last), [])
                return

    def _below(self, hosts: Hosts, name: str, states: States, kind: _Kind) -> None:
        """Count the owners below name, a public suffix; states read what is before it."""
        if kind.full:
            return
        elsewhere = frozenset[str]() if kind is self._hosted else labels_to_private(name)
        if not name:
            elsewhere |= _RESERVED_ENDS
        suffixes: list[tuple[str, Label]] = []
        sure = 0
        for whole, longer in hosts.labels(states):
            for label in whole:
                if not name and label.text in RESERVED:
                    continue
                if self._count(hosts, _joined(label.text, name), label):
                    suffixes.append((_joined(label.text, name), label))
                    sure += label.text not in elsewhere
            ends = [text for text, _ in longer]
            if len(kind.found) + sure + sum(end not in elsewhere for end in ends) > MOST_OWNERS:
                self._fill(kind, _Place(hosts, name, states), ends)
                return
        for suffix, label in suffixes:
            self._below(hosts, suffix, label.further or frozenset(), self._kind(suffix))

    def _count(self, hosts: Hosts, name: str, label: Label) -> bool:
        """Count what has the first label of name, and return True if there are owners below it."""
        labels = name.split(".")
        suffix = find_suffix(name)
        is_suffix = suffix.labels == len(labels)
        if label.begins or not is_suffix:
            owned = ".".join(labels[-suffix.labels - 1 :])
            self._kind(name).found.setdefault(owned, _Place(hosts, name, label.states))
        if label.further is None or is_suffix:
            return label.further is not None
        # All below it is its owner's, but for what the list has there.
        for listed in sorted(list_below(name)):
            below, longer = hosts.follow(listed, label.further), f"{listed}.{name}"
            if below and self._count(hosts, longer, below):
                self._below(hosts, longer, below.further or frozenset(), self._kind(longer))
        return False

    def _kind(self, name: str) -> _Kind:
        return self._hosted if find_suffix(name).private else self._registered

    def _fill(self, kind: _Kind, place: _Place, labels: list[str]) -> None:
        kind.fill(place, labels)
        if kind is self._registered:
            raise _FullError

    def _owners(self, kind: _Kind, *, too_many: bool = False) -> Owners:
        names = frozenset(kind.found)
        if kind.full is None and not too_many:
            return Owners(names)
        return Owners(names, too_many=True, example=self._example(kind), shared=kind.shared)

    def _example(self, kind: _Kind) -> str | None:
        self._budget.renew()
        origins = (origin for place in self._places(kind) for origin in _origins(place))
        return next(filter(self._is_match, islice(origins, _MOST_TRIED)), None)

    def _places(self, kind: _Kind) -> Iterator[_Place]:
        """Yield names of kind, those that are easy to read first.

        Those that are written out, so the author's own, come last, if at all.
        """
        written: list[_Place] = []
        places = chain(_readable(kind.full) if kind.full else (), list(kind.found.values()))
        for place in places:
            if kind is not self._ids and self._kind(place.name) is not kind:
                continue
            if place.name in self._text:
                written.append(place)
            else:
                yield place
        if not inexact_constructs(self._pattern):
            yield from written

    def _is_match(self, origin: str) -> bool:
        if not self._pattern.fullmatch(origin):
            return False
        try:
            Origin.parse(origin)
        except OriginError:
            return False
        return True


def _is_of_someone(host: str) -> bool:
    """Return True unless host is an IPv6 address that nobody has, or not written as one is."""
    if ":" not in host or host.startswith("["):
        return True
    try:
        return host not in _NO_HOSTS and bool(Origin.parse(f"https://[{host}]"))
    except OriginError:
        return False


def _readable(place: _Place) -> Iterator[_Place]:
    """Yield names below place: a free name where it fits, then short ones."""
    hosts, name, states = place
    if not name:
        for suffix in (*_SUFFIXES, *sorted(list_below("") - RESERVED)):
            label = hosts.follow(suffix, states)
            if label and label.further:
                yield from _readable(_Place(hosts, suffix, label.further))
    words = (_FREE_NAME,) if hosts.separator else _WORDS
    short: list[Label] = []
    for text, reached, whole in hosts.reachable(states):
        for word in words:
            label = hosts.follow(word, reached)
            if label:
                yield _Place(hosts, _joined(word + text, name), label.states)
        short.extend(whole)
    for label in short:
        yield _Place(hosts, _joined(label.text, name), label.states)


def _origins(place: _Place) -> Iterator[str]:
    """Yield origins of a name, with https where that is left open."""
    for beginning in place.hosts.beginnings(place.states):
        for tail in place.hosts.tails[:_MOST_TRIED]:
            origin = beginning + place.name + tail
            if origin.startswith("http://"):
                yield f"https{origin.removeprefix('http')}"
            yield origin


def _joined(label: str, suffix: str) -> str:
    return f"{label}.{suffix}" if suffix else label


def _common_end(texts: list[str]) -> str:
    end = min(texts, default="")
    while not all(text.endswith(end) for text in texts):
        end = end[1:]
    return end
