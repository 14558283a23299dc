"""The exchanges of a replay: what pages send, from which origins, to which paths.

All combinations would be too many. Every kind of request is tried from a few origins, every origin
with a few kinds of requests, and every path from one origin. The number is bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from corsguard.browser.messages import Fields
from corsguard.cli.migrate.replay.entries import Entry, PolicyTable, find_table, read_tables
from corsguard.cli.migrate.replay.origins import (
    LISTED,
    UNTRUSTED,
    OriginCase,
    Trust,
    list_listed,
    list_near_misses,
)
from corsguard.fetch_spec import SAFELISTED_METHODS, is_forbidden_request_header, is_token

__all__ = ["JSON", "UNNAMED", "Exchange", "Samples", "generate_exchanges"]

JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_CONTENT_TYPE = "Content-Type"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The methods of a path whose methods are not given."""
_METHODS_WITH_BODY = ("POST", "PUT", "PATCH")
_HEADERS = {"Authorization": "Bearer x", "X-Requested-With": "XMLHttpRequest"}
"""Header -> the value that pages send; those that a configuration names have another one."""
UNNAMED = "X-Corsguard-Unnamed"
"""A response header that no configuration names, which only `*` exposes."""
_EXPOSED = (UNNAMED,)
_MOST_HEADERS = 12
_MOST_FULL_ORIGINS = 4
_MOST_FULL_PATHS = 6
_MOST_COVERED_PATHS = 12
_MOST_ORIGINS = 40
_MOST_PATHS = 40
_MOST_NEAR_ORIGINS = 6


class Samples(NamedTuple):
    """What another configuration names beside the mapping: the one that is compared with it."""

    origins: tuple[Entry, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()


class Exchange(NamedTuple):
    """One request of a script on a page."""

    case: OriginCase
    """The origin of the page."""
    path: str
    method: str
    headers: Fields = ()
    body: bytes | None = None
    has_credentials: bool = False
    response_headers: tuple[str, ...] = ()
    """The header fields that the application's response has beside those of CORS."""

    @property
    def origin(self) -> str:
        """The origin of the page, as `Origin` has it."""
        return self.case.origin

    @property
    def is_listed(self) -> bool:
        """True if a configuration means to allow the page.

        An entry that allows any site does not mean that any site may act as the user.
        """
        trust = self.case.trust
        return trust in {Trust.LISTED, Trust.MATCHED} or (
            trust is Trust.ANYONE and not self.has_credentials
        )

    @property
    def request(self) -> tuple[str, Fields, bool]:
        """The request without its origin and path: the method, the headers, the credentials."""
        return self.method, self.headers, self.has_credentials


class _Shape(NamedTuple):
    """A request without its origin, its path and its credentials."""

    method: str
    headers: Fields = ()
    body: bytes | None = None


def generate_exchanges(
    mapping: Mapping[str, Any],
    samples: Samples = Samples(),  # noqa: B008  # immutable
    paths: Mapping[str, Collection[str]] | None = None,
) -> list[Exchange]:
    """Return the exchanges that show what a configuration allows, at most about a thousand.

    `mapping` is the configuration, in the shape that Guard.from_mapping takes. It may be invalid.
    `samples` are the names of another configuration that it is compared with. `paths` is path ->
    the methods that the application takes there, all of them where they are empty; None for the
    path of each route.
    """
    tables = read_tables(mapping)
    if paths is None:
        paths = {table.prefix: () for table in tables}
    return [*dict.fromkeys(_Generator(tables, samples, paths).generate())]


class _Generator:
    """The generator of the exchanges of one configuration."""

    def __init__(
        self,
        tables: Sequence[PolicyTable],
        samples: Samples,
        paths: Mapping[str, Collection[str]],
    ) -> None:
        self._tables = tables
        self._samples = samples
        self._paths = paths
        entries = (*samples.origins, *(entry for table in tables for entry in table.origins))
        cases = list_listed(entries)
        self._listed = [case for case in cases if case.trust in LISTED]
        self._unmatched = [case for case in cases if case.trust not in LISTED]
        """Origins that belong to others, with the entry that matches them, or matches nothing."""
        self._headers = _choose_headers(
            (*samples.headers, *(name for table in tables for name in table.headers))
        )
        self._methods = tuple(
            dict.fromkeys(
                name
                for name in (
                    *_METHODS,
                    *samples.methods,
                    *(name for table in tables for name in table.methods),
                )
                if is_token(name) and name not in {"HEAD", "OPTIONS"}
            )
        )
        exposed = (name for table in tables for name in table.exposed_headers)
        self._exposed = tuple(
            name
            for name in dict.fromkeys((*_EXPOSED, *samples.exposed_headers, *exposed))
            if is_token(name)
        )

    def generate(self) -> Iterator[Exchange]:
        """Yield the exchanges, some of them more than once."""
        full = self._choose_full_paths()
        for index, path in enumerate(full):
            cases = self._choose_full_cases(path)
            for case in cases if index == 0 else cases[: _MOST_FULL_ORIGINS // 2]:
                yield from self._build(case, path, self._list_shapes(path))
        for path in full:
            for case in _thin(self._listed, _MOST_ORIGINS):
                yield from self._build(case, path, self._list_core_shapes(path))
        paths = _thin([*self._paths], _MOST_PATHS)
        covered = _thin(paths, _MOST_COVERED_PATHS)
        for path in paths:
            plain = [_build_plain(method) for method in self._list_methods(path)]
            shapes = self._list_shapes(path) if path in covered else plain
            for case in self._choose_full_cases(path)[:1]:
                yield from self._build(case, path, shapes)
            for case in UNTRUSTED:
                yield from self._build(case, path, plain[:1])
        near = list_near_misses(_thin(self._listed, _MOST_NEAR_ORIGINS), self._listed)
        for path in full[:1]:
            for case in (*self._unmatched, *near):
                yield from self._build(case, path, self._list_core_shapes(path)[:1])

    def _choose_full_paths(self) -> list[str]:
        """Return a path for each route and each set of methods that paths have."""
        chosen: dict[tuple[str, frozenset[str]], str] = {}
        for path, methods in self._paths.items():
            table = find_table(self._tables, path)
            chosen.setdefault((table.prefix if table else "", frozenset(methods)), path)
        return [*chosen.values()][:_MOST_FULL_PATHS]

    def _choose_full_cases(self, path: str) -> list[OriginCase]:
        """Return origins that the route of path lists, at least one of each pattern."""
        table = find_table(self._tables, path)
        of_route = {*(table.origins if table else ()), *self._samples.origins}
        cases = [case for case in self._listed if case.entry in of_route] or self._listed
        first: dict[Entry | None, OriginCase] = {}
        for case in cases:
            first.setdefault(None if case.trust is Trust.LISTED else case.entry, case)
        return [*dict.fromkeys((*first.values(), *cases))][:_MOST_FULL_ORIGINS]

    def _build(self, case: OriginCase, path: str, shapes: Iterable[_Shape]) -> Iterator[Exchange]:
        for shape in shapes:
            for has_credentials in (False, True):
                yield Exchange(case, path, *shape, has_credentials, self._exposed)

    def _list_methods(self, path: str) -> list[str]:
        given = {method.upper() for method in self._paths[path]}
        others = sorted(given - {*self._methods, "HEAD", "OPTIONS"})
        return [name for name in self._methods if not given or name in given] + others

    def _list_shapes(self, path: str) -> list[_Shape]:
        """Return every kind of request to path."""
        methods = self._list_methods(path)
        headers = [(name, value) for name, value in self._headers.items() if methods]
        return [
            *map(_build_plain, methods),
            *_list_json_shapes(methods),
            *(_build_plain(methods[0], field) for field in headers),
        ]

    def _list_core_shapes(self, path: str) -> list[_Shape]:
        """Return a request without a preflight where there is one, and two with a preflight."""
        methods = self._list_methods(path)
        unsafe = [method for method in methods if method not in SAFELISTED_METHODS]
        return [*map(_build_plain, [*methods[:1], *unsafe[:1]]), *_list_json_shapes(methods)]


def _build_plain(method: str, *fields: tuple[str, str]) -> _Shape:
    """Return a request with fields; a POST is that of a form."""
    if method == "POST":
        return _Shape(method, ((_CONTENT_TYPE, _FORM), *fields), b"a=1")
    return _Shape(method, fields)


def _list_json_shapes(methods: Collection[str]) -> list[_Shape]:
    with_body = [method for method in _METHODS_WITH_BODY if method in methods]
    return [_Shape(method, ((_CONTENT_TYPE, JSON),), b"{}") for method in with_body[:1]]


def _choose_headers(names: Iterable[str]) -> dict[str, str]:
    """Return request header -> value, for those that pages send and those that are named."""
    headers = {**_HEADERS}
    known = {_CONTENT_TYPE.lower(), "*", *(name.lower() for name in headers)}
    for name in names:
        key = name.lower()
        if key not in known and is_token(name) and not is_forbidden_request_header(key):
            known.add(key)
            headers[name] = "1"
    return dict([*headers.items()][:_MOST_HEADERS])


def _thin(values: Sequence[Any], most: int) -> list[Any]:
    """Return at most `most` of values, from all over their order."""
    if len(values) <= most:
        return [*values]
    return [values[index * len(values) // most] for index in range(most)]
