"""The number of owners that a regular expression covers: registrable domains, addresses and ids.

A registrable domain is a public suffix and one label (publicsuffix.org). It has one owner. The
origins that an expression covers are those that its automaton and a grammar of origins both accept.
Their hosts are read from the end, label by label, along the Public Suffix List. While the label
of an owner is read, each unfinished label leads to at least one more owner. So the count exceeds
its limit after a few steps where the owners are unlimited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from corsguard.origin import Origin, OriginError
from corsguard.policy.origin_grammar import build_origin_automaton
from corsguard.policy.regex_ast import list_inexact_constructs
from corsguard.policy.regex_automaton import Budget, BudgetExceededError, build_automaton
from corsguard.policy.regex_hosts import Hosts, Label, States
from corsguard.public_suffix import find_suffix, list_labels_below, list_private_label_ends

__all__ = ["MAX_OWNERS", "RESERVED", "Coverage", "Owners", "measure_coverage"]

MAX_OWNERS = 100
"""The limit. More owners than this are not written out one by one by an author."""

RESERVED = frozenset({"example", "invalid", "localhost", "test"})
"""Top-level domains without registration (RFC 6761)."""

_MAX_STEPS = 400_000  # some tenths of a second at most
_MAX_EXAMPLES = 40
_UNASSIGNED_ADDRESSES = frozenset({"::", "::1"})  # RFC 4291: unspecified, and loopback
_RESERVED_ENDS = frozenset(label[at:] for label in RESERVED for at in range(len(label)))
# Readable examples, where the expression covers them: a name that is likely to be free, the best
# known suffixes, and addresses for documentation (RFC 5737, RFC 3849).
_FREE_NAME = "corsguard"
_SUFFIXES = ("com", "org", "net", "io", "dev", "app")
_EXAMPLE_HOSTS = ("203.0.113.7", "2001:db8::7", _FREE_NAME)


class Owners(NamedTuple):
    """The owners of one kind that an expression covers."""

    names: frozenset[str]
    """All of them; where there are too many, some."""
    too_many: bool = False
    example: str | None = None
    """An origin that the expression matches, where there are too many."""
    shared: str = ""
    """The end that all names share in the middle of a label, where there are too many.

    It is `example.com` where a dot before it is missing.
    """


class Coverage(NamedTuple):
    """The owners that an expression covers.

    Names that can't be registered (RFC 6761) are not counted, nor are loopback, private and
    link-local addresses.
    """

    registered: Owners
    """Domains under suffixes where names are sold, names of one label, and IP addresses."""
    hosted: Owners
    """Names under private suffixes such as github.io. They are too many together with the
    registered ones."""
    ids: Owners
    """Hosts of schemes that have no domains, such as the ids of browser extensions."""


@lru_cache(64)
def measure_coverage(pattern: re.Pattern[str]) -> Coverage | None:
    """Count the owners that pattern covers, or return None where it is too large to count.

    Constructs that an automaton can't read exactly count as all that they may match.
    """
    try:
        return _OwnerCounter(pattern).count()
    except (BudgetExceededError, RecursionError):
        return None


class _PartialHost(NamedTuple):
    """The end of a host that has been read, and the states that read it or may read on."""

    hosts: Hosts
    name: str
    states: States


class _OwnerGroup:
    """The owners of one kind that have been found so far."""

    def __init__(self) -> None:
        self.found: dict[str, _PartialHost] = {}
        self.full: _PartialHost | None = None
        """The suffix below which there are too many owners."""
        self.shared = ""

    def fill(self, partial: _PartialHost, labels: list[str]) -> None:
        """Record that there are too many names below partial. Labels are the ends of some."""
        self.full = partial
        ends = _find_common_end(labels).lstrip("-_")
        if partial.name and len(labels) > 1 and len(ends) > 2:
            self.shared = f"{ends}.{partial.name}"


class _LimitReachedError(Exception):
    """There are too many registered owners, which ends the count."""


class _OwnerCounter:
    """The count of one pattern, by group."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._budget = Budget(_MAX_STEPS)
        self._text = pattern.pattern.replace("\\.", ".")
        self._automaton = build_automaton(pattern)
        self._registered, self._hosted, self._ids = _OwnerGroup(), _OwnerGroup(), _OwnerGroup()

    def count(self) -> Coverage:
        """Count the owners of each group."""
        try:
            domains = Hosts(self._automaton, build_origin_automaton("domain"), self._budget)
            self._count_below(domains, "", domains.last, self._registered)
            for kind in ("IPv4", "IPv6"):
                self._count_undivided(self._build_undivided_hosts(kind), self._registered)
            # Where a scheme is left open, the hosts behind it count as those of https, except
            # for ids that https can't have: in upper case (Safari's extensions), and numbers,
            # also in hexadecimal (URL standard, "ends in a number checker").
            self._count_undivided(
                self._build_undivided_hosts("id", without=domains.begun), self._ids
            )
            self._count_undivided(self._build_undivided_hosts("id but for https"), self._ids)
        except _LimitReachedError:
            none = Owners(frozenset())
            return Coverage(self._build_owners(self._registered), none, none)
        together = len(self._registered.found) + len(self._hosted.found)
        return Coverage(
            self._build_owners(self._registered),
            self._build_owners(self._hosted, too_many=together > MAX_OWNERS),
            self._build_owners(self._ids),
        )

    def _build_undivided_hosts(self, kind: str, without: frozenset[int] = frozenset()) -> Hosts:
        return Hosts(
            self._automaton,
            build_origin_automaton(kind),
            self._budget,
            separator="",
            without=without,
        )

    def _count_undivided(self, hosts: Hosts, group: _OwnerGroup) -> None:
        """Count hosts that are read as a whole: addresses and ids."""
        for whole, longer in hosts.labels(hosts.last):
            for label in whole:
                if _is_assigned_address(label.text):
                    group.found[label.text] = _PartialHost(hosts, label.text, label.states)
            if len(group.found) + len(longer) > MAX_OWNERS:
                self._mark_full(group, _PartialHost(hosts, "", hosts.last), [])
                return

    def _count_below(self, hosts: Hosts, name: str, states: States, group: _OwnerGroup) -> None:
        """Count the owners below name, a public suffix. States read the character before it."""
        if group.full:
            return
        elsewhere = frozenset[str]() if group is self._hosted else list_private_label_ends(name)
        if not name:
            elsewhere |= _RESERVED_ENDS
        suffixes: list[tuple[str, Label]] = []
        sure = 0
        for whole, longer in hosts.labels(states):
            for label in whole:
                if not name and label.text in RESERVED:
                    continue
                if self._count_label(hosts, _join_labels(label.text, name), label):
                    suffixes.append((_join_labels(label.text, name), label))
                    sure += label.text not in elsewhere
            ends = [text for text, _ in longer]
            if len(group.found) + sure + sum(end not in elsewhere for end in ends) > MAX_OWNERS:
                self._mark_full(group, _PartialHost(hosts, name, states), ends)
                return
        for suffix, label in suffixes:
            self._count_below(
                hosts, suffix, label.further or frozenset(), self._select_group(suffix)
            )

    def _count_label(self, hosts: Hosts, name: str, label: Label) -> bool:
        """Count the owner of name, and return True if there are other owners below name."""
        labels = name.split(".")
        suffix = find_suffix(name)
        is_suffix = suffix.labels == len(labels)
        if label.begins or not is_suffix:
            owned = ".".join(labels[-suffix.labels - 1 :])
            self._select_group(name).found.setdefault(
                owned, _PartialHost(hosts, name, label.states)
            )
        if label.further is None or is_suffix:
            return label.further is not None
        # All names below it have its owner, except those on the Public Suffix List.
        for listed in sorted(list_labels_below(name)):
            below, longer = hosts.follow(listed, label.further), f"{listed}.{name}"
            if below and self._count_label(hosts, longer, below):
                self._count_below(
                    hosts, longer, below.further or frozenset(), self._select_group(longer)
                )
        return False

    def _select_group(self, name: str) -> _OwnerGroup:
        return self._hosted if find_suffix(name).private else self._registered

    def _mark_full(self, group: _OwnerGroup, partial: _PartialHost, labels: list[str]) -> None:
        group.fill(partial, labels)
        if group is self._registered:
            raise _LimitReachedError

    def _build_owners(self, group: _OwnerGroup, *, too_many: bool = False) -> Owners:
        names = frozenset(group.found)
        if group.full is None and not too_many:
            return Owners(names)
        return Owners(names, too_many=True, example=self._find_example(group), shared=group.shared)

    def _find_example(self, group: _OwnerGroup) -> str | None:
        self._budget.renew()
        origins = (
            origin for partial in self._yield_examples(group) for origin in _yield_origins(partial)
        )
        return next(filter(self._is_match, islice(origins, _MAX_EXAMPLES)), None)

    def _yield_examples(self, group: _OwnerGroup) -> Iterator[_PartialHost]:
        """Yield names of group, the most readable first.

        Names that the pattern spells out are the author's own. They come last, if at all.
        """
        written: list[_PartialHost] = []
        partials = chain(
            _yield_readable_names(group.full) if group.full else (), list(group.found.values())
        )
        for partial in partials:
            if group is not self._ids and self._select_group(partial.name) is not group:
                continue
            if partial.name in self._text:
                written.append(partial)
            else:
                yield partial
        if not list_inexact_constructs(self._pattern):
            yield from written

    def _is_match(self, origin: str) -> bool:
        if not self._pattern.fullmatch(origin):
            return False
        try:
            Origin.parse(origin)
        except OriginError:
            return False
        return True


def _is_assigned_address(host: str) -> bool:
    """Return False for an IPv6 address that is unassigned or not serialised as browsers do."""
    if ":" not in host or host.startswith("["):
        return True
    try:
        return host not in _UNASSIGNED_ADDRESSES and bool(Origin.parse(f"https://[{host}]"))
    except OriginError:
        return False


def _yield_readable_names(partial: _PartialHost) -> Iterator[_PartialHost]:
    """Yield names below partial: a free name where it fits, then short names."""
    hosts, name, states = partial
    if not name:
        for suffix in (*_SUFFIXES, *sorted(list_labels_below("") - RESERVED)):
            label = hosts.follow(suffix, states)
            if label and label.further:
                yield from _yield_readable_names(_PartialHost(hosts, suffix, label.further))
    words = (_FREE_NAME,) if hosts.separator else _EXAMPLE_HOSTS
    short: list[Label] = []
    for text, reached, whole in hosts.reachable(states):
        for word in words:
            label = hosts.follow(word, reached)
            if label:
                yield _PartialHost(hosts, _join_labels(word + text, name), label.states)
        short.extend(whole)
    for label in short:
        yield _PartialHost(hosts, _join_labels(label.text, name), label.states)


def _yield_origins(partial: _PartialHost) -> Iterator[str]:
    """Yield origins of a name, with https where that is left open."""
    for beginning in partial.hosts.beginnings(partial.states):
        for tail in partial.hosts.tails[:_MAX_EXAMPLES]:
            origin = beginning + partial.name + tail
            if origin.startswith("http://"):
                yield f"https{origin.removeprefix('http')}"
            yield origin


def _join_labels(label: str, suffix: str) -> str:
    return f"{label}.{suffix}" if suffix else label


def _find_common_end(texts: list[str]) -> str:
    end = min(texts, default="")
    while not all(text.endswith(end) for text in texts):
        end = end[1:]
    return end
