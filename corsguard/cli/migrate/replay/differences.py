"""The differences between two replays: findings, merged by methods, origins and paths."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from corsguard.cli.migrate.replay.exchanges import Exchange
from corsguard.cli.migrate.replay.findings import Cause, Change, Finding, find_changes
from corsguard.cli.migrate.replay.judge import Verdict
from corsguard.cli.migrate.replay.sentences import Group, build_sentence, describe_cause

__all__ = ["Difference", "compare"]

T = TypeVar("T")
_EVERY = None
"""In a key: all origins, or all paths, that were tried with the requests of a group."""
_CHANGES = [*Change]
_CAUSES = [*Cause]


class Difference(NamedTuple):
    """One change of what pages may do, from the old application to the new one."""

    verdict: Change
    cause: str
    """Why it is blocked, in words; empty where it is no longer blocked."""
    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    """The request headers or the response headers that it is about; empty for whole requests."""
    paths: tuple[str, ...]
    has_credentials: bool
    """True if it is about requests with the user's cookies."""
    sentence: str

    @property
    def is_loss(self) -> bool:
        """True if a listed origin loses something."""
        return self.verdict.is_loss

    def as_dict(self) -> dict[str, Any]:
        """Return the difference for JSON."""
        fields = {
            name: [*value] if isinstance(value, tuple) else value
            for name, value in self._asdict().items()
        }
        return {**fields, "verdict": self.verdict.value, "is_loss": self.is_loss}


def compare(
    exchanges: Sequence[Exchange], before: Iterable[Verdict], after: Iterable[Verdict]
) -> list[Difference]:
    """Return the differences between the verdicts on exchanges, the most important first.

    Losses of listed origins come first, and then what is no longer open to others.
    """
    before, after = [*before], [*after]
    found = find_changes(exchanges, before, after)
    readable = [
        exchange
        for exchange, *verdicts in zip(exchanges, before, after, strict=True)
        if any(verdict.can_read for verdict in verdicts)
    ]
    merged = [
        group
        for kind, findings in _group(found, _get_kind).items()
        for group in _merge(_Tried(_leave_out(readable, found, kind)), findings)
    ]
    merged.sort(key=lambda group: (_CHANGES.index(group.change), _CAUSES.index(group.cause)))
    return [_build_difference(group) for group in merged]


def _leave_out(
    exchanges: Iterable[Exchange], findings: Iterable[Finding], kind: Hashable
) -> list[Exchange]:
    """Return exchanges without those that change in another way than kind."""
    others = {finding.exchange for finding in findings if _get_kind(finding) != kind}
    return [each for each in exchanges if each not in others]


class _Tried:
    """The origins and the paths that each request was tried with."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._origins: dict[Hashable, set[str]] = {}
        """(path, request, listed or not) -> origins"""
        self._paths: dict[Hashable, set[str]] = {}
        """(request, listed or not) -> paths"""
        for each in exchanges:
            key = each.path, each.request, each.is_listed
            self._origins.setdefault(key, set()).add(each.origin)
            self._paths.setdefault(key[1:], set()).add(each.path)

    def has_all_origins(self, exchanges: Iterable[Exchange]) -> bool:
        """Return True if exchanges have all origins that their requests were tried with."""
        exchanges = [*exchanges]
        origins = {each.origin for each in exchanges}
        return all(
            self._origins[each.path, each.request, each.is_listed] <= origins for each in exchanges
        )

    def has_all_paths(self, exchanges: Iterable[Exchange]) -> bool:
        """Return True if exchanges have all paths that their requests were tried with."""
        exchanges = [*exchanges]
        paths = {each.path for each in exchanges}
        return all(self._paths[each.request, each.is_listed] <= paths for each in exchanges)


def _get_kind(finding: Finding) -> tuple[object, ...]:
    return finding.change, finding.cause, finding.text


def _group(values: Iterable[T], get_key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for value in values:
        groups.setdefault(get_key(value), []).append(value)
    return groups


def _merge(tried: _Tried, findings: Iterable[Finding]) -> Iterator[Group]:
    """Yield the groups of findings of one kind, merged by origin, by path and by subject."""
    same_request = _group(
        findings, lambda each: (each.subject, each.exchange.origin, each.exchange.path)
    )
    parts = [_Part.of(found) for found in same_request.values()]
    at_paths = [
        _Part.join(found)
        for found in _group(parts, lambda each: (*each.about, each.paths)).values()
    ]
    for index, part in enumerate(at_paths):
        if part.change not in _NAMED and tried.has_all_origins(part.exchanges):
            at_paths[index] = part._replace(origins_key=_EVERY)
    everywhere = [
        _Part.join(found)
        for found in _group(at_paths, lambda each: (*each.about, each.origins_key)).values()
    ]
    for index, part in enumerate(everywhere):
        if tried.has_all_paths(part.exchanges):
            everywhere[index] = part._replace(paths_key=_EVERY)
    for found in _group(
        everywhere, lambda each: (each.has_cookies, each.origins_key, each.paths_key)
    ).values():
        yield _build_group(_Part.join(found))


_NAMED = frozenset({Change.CLOSED, Change.OPENED})
"""Changes whose origins are named, as these are not the listed ones."""


class _Part(NamedTuple):
    """Findings of one kind on their way to be merged."""

    findings: tuple[Finding, ...]
    has_cookies: bool
    origins_key: frozenset[str] | None
    paths_key: frozenset[str] | None

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> _Part:
        """Return the findings on one request, with cookies, without, or both."""
        used = {finding.exchange.has_credentials for finding in findings}
        # Of an untrusted origin, the worse of both counts.
        has_cookies = True in used if findings[0].change in _NAMED else used == {True}
        return cls._build(findings, has_cookies=has_cookies)

    @classmethod
    def join(cls, parts: Sequence[_Part]) -> _Part:
        """Return parts that differ in one thing as one."""
        first = parts[0]
        joined = cls._build(
            [finding for part in parts for finding in part.findings], has_cookies=first.has_cookies
        )
        return joined._replace(
            origins_key=first.origins_key and joined.origins_key,
            paths_key=first.paths_key and joined.paths_key,
        )

    @classmethod
    def _build(cls, findings: Sequence[Finding], *, has_cookies: bool) -> _Part:
        return cls(
            tuple(findings),
            has_cookies,
            frozenset(finding.exchange.origin for finding in findings),
            frozenset(finding.exchange.path for finding in findings),
        )

    @property
    def about(self) -> tuple[str, bool]:
        """The subject, and whether only requests with cookies are concerned."""
        return self.findings[0].subject, self.has_cookies

    @property
    def change(self) -> Change:
        return self.findings[0].change

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(finding.exchange.path for finding in self.findings)

    @property
    def exchanges(self) -> list[Exchange]:
        return [finding.exchange for finding in self.findings]


def _build_group(part: _Part) -> Group:
    first = part.findings[0]
    return Group(
        first.change,
        first.cause,
        tuple(dict.fromkeys(each.subject for each in part.findings if each.subject)),
        tuple(dict.fromkeys(each.exchange.case for each in part.findings)),
        tuple(dict.fromkeys(each.exchange.path for each in part.findings)),
        tuple(dict.fromkeys(each.exchange.method for each in part.findings)),
        has_cookies=part.has_cookies,
        has_all_origins=part.origins_key is _EVERY,
        has_all_paths=part.paths_key is _EVERY,
        text=first.text,
    )


def _build_difference(group: Group) -> Difference:
    return Difference(
        group.change,
        describe_cause(group),
        tuple(case.origin for case in group.cases),
        group.methods,
        group.subjects if group.cause in {Cause.HEADER, Cause.EXPOSED} else (),
        group.paths,
        group.has_cookies,
        build_sentence(group),
    )
