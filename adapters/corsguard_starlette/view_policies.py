"""Per-view policies: those of endpoints, and of what is around them, such as a router."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Host, Mount, Router

from corsguard import Policy, Problem
from corsguard.engine.cache import BoundedCache
from corsguard.escaping import show_value
from corsguard.guard.options import PlacedViewPolicy
from corsguard.guard.policy_list import PolicyOrList, freeze_policy, is_list
from corsguard.guard.view_descriptions import (
    describe_class,
    describe_handler,
    describe_holders,
    describe_view,
)
from corsguard.guard.view_policies import (
    View,
    find_decorated_layer,
    get_policy,
    iter_layers,
)
from corsguard_starlette.routing import (
    Leaf,
    get_handlers,
    is_matched_by_path,
    list_leaves_of,
    match_leaf,
    walk,
)

__all__ = ["Target", "TargetPolicies", "Views", "list_view_layers"]

Target = Starlette | Router | BaseRoute | Callable[..., Any]
"""What `CORSGuard.set_policy` takes."""
_OTHER_METHODS = ""
_MAX_KEY_LENGTH = 256
"""Characters of a method, a path and a root path: more than most requests have."""


class _Found(NamedTuple):
    """A per-view policy, the object that holds it, and that object in words."""

    policy: PolicyOrList | None
    holder: object
    words: str


class _Holders(NamedTuple):
    """The holders of the policies of one endpoint."""

    endpoint: object
    """The endpoint itself, kept alive so that no other object gets its id."""
    found: Mapping[str, _Found]
    """HTTP method -> what applies to it; `_OTHER_METHODS` for those that are not listed."""


class _Copied(NamedTuple):
    """A route or router that a route may have been copied from."""

    target: Target
    path: str
    """The path of the original route."""
    size: int
    """How many routes the target has; 0 for a route."""


class TargetPolicies:
    """The policies that `CORSGuard.set_policy` has given to parts of an application."""

    def __init__(self) -> None:
        self.table: Mapping[int, tuple[Target, PolicyOrList | None]] = {}
        """id of a target -> the target, and its policy, tuple of policies, or None for no CORS.
        Each `set` replaces the mapping."""

    def set(self, target: Target, policy: PolicyOrList | None) -> None:
        if not (isinstance(target, (Starlette, Router, BaseRoute)) or callable(target)):
            raise TypeError(
                "set_policy takes a router, a route, a mount, an application or an endpoint, "
                f"not {target!r}"
            )
        if not (policy is None or isinstance(policy, Policy) or is_list(policy)):
            raise TypeError(
                f"set_policy takes a Policy or None, or a list of policies, not {policy!r}"
            )
        frozen = None if policy is None else freeze_policy(policy)
        self.table = {**self.table, id(target): (target, frozen)}


class Views:
    """The views of an application with their policies, as of one moment."""

    def __init__(self, app: Starlette, targets: TargetPolicies) -> None:
        self._app = app
        self._targets = targets
        self._table = targets.table
        nodes = list(walk(app))
        self.leaves: list[Leaf] = [each for each in nodes if isinstance(each, Leaf)]
        routers = {id(each): each for each in nodes if isinstance(each, Router)}
        self._routes = [(each, list(each.routes)) for each in routers.values()]
        self._copies = _index_copies(target for target, _ in self._table.values())
        self._holders: dict[int, _Holders] = {}  # id of an endpoint -> its holders
        found = [(leaf, each) for leaf in self.leaves for each in self._iter_found(leaf)]
        self._words = describe_holders((each.holder, each.words) for _, each in found)
        self.policies: list[PlacedViewPolicy] = [
            (f'views."{leaf.name}"', each.policy) for leaf, each in found if each.policy
        ]
        """Each policy of a view, with its place."""
        # (type, method, path, root path) of a request -> what it reaches, where that decides.
        self._matched: BoundedCache[tuple[str, ...], Leaf | None] = BoundedCache()
        self._is_by_path = all(map(is_matched_by_path, self.leaves))
        self.methods: frozenset[str] = frozenset().union(*(leaf.methods for leaf in self.leaves))
        """Every method that a route or an endpoint names."""
        self.has_policies: bool = bool(found)
        """True if any view has a policy of its own, or is exempt."""

    def is_current(self) -> bool:
        """Return True if no route was added or replaced since, and no policy set.

        Two lists with the same objects compare fast: a small part of what matching them takes.
        """
        if self._table is not self._targets.table:
            return False
        for router, routes in self._routes:  # noqa: SIM110  # a generator would cost more
            if router.routes != routes:
                return False
        return True

    def match(self, scope: Any) -> Leaf | None:
        """Return what a request reaches; None for a 404, a 405, a redirect or an error."""
        key = scope["type"], scope.get("method", ""), scope["path"], scope.get("root_path") or ""
        if key in self._matched:
            return self._matched[key]
        try:
            leaf = match_leaf(self._app, scope)
        except Exception:  # of a convertor, say: the router raises it as well
            return None
        if self._is_by_path and sum(map(len, key)) <= _MAX_KEY_LENGTH:
            self._matched.store(key, leaf)
        return leaf

    def find(self, leaf: Leaf, method: str) -> View | None:
        """Return the view of a leaf and a method; None if the policy of the path applies."""
        found = self._find(leaf, method)
        if found is None:
            return None
        return View(leaf.name, found.policy, self._words.get(id(found.holder), ""))

    def find_unused_targets(self) -> list[Problem]:
        """Return a problem for each target of `set_policy` that no URL leads to."""
        used = {id(router) for router, _ in self._routes}
        for leaf in self.leaves:
            parts = (*leaf.around, *iter_layers(leaf.endpoint), *self._iter_copied(leaf))
            used.update(map(id, parts))
        unused = (target for key, (target, _) in self._table.items() if key not in used)
        return [_build_unused_problem(each) for each in unused]

    def _iter_found(self, leaf: Leaf) -> Iterator[_Found]:
        methods = self._get_holders(leaf.endpoint).found
        for method in {*methods, _OTHER_METHODS}:
            if found := self._find(leaf, method):
                yield found

    def _find(self, leaf: Leaf, method: str) -> _Found | None:
        """Return the policy nearest to the code: of a method, an endpoint, what is around it."""
        own = self._get_holders(leaf.endpoint).found
        # Some versions of Starlette call the handler of a class for `put` as for `PUT`.
        return own.get(method.upper()) or own.get(_OTHER_METHODS) or self._find_around(leaf)

    def _find_around(self, leaf: Leaf) -> _Found | None:
        for target in (*self._iter_copied(leaf), *reversed(leaf.around)):
            if id(target) in self._table:
                return _Found(self._table[id(target)][1], target, _describe(target))
        return None

    def _iter_copied(self, leaf: Leaf) -> Iterator[object]:
        """Yield the routes and routers that a route was copied from, the innermost first."""
        path = getattr(leaf.route, "path", "")
        for copied in self._copies.get(id(leaf.endpoint), ()):
            if path.endswith(copied.path):
                yield copied.target

    def _get_holders(self, endpoint: object) -> _Holders:
        holders = self._holders.get(id(endpoint))
        if holders is None:
            found = dict(self._iter_own(endpoint))
            holders = self._holders[id(endpoint)] = _Holders(endpoint, found)
        return holders

    def _iter_own(self, endpoint: Any) -> Iterator[tuple[str, _Found]]:
        name = getattr(endpoint, "__name__", type(endpoint).__name__)
        words = describe_class(endpoint) if isinstance(endpoint, type) else describe_view(name)
        set_here = (each for each in iter_layers(endpoint) if id(each) in self._table)
        if (target := next(set_here, None)) is not None:
            yield _OTHER_METHODS, _Found(self._table[id(target)][1], target, words)
        elif layer := find_decorated_layer(endpoint):
            yield _OTHER_METHODS, _Found(get_policy(layer), layer, words)
        handlers = get_handlers(endpoint)
        for method, handler in handlers.items():
            if layer := find_decorated_layer(handler):
                words = describe_handler(endpoint, handlers, handler)
                yield method, _Found(get_policy(layer), layer, words)


def list_view_layers(app: Starlette) -> list[object]:
    """Return every object of an application whose decorators are taken into account."""
    leaves = [each for each in walk(app) if isinstance(each, Leaf)]
    return [layer for leaf in leaves for layer in _iter_endpoint_layers(leaf.endpoint)]


def _iter_endpoint_layers(endpoint: Any) -> Iterator[object]:
    yield from iter_layers(endpoint)
    if isinstance(endpoint, type):
        yield from endpoint.__mro__
    for handler in get_handlers(endpoint).values():
        yield from iter_layers(handler)


def _build_unused_problem(target: Target) -> Problem:
    message = f"set_policy has no effect on {show_value(target)}: no URL leads to it"
    suggestion = "include or mount it in the application, or remove the call"
    return Problem("view-policy-unreachable", "set_policy", None, message, suggestion)


def _index_copies(targets: Iterable[Target]) -> Mapping[int, list[_Copied]]:
    """Return id of an endpoint -> what its route may have been copied from.

    Empty unless `include_router` copies routes. A copy has the endpoint of its original, and a path
    with a prefix. The innermost target is first: its path is the shortest, and it has the fewest
    routes.
    """
    if not _copies_routes():
        return {}
    found: dict[int, list[_Copied]] = {}
    for target in targets:
        if isinstance(target, (Router, BaseRoute)) and not isinstance(target, (Mount, Host)):
            leaves = list_leaves_of(target)
            for leaf in leaves:
                size = 0 if isinstance(target, BaseRoute) else len(leaves)
                found.setdefault(id(leaf.endpoint), []).append(_Copied(target, leaf.url, size))
    for copied in found.values():
        copied.sort(key=lambda each: (len(each.path), each.size))
    return found


def _copies_routes() -> bool:
    """Return True if FastAPI is loaded, and a version that copies the routes of routers."""
    routing = sys.modules.get("fastapi.routing")
    return routing is not None and not hasattr(routing, "_IncludedRouter")


def _describe(target: Any) -> str:
    if isinstance(target, Host):
        return f"every view of the host {target.host}"
    if isinstance(target, Mount):
        return f"every view below the mount {target.path}"
    if isinstance(target, BaseRoute):
        return f"the route {getattr(target, 'path', target)}"
    if isinstance(target, Router):
        return f"every view of the router {getattr(target, 'prefix', '')}".rstrip()
    return f"every view of the application {getattr(target, 'title', type(target).__name__)}"
