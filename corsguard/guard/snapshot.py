"""Snapshot: everything that a guard's decisions depend on, compiled, and replaced as one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from types import MappingProxyType

from corsguard.engine import Engine
from corsguard.engine.answer_cache import select_cache
from corsguard.engine.cache import (
    MAX_ITEMS,
    REFUSED_ORIGINS,
    BoundedCache,
    CacheLimits,
    DecisionCache,
    NoCache,
)
from corsguard.engine.counting_cache import CountingCache
from corsguard.engine.csrf import Enforce
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.errors import PolicyError, Problem
from corsguard.guard.counts import GuardCounts
from corsguard.guard.options import (
    EVERYWHERE,
    Options,
    PlacedViewPolicy,
    Policies,
    PolicyTable,
    find_guarded,
    list_by_prefix,
    name_place,
    validate_options,
)
from corsguard.guard.policy_list import (
    PlacedPolicy,
    PolicyOrList,
    iter_placed,
    list_policies,
    name_entry,
)
from corsguard.guard.routes import Routes
from corsguard.guard.unreachable_origins import find_unreachable_origins
from corsguard.guard.view_policies import View
from corsguard.policy import Policy
from corsguard.policy.origin_lookup import must_await
from corsguard.policy.safety import find_warnings

__all__ = ["NO_POLICY_DECISION", "AppliedPolicy", "Snapshot"]

NO_POLICY_DECISION = Decision(Kind.NOT_CORS, Reason.NO_POLICY, "", None, ())

_MAX_PATH_LENGTH = 256
_MAX_VIEWS = 16_384
_MAX_ORIGINS = 65_536
_MIN_ITEMS = 32
"""Decisions that are cached at each place at least, however many places there are."""

_is_enabled_for = logging.getLogger("corsguard").isEnabledFor


_Key = tuple[int, ...]
"""The ids of the policies at one place, in order."""
_Engines = Mapping[_Key, tuple[Engine, ...]]
_PLACED = (Policy, tuple)
"""The types of what is at a place, besides None."""


class AppliedPolicy:
    """The policy at one place, a route or a view or every path, with the decisions it has led to.

    `engines` are those of its policy, or of its list of policies in order; empty for no CORS.
    """

    __slots__ = ("cache", "engines", "is_enforced", "place", "route")

    def __init__(
        self,
        route: str | None,
        place: str,
        engines: tuple[Engine, ...],
        *,
        is_enforced: bool,
        max_items: int,
        counts: GuardCounts | None = None,
    ) -> None:
        self.route: str | None = route
        """The route prefix, or the name of the view; None for every path, and for no route."""
        self.place: str = place
        """Where the policy is configured, as a problem names it; empty for every path."""
        self.engines: tuple[Engine, ...] = engines
        self.is_enforced: bool = is_enforced
        """True if unsafe cross-site requests are refused, or reported, unless it allows them."""
        # As many allowed origins as are listed, so that they don't evict each other, up to a limit.
        listed = sum(engine.origins.countable for engine in engines)
        max_listed = min(listed, _MAX_ORIGINS) * max_items // MAX_ITEMS
        # Without `Origin`, the policy of `*` decides, which is the last. The others all agree.
        no_origin = engines[-1].no_origin if engines else NO_POLICY_DECISION
        # The decision on every request, or None where the origin or a cookie makes a difference.
        default = None if engines else NO_POLICY_DECISION
        cookieless_default = engines[0].any_evaluation if len(engines) == 1 else default
        lookups = [lookup for engine in engines for lookup in engine.origins.lookups]
        kind = select_cache(lookups, is_enforced=is_enforced) if max_items else NoCache
        self.cache: DecisionCache = kind(
            no_origin,
            default=default,
            cookieless_default=cookieless_default,
            allows_credentials=any(engine.policy.allow_credentials for engine in engines),
            is_enabled_for=_is_enabled_for,
            limits=CacheLimits(max_items, max(max_items, max_listed)),
        )
        if counts is not None and max_items:
            self.cache = CountingCache(self.cache, counts.find_hits(route))

    def name_deciding(self, engine: Engine | None, reason: Reason) -> str:
        """Return the policy of the list that has decided, in words; empty without a list.

        `engine` is the one that has decided, for the given reason.
        """
        if len(self.engines) < 2 or engine is None or reason is Reason.NOT_CORS:
            return ""
        if reason in REFUSED_ORIGINS:
            return f"no policy of {self.place or 'the list'} covers it"
        return f"decided by {name_entry(self.place, self.engines.index(engine))}"


class Snapshot:
    """The policies and options of a guard, compiled, so that one assignment replaces them all.

    Never changed once built; its caches fill up. `views` are the policies of views, and `compiled`
    are engines of an earlier snapshot: ids of the policies at one place -> their engines. Without
    `is_cached` every request is decided anew. `counts` are what metrics read, None without them.

    Raises PolicyError with every problem.
    """

    __slots__ = (
        "_applied",
        "_applied_views",
        "_enforced",
        "_engines",
        "_exempt",
        "_nowhere",
        "_paths",
        "_places",
        "counts",
        "enforce",
        "enforce_exempt",
        "everywhere",
        "has_async_callables",
        "has_callables",
        "is_cached",
        "own_origins",
        "pathless",
        "policies",
        "views",
    )

    def __init__(
        self,
        policies: Policies,
        options: Options = Options(),  # noqa: B008  # immutable
        views: tuple[PlacedViewPolicy, ...] = (),
        compiled: _Engines = MappingProxyType({}),
        *,
        is_cached: bool = True,
        counts: GuardCounts | None = None,
    ) -> None:
        table = list_by_prefix(policies)
        options, exempt = validate_options(policies, table, options, views)
        self.policies: Policies = (
            MappingProxyType(table) if isinstance(policies, Mapping) else table.get(EVERYWHERE)
        )
        self.enforce: Enforce = options.enforce
        self.enforce_exempt: tuple[str, ...] = tuple(options.enforce_exempt)
        self.own_origins: tuple[str, ...] = tuple(options.own_origins)
        self.views: tuple[PlacedViewPolicy, ...] = views
        self.is_cached: bool = is_cached
        self.counts: GuardCounts | None = counts
        self._exempt = exempt
        self._compile(table, compiled)
        self._index(table)

    def _compile(self, table: PolicyTable, compiled: _Engines) -> None:
        """Compile what is at each place once, or take the engines of an earlier snapshot for it."""
        places = [list_policies(each) for each in table.values()]
        places += [list_policies(each) for _, each in self.views]
        policies = list(chain.from_iterable(places))
        callables = [entry for policy in policies for entry in policy.allow_list.predicates]
        self.has_callables: bool = bool(callables)
        self.has_async_callables: bool = any(map(must_await, callables))
        enforced: set[int] = set()
        if self.enforce:
            enforced.update(id(policy) for _, policy in find_guarded(table, self._exempt))
            enforced.update(id(policy) for _, each in self.views for policy in list_policies(each))
        self._enforced = frozenset(enforced)
        self._engines: dict[_Key, tuple[Engine, ...]] = {}
        for listed in places:
            key = _identify(listed)
            engines = self._engines.get(key) or compiled.get(key) or ()
            if not all(engine.enforced is (id(engine.policy) in enforced) for engine in engines):
                engines = ()
            self._engines[key] = engines or tuple(
                Engine(
                    policy,
                    own_origins=self.own_origins,
                    enforced=id(policy) in enforced,
                    others=(*listed[:index], *listed[index + 1 :]),
                )
                for index, policy in enumerate(listed)
            )
        if self.counts is not None:
            for engine in chain.from_iterable(self._engines.values()):
                engine.origins.time_predicates(self.counts.record)

    def _index(self, table: PolicyTable) -> None:
        """Index what applies by path: at each prefix of a route or of an exemption."""
        routes = Routes({prefix: policy for prefix, policy in table.items() if prefix})
        self._applied_views: BoundedCache[tuple[str, int, bool], AppliedPolicy]
        self._applied_views = BoundedCache(_MAX_VIEWS)
        self._places = max(1, len(table)) + len(self.views)
        default = self._get_engines(table.get(EVERYWHERE))
        self._nowhere = self._apply(None, default, is_enforced=bool(self.enforce))
        applied: dict[str, AppliedPolicy] = {}
        exempt = self.enforce_exempt if self.enforce else ()
        for prefix in dict.fromkeys((*filter(None, table), *exempt)):
            found = routes.find(prefix)
            route, policy = found or (None, None)
            engines = self._get_engines(policy) if found else default
            applied[prefix] = self._apply(
                route, engines, is_enforced=bool(self.enforce) and not self._exempt.find(prefix)
            )
        self._applied = Routes(applied)
        self._paths: BoundedCache[str, AppliedPolicy] = BoundedCache()  # of the last paths
        self.everywhere: AppliedPolicy | None = None if applied else self._nowhere
        """What applies to every path; None if that depends on the path."""
        takes_request = any(
            engine.origins.takes_request for each in self._engines.values() for engine in each
        )
        self.pathless: AppliedPolicy | None = None if takes_request else self.everywhere
        """The same; None if a predicate may depend on the path as well."""

    def _get_engines(self, given: PolicyOrList | None) -> tuple[Engine, ...]:
        return self._engines[_identify(list_policies(given))] if given else ()

    def _apply(
        self,
        route: str | None,
        engines: tuple[Engine, ...],
        *,
        is_enforced: bool,
        place: str | None = None,
    ) -> AppliedPolicy:
        # What is cached may not grow with the number of places where a policy applies.
        places = self._places + len(self._applied_views)
        max_items = max(_MIN_ITEMS, MAX_ITEMS // places) if self.is_cached else 0
        if place is None:
            place = name_place(route or "")
        return AppliedPolicy(
            route,
            place,
            engines,
            is_enforced=is_enforced,
            max_items=max_items,
            counts=self.counts,
        )

    def find(self, path: str, view: View | None = None) -> AppliedPolicy:
        """Return what applies to a path, decoded once, as the application's router sees it.

        The policy of a view wins over that of the path.
        """
        if view is not None:
            return self._find_view(path, view)
        if self.everywhere is not None:
            return self.everywhere
        applied = self._paths.get(path)
        if applied is None:
            found = self._applied.find(path)
            applied = self._nowhere if found is None else found[1]
            if len(path) <= _MAX_PATH_LENGTH:
                self._paths.store(path, applied)
        return applied

    def _find_view(self, path: str, view: View) -> AppliedPolicy:
        is_enforced = bool(self.enforce) and not self.is_exempt(path)
        key = view.name, id(view.policy), is_enforced
        applied = self._applied_views.get(key)
        if applied is None:
            engines = self._get_engines(view.policy)
            place = f'view "{view.name}"'
            applied = self._apply(view.name, engines, is_enforced=is_enforced, place=place)
            self._applied_views.store(key, applied)
        return applied

    def is_exempt(self, path: str) -> bool:
        """Return True if enforcement leaves a path alone."""
        return self._exempt.find(path) is not None

    def replace_policies(self, policies: Policies) -> Snapshot:
        """Return a snapshot of other policies with the same options and views.

        Engines are kept for views only: what the others have refused was logged for other routes.
        """
        given = list_by_prefix(policies).values()  # which is not validated yet
        placed = {_identify(list_policies(each)) for each in given if isinstance(each, _PLACED)}
        kept = {_identify(list_policies(each)) for _, each in self.views} - placed
        return self._rebuild(policies, self.views, {each: self._engines[each] for each in kept})

    def replace_all(self, policies: Policies, options: Options) -> Snapshot:
        """Return a snapshot of other policies and options with the same views."""
        return Snapshot(policies, options, self.views, is_cached=self.is_cached, counts=self.counts)

    def add_views(self, views: Iterable[PlacedViewPolicy]) -> Snapshot:
        """Return a snapshot with the policies of views as well; this one if it has them all."""
        known = {id(policy) for _, policy in self.views}
        new = [(place, policy) for place, policy in views if id(policy) not in known]
        if not new:
            return self
        return self._rebuild(self.policies, (*self.views, *new), self._engines)

    def switch_caches(self, *, is_cached: bool) -> Snapshot:
        """Return the same snapshot with empty caches, or without caches."""
        return self._rebuild(self.policies, self.views, self._engines, is_cached=is_cached)

    def count_in(self, counts: GuardCounts) -> Snapshot:
        """Return the same snapshot, whose caches and predicates are counted."""
        return self._rebuild(self.policies, self.views, self._engines, counts=counts)

    def _rebuild(
        self,
        policies: Policies,
        views: tuple[PlacedViewPolicy, ...],
        compiled: _Engines,
        *,
        is_cached: bool | None = None,
        counts: GuardCounts | None = None,
    ) -> Snapshot:
        options = Options(self.enforce, self.enforce_exempt, self.own_origins)
        if is_cached is None:
            is_cached = self.is_cached
        counts = counts or self.counts
        return Snapshot(policies, options, views, compiled, is_cached=is_cached, counts=counts)

    def list_origin_parts(self) -> list[dict[str, str]]:
        """Return the parts of the allow-lists of all policies."""
        engines = (engine for each in self._engines.values() for engine in each)
        return [part for engine in engines for part in engine.origins.listed.parts]

    def place_policies(self) -> Iterator[PlacedPolicy]:
        """Yield every policy, those of views included, with the place where it is configured."""
        for prefix, given in list_by_prefix(self.policies).items():
            yield from iter_placed(name_place(prefix), given)
        for place, view_policy in self.views:
            yield from iter_placed(place, view_policy)

    def find_warnings(self) -> Iterator[Problem]:
        """Yield what each policy should be warned of, at the place where it is configured first."""
        for place, policy in self._place_once():
            enforced = id(policy) in self._enforced
            yield from (each.within(place) for each in find_warnings(policy, enforced=enforced))
        yield from self.find_unreachable_origins()

    def find_placement_warnings(self) -> Iterator[Problem]:
        """Yield those of the routes that no policy has by itself: enforced, or in a list."""
        table = list_by_prefix(self.policies)
        of_routes = {
            place for prefix in table for place, _ in iter_placed(name_place(prefix), table[prefix])
        }
        for place, policy in self._place_once():
            if place in of_routes and id(policy) in self._enforced:
                known = set(map(str, find_warnings(policy)))
                for warning in find_warnings(policy, enforced=True):
                    if str(warning) not in known:
                        yield warning.within(place)
        yield from self._find_unreachable_origins(table)

    def find_unreachable_origins(self) -> Iterator[Problem]:
        """Yield a warning for each origin in a list of policies that an earlier one covers."""
        yield from self._find_unreachable_origins(list_by_prefix(self.policies))
        for place, given in self.views:
            yield from find_unreachable_origins(place, self._get_engines(given))

    def _find_unreachable_origins(self, table: PolicyTable) -> Iterator[Problem]:
        for prefix, given in table.items():
            yield from find_unreachable_origins(name_place(prefix), self._get_engines(given))

    def _place_once(self) -> Iterator[PlacedPolicy]:
        places: dict[int, PlacedPolicy] = {}
        for place, policy in self.place_policies():
            places.setdefault(id(policy), (place, policy))
        yield from places.values()

    def require_sync(self) -> None:
        """Raise PolicyError (`callable-async`) if a policy has a callable that must be awaited."""
        problems = [
            Problem(
                "callable-async",
                "allow_origins",
                entry,
                f"{entry!r} is async, and nothing can await it here",
                "a callable that returns a bool at once, or an ASGI application",
            ).within(place)
            for place, policy in self.place_policies()
            for entry in policy.allow_list.predicates
            if must_await(entry)
        ]
        if problems:
            raise PolicyError(problems)


def _identify(policies: tuple[Policy, ...]) -> _Key:
    """Return the key of the policies at one place.

    By identity: a callable need not be hashable, and an engine keeps its policy alive.
    """
    return tuple(map(id, policies))
