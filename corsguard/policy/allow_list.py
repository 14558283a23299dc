"""The allow-list of a policy, indexed, whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from re import Pattern

from corsguard.origin import Origin, OriginPattern, match_domain_origin
from corsguard.policy.origin_entry import FlaggedEntry, OriginEntry, unwrap, wrap
from corsguard.policy.predicates import Predicate

__all__ = ["AllowList"]

_PART_SIZE = 256
"""Origins in a part, on average, when it is built: to replace one of them takes microseconds."""
_DEFAULT_PORT = ",,"
"""The ports of most origins: the default one alone."""
_MAX_CHANGES = 8_192
"""Changes that are kept beside the entries of an earlier list."""

_Port = tuple[str, str]
"""The scheme and the port of a pattern, `("https", "*")`."""
_Wide = dict[str, frozenset[_Port]]
"""The host of a pattern, or `.host` for its subdomains -> its ports."""
_Label = tuple[str, str, str, str]
"""What a label begins and ends with around `*`, the scheme and the port of the pattern."""
_Labels = dict[str, dict[tuple[int, int], frozenset[_Label]]]
"""The host behind a label with `*` -> lengths of its two parts -> the labels."""
_WILDCARD_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
"""The characters that `*` covers in a label."""


def _accept(entry: OriginEntry) -> OriginEntry:
    return entry


class AllowList:
    """The entries of `allow_origins`. Immutable: `replace` returns another that shares what stays.

    Exact origins are spread over many small dicts, by scheme and host. So neither building a long
    list nor changing an entry of it takes long in one step, during which no other thread runs.

    `accept` is called with each special entry. It returns the entry in its normalised form, or
    None for one to leave out.
    """

    __slots__ = (
        "_added",
        "_base",
        "_entries",
        "_labels",
        "_mask",
        "_removed",
        "_wide",
        "exact_count",
        "is_any",
        "parts",
        "special",
    )

    special: tuple[FlaggedEntry, ...]
    """The entries that need a look each, in their order: all but https origins of ASCII domains."""
    is_any: bool
    """True if `*` is an entry."""
    parts: list[dict[str, str]]
    """The exact origins: origin without its port -> its ports between commas, `,,8443,`.

    Dicts of str, so that the garbage collector does not look at a million origins."""
    exact_count: int
    """The number of exact origins."""

    def __init__(
        self,
        entries: Sequence[OriginEntry],
        accept: Callable[[OriginEntry], OriginEntry | None] = _accept,
    ) -> None:
        count = 1
        while count * _PART_SIZE < len(entries):
            count *= 2
        self._mask = count - 1
        self.parts = [{} for _ in range(count)]
        self.exact_count = 0
        special: list[FlaggedEntry] = []
        # From a generator: to copy a long list in one step would hold up other threads.
        self._base = tuple(self._sort_in(entries, special, accept))
        self._added: tuple[OriginEntry, ...] = ()
        self._removed = _Entries()
        self._entries: tuple[OriginEntry, ...] | None = self._base
        self._set_special(tuple(special))

    def _sort_in(
        self,
        entries: Iterable[OriginEntry],
        special: list[FlaggedEntry],
        accept: Callable[[OriginEntry], OriginEntry | None],
    ) -> Iterator[OriginEntry]:
        """Yield the entries that are kept, each once it is put among the exact or the special."""
        for entry in entries:
            match = match_domain_origin(entry) if isinstance(entry, str) else None
            if match is not None and "xn--" not in match[0]:  # which may be invalid Punycode
                self._add_exact(match[1], match[2] or "")
                yield entry
                continue
            accepted = accept(entry)
            if accepted is None:
                continue
            special.append(wrap(accepted))
            text = unwrap(accepted)
            if isinstance(text, str) and "*" not in text:
                self._add_exact(*_split_port(text))
            yield accepted

    def _add_exact(self, start: str, port: str) -> None:
        part = self.parts[hash(start) & self._mask]
        ports = part.get(start)
        if ports is None:
            part[start] = f",{port}," if port else _DEFAULT_PORT
        elif f",{port}," in ports:
            return
        else:
            part[start] = f"{ports}{port},"
        self.exact_count += 1

    def _remove_exact(self, start: str, port: str) -> None:
        part = self.parts[hash(start) & self._mask]
        ports = part.get(start, "")
        if f",{port}," in ports:
            self.exact_count -= 1
            rest = ports.replace(f",{port},", ",", 1)
            if rest == ",":
                del part[start]
            else:
                part[start] = rest

    def _set_special(self, special: tuple[FlaggedEntry, ...]) -> None:
        self.special = special
        self.is_any = any(entry.origin == "*" for entry in special)
        patterns = [OriginPattern.of(str(each.origin)) for each in special if _is_pattern(each)]
        self._wide = _index_hosts(each for each in patterns if not each.label)
        self._labels = _index_labels(each for each in patterns if each.label)

    @property
    def entries(self) -> tuple[OriginEntry, ...]:
        """All entries, in the order in which they were given."""
        if self._entries is None:
            self._entries = tuple(self._iterate())
        return self._entries

    def _iterate(self) -> Iterator[OriginEntry]:
        removed = self._removed
        yield from (entry for entry in self._base if entry not in removed)
        yield from self._added

    @property
    def predicates(self) -> list[Predicate]:
        """The callables."""
        return [
            entry.origin for entry in self.special if not isinstance(entry.origin, (str, Pattern))
        ]

    def __bool__(self) -> bool:
        return bool(self.special) or self.exact_count > 0

    def __contains__(self, entry: object) -> bool:
        """Return True if entry is one of the entries as it is written, whatever their flags."""
        entry = entry.origin if isinstance(entry, FlaggedEntry) else entry
        if not isinstance(entry, str) or entry == "*":
            return any(each.origin == entry for each in self.special)
        if "*" not in entry:
            return self.has_exact(entry)
        pattern = OriginPattern.of(entry)
        if str(pattern) != entry:  # another spelling, which `replace` would not remove
            return False
        if pattern.label:
            start, _, end = pattern.label.partition("*")
            labels = self._labels.get(pattern.host, {}).get((len(start), len(end)), ())
            return (start, end, pattern.scheme, pattern.port) in labels
        return (pattern.scheme, pattern.port) in self._wide.get(_find_key(pattern), ())

    def has_exact(self, origin: str) -> bool:
        """Return True if origin is an exact origin of the list."""
        start, port = _split_port(origin)
        ports = self.parts[hash(start) & self._mask].get(start)
        return ports is not None and f",{port}," in ports

    def has_pattern(self, origin: Origin) -> bool:
        """Return True if a pattern for a port, subdomains or a label with `*` covers origin.

        Costs a look-up for each label of the host, and one for all labels with `*` of one length,
        whatever the number of patterns.
        """
        ports = ((origin.scheme, str(origin.port or "")), (origin.scheme, "*"))
        if self._labels and self._has_label(origin.host, ports):
            return True
        if not self._wide:
            return False
        host = origin.host
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

    def find_entries(self, hosts: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
        """Return, for each scheme and host, its origins and patterns as port -> entry, sorted.

        A host may begin with `*.`. A port is empty for the default one, and `*` for any.
        """
        result = []
        for scheme, host in hosts:
            start = f"{scheme}://{host}"
            found: dict[str, str] = {}
            ports = self.parts[hash(start) & self._mask].get(start)
            for port in ports[1:-1].split(",") if ports else ():
                found[port] = f"{start}:{port}" if port else start
            for known, port in self._wide.get(host.removeprefix("*"), ()):
                if known == scheme:
                    found[port] = f"{start}:{port}" if port else start
            if self._labels:
                self._find_labels(scheme, host, found)
            result.append(dict(sorted(found.items())) if len(found) > 1 else found)
        return result

    def _find_labels(self, scheme: str, host: str, found: dict[str, str]) -> None:
        """Add the patterns that cover a host by a label with `*`."""
        first, _, parent = host.partition(".")
        for labels in self._labels.get(parent, {}).values():
            for before, after, known, port in labels:
                if known == scheme and _fits(first, before, after):
                    text = f"{scheme}://{before}*{after}.{parent}"
                    found[port] = f"{text}:{port}" if port else text

    def _has_label(self, host: str, ports: Iterable[_Port]) -> bool:
        """Return True if a label with `*` covers the first label of a host."""
        first, _, parent = host.partition(".")
        for (before, after), labels in self._labels.get(parent, {}).items():
            start, end = first[:before], first[len(first) - after :]
            if any((start, end, *port) in labels for port in ports) and _fits(first, start, end):
                return True
        return False

    def replace(self, add: AllowList, remove: Iterable[OriginEntry]) -> AllowList:
        """Return this list without the entries of remove, and then with those of add at its end.

        Takes as long as the changes and the special entries are many, not the exact origins: but
        for one call in thousands, which lists the entries anew.
        """
        gone = _Entries(remove)
        new = tuple(each for each in add.entries if each in gone or each not in self)
        if not self._mask or self.exact_count + len(new) > 4 * _PART_SIZE * len(self.parts):
            return AllowList((*(each for each in self.entries if each not in gone), *new))
        changed = object.__new__(AllowList)
        changed._base, changed._entries = self._base, None
        changed._added = (*(each for each in self._added if each not in gone), *new)
        changed._removed = self._removed.union(gone)
        changed._mask, changed.parts = self._mask, [*self.parts]
        changed.exact_count = self.exact_count
        removed = [_split_port(text) for text in gone.texts if "*" not in text]
        added = [_split_port(str(unwrap(each))) for each in new if _is_exact(each)]
        for at in {hash(start) & self._mask for start, _ in (*removed, *added)}:
            changed.parts[at] = changed.parts[at].copy()
        for start, port in removed:
            changed._remove_exact(start, port)
        for start, port in added:
            changed._add_exact(start, port)
        special = tuple(each for each in self.special if each not in gone)
        special += tuple(each for each in add.special if each in gone or each not in self)
        if any(map(_is_pattern, (*gone.texts, *new))):
            changed._set_special(special)
        else:
            changed.special = special
            changed.is_any = any(entry.origin == "*" for entry in special)
            changed._wide, changed._labels = self._wide, self._labels
        if len(changed._added) + len(changed._removed) > _MAX_CHANGES:
            changed._base = tuple(changed._iterate())
            changed._added, changed._removed = (), _Entries()
        return changed

    def __reduce__(self) -> tuple[object, ...]:
        return AllowList, (self.entries,)


class _Entries:
    """A set of entries, whatever their flags. They need not be hashable unless they are texts."""

    def __init__(self, entries: Iterable[OriginEntry] = ()) -> None:
        listed = [unwrap(entry) for entry in entries]
        self.texts: frozenset[str] = frozenset(each for each in listed if isinstance(each, str))
        self._others = [each for each in listed if not isinstance(each, str)]

    def __contains__(self, entry: OriginEntry) -> bool:
        bare = unwrap(entry)
        return bare in self.texts if isinstance(bare, str) else bare in self._others

    def __len__(self) -> int:
        return len(self.texts) + len(self._others)

    def union(self, other: _Entries) -> _Entries:
        both = _Entries()
        both.texts = self.texts | other.texts
        both._others = [*self._others, *other._others]
        return both


def _is_exact(entry: OriginEntry) -> bool:
    text = unwrap(entry)
    return isinstance(text, str) and "*" not in text


def _is_pattern(entry: OriginEntry) -> bool:
    text = unwrap(entry)
    return isinstance(text, str) and "*" in text and text != "*"


def _split_port(origin: str) -> tuple[str, str]:
    """Return an origin without its port, and the port, which is empty for the default one."""
    start, _, port = origin.rpartition(":")
    return (start, port) if port.isdecimal() and start else (origin, "")


def _fits(label: str, start: str, end: str) -> bool:
    """Return True if `*` between start and end covers a label: one or more characters."""
    middle = label[len(start) : len(label) - len(end)]
    return (
        bool(middle)
        and label.startswith(start)
        and label.endswith(end)
        and _WILDCARD_CHARACTERS.issuperset(middle)
    )


def _index_hosts(patterns: Iterable[OriginPattern]) -> _Wide:
    """Return the index of the patterns for any port and for subdomains."""
    index: dict[str, set[_Port]] = {}
    for pattern in patterns:
        index.setdefault(_find_key(pattern), set()).add((pattern.scheme, pattern.port))
    shared: dict[frozenset[_Port], frozenset[_Port]] = {}  # most patterns have the same ports
    return {
        key: shared.setdefault(ports, ports)
        for key, ports in ((key, frozenset(ports)) for key, ports in index.items())
    }


def _index_labels(patterns: Iterable[OriginPattern]) -> _Labels:
    """Return the index of the patterns with `*` in a label."""
    index: dict[str, dict[tuple[int, int], set[_Label]]] = {}
    for pattern in patterns:
        start, _, end = pattern.label.partition("*")
        labels = index.setdefault(pattern.host, {}).setdefault((len(start), len(end)), set())
        labels.add((start, end, pattern.scheme, pattern.port))
    return {
        host: {lengths: frozenset(labels) for lengths, labels in by_lengths.items()}
        for host, by_lengths in index.items()
    }


def _find_key(pattern: OriginPattern) -> str:
    """Return the key of a pattern without a label in the index."""
    return f".{pattern.host}" if pattern.subdomains else pattern.host
