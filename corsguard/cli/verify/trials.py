"""The requests that show whether a server follows a policy.

All combinations would be too many. Every path gets a few requests, and the first path of each
policy gets all origins and methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from corsguard import Guard, Policy
from corsguard.browser.messages import Sent
from corsguard.cli.audit.origin_probes import list_origin_probes, list_untrusted_origins
from corsguard.cli.audit.path_spellings import MISSING
from corsguard.cli.route_policies import iter_route_policies
from corsguard.fetch_spec import REQUEST_HEADERS, REQUEST_METHOD
from corsguard.origin import Origin, OriginPattern

__all__ = ["Trial", "list_listed_origins", "list_paths", "list_trials"]

_ANY_PAGE = "https://app.example.com"
_SAMPLE = "corsguard"
"""What takes the place of `*` in a pattern."""
_SAMPLE_PORT = "8441"
_MOST_ORIGINS = 6
_MOST_METHODS = 6
_PATH_CHARACTERS = "/!$&'()*+,;=:@~"  # RFC 3986, 3.3


class Trial(NamedTuple):
    """A request, and what is wrong if it is allowed although the policy refuses it."""

    path: str
    """The path of the policy, decoded."""
    sent: Sent
    at: str
    """The decoded path of the request: the same one, or one below it that does not exist."""
    origin: str | None = None
    code: str = "origin-reflected"
    implied_by: frozenset[str] = frozenset()
    """Codes of broader mistakes, which allow this origin as well."""

    @property
    def is_preflight(self) -> bool:
        """True for a preflight."""
        return any(name == REQUEST_METHOD for name, _ in self.sent.headers)


class _Probe(NamedTuple):
    origin: str
    code: str = "origin-reflected"
    implied_by: frozenset[str] = frozenset()


def list_paths(guard: Guard) -> list[str]:
    """Return the prefix of each route, those without CORS included."""
    return [*dict.fromkeys(route.prefix or "/" for route in iter_route_policies(guard.policies))]


def list_listed_origins(policies: Iterable[Policy]) -> list[str]:
    """Return origins that policies list, one for each pattern, at most a few.

    They are taken from all over the list. Regular expressions and look-ups list none.
    """
    entries = [entry for policy in policies for entry in policy.allow_origins]
    origins = [*dict.fromkeys(_sample(entry) for entry in entries if isinstance(entry, str))]
    if len(origins) <= _MOST_ORIGINS:
        return origins
    last = len(origins) - 1
    return [origins[index * last // (_MOST_ORIGINS - 1)] for index in range(_MOST_ORIGINS)]


def list_trials(
    base: str, path: str, guard: Guard, *, is_full: bool, has_unsafe: bool
) -> Iterator[Trial]:
    """Yield the requests to a path.

    `base` is the URL of the service's path `/`. `is_full` adds all origins and methods of the
    path's policies. `has_unsafe` adds requests with their methods.
    """
    trials = _Trials(base, path)
    policies = guard.policies_for(path)
    every = (each.policy for each in iter_route_policies(guard.policies) if each.policy)
    # Where no policy applies, a layer may allow the origins that it allows elsewhere.
    pages = list_listed_origins(policies or every) or [_ANY_PAGE]
    methods = [*dict.fromkeys(name for policy in policies for name in policy.allow_methods)]
    names = [*dict.fromkeys(name for policy in policies for name in policy.allow_headers)]
    untrusted = [*_list_untrusted(pages[0])]
    listed, others = pages[:1], pages[1:] if is_full else []
    for origin in (*listed, *untrusted[:1], None, *others):
        yield trials.build_actual(_Probe(origin) if origin else None)
    yield trials.build_actual(_Probe(pages[0]), is_missing=True)
    tried = [name for name in methods if name != "*"][: _MOST_METHODS if is_full else 1]
    for method in dict.fromkeys((*tried, "GET")):
        yield trials.build_preflight(_Probe(pages[0]), method, names)
    for origin in others:
        yield trials.build_preflight(_Probe(origin), [*tried, "GET"][0], names)
    yield trials.build_preflight(_Probe(untrusted[0]), "GET", names)
    if is_full:
        probes = [*_list_near_misses(pages, untrusted)]
        for probe in probes:
            yield trials.build_actual(probe)
        yield trials.build_preflight(probes[0], "GET", names)
    for method in tried if has_unsafe else ():
        yield trials.build_actual(_Probe(pages[0]), method)


class _Trials:
    """The requests to one path."""

    def __init__(self, base: str, path: str) -> None:
        self._base = base.rstrip("/")
        self._path = path

    def build_actual(
        self, probe: _Probe | None, method: str = "GET", *, is_missing: bool = False
    ) -> Trial:
        """Return a request as a page of that origin sends it; None for no Origin."""
        at = f"{self._path.rstrip('/')}/{MISSING}" if is_missing else self._path
        if probe is None:
            return Trial(self._path, Sent(method, self._build_url(at), ()), at)
        headers = (("Origin", probe.origin),)
        return Trial(self._path, Sent(method, self._build_url(at), headers), at, *probe)

    def build_preflight(self, probe: _Probe, method: str, names: list[str]) -> Trial:
        """Return a preflight for a request with that method and those headers."""
        headers = [("Origin", probe.origin), (REQUEST_METHOD, method)]
        if requested := ",".join(sorted(name.lower() for name in names if name != "*")):
            headers.append((REQUEST_HEADERS, requested))
        sent = Sent("OPTIONS", self._build_url(self._path), tuple(headers))
        return Trial(self._path, sent, self._path, *probe)

    def _build_url(self, path: str) -> str:
        return self._base + quote(path, safe=_PATH_CHARACTERS)


def _sample(entry: str) -> str:
    """Return an origin that an entry of a policy covers."""
    pattern = OriginPattern.parse(entry)
    if pattern.any_origin:
        return _ANY_PAGE
    text = entry.removesuffix(":*")
    return text.replace("*", _SAMPLE, 1) + (f":{_SAMPLE_PORT}" if text != entry else "")


def _list_untrusted(page: str) -> tuple[str, ...]:
    return list_untrusted_origins(Origin.parse(page))


def _list_near_misses(pages: list[str], untrusted: list[str]) -> Iterator[_Probe]:
    """Yield origins similar to the first pages, `null` first, and the rest of the untrusted."""
    reflected = frozenset({"origin-reflected"})
    yield _Probe("null", "null-allowed", reflected)
    for origin in untrusted[1:]:
        yield _Probe(origin)
    for page in map(Origin.parse, pages[:2]):
        for probe in list_origin_probes(page):
            for similar in probe.origins:
                yield _Probe(similar, probe.code, probe.implied_by | reflected)
        if not page.opaque and not page.host.startswith("["):
            dotted = str(page._replace(host=f"{page.host}."))
            yield _Probe(dotted, "trailing-dot", reflected | {"prefix-match", "substring-match"})
            upper = str(page._replace(host=page.host.upper()))
            yield _Probe(upper, "case-ignored", reflected)
