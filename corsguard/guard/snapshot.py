"""State: everything that a guard's decisions depend on, compiled, and replaced as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from re import Pattern
from types import MappingProxyType

from corsguard.engine.cache import BoundedCache
from corsguard.engine.csrf import Enforce
from corsguard.engine.decision import Decision
from corsguard.engine.engine import Answers, Engine, Preflights
from corsguard.errors import PolicyError, Problem
from corsguard.escaping import show_value
from corsguard.guard.routes import Routes, prefix_problems
from corsguard.guard.view_policies import View
from corsguard.policy import Policy
from corsguard.policy.predicates import Predicate, is_async
from corsguard.policy.safety import find_exposure, find_warnings
from corsguard.policy.unknown_fields import is_table_of_fields
from corsguard.policy.validation import (
    ProblemCollector,
    validate_own_origins,
    validate_strings,
)

__all__ = ["Enforce", "Policies", "Snapshot"]

Policies = Policy | Mapping[str, Policy | None] | None
"""One policy for every path, or policies by route prefix, or none."""


class Snapshot:
    """The policies and options of a guard, compiled, so that one assignment replaces them all.

    Never changed after it is made. Raises PolicyError with every problem.
    """

    __slots__ = (
        "_engines",
        "_everywhere",
        "_routes",
        "answers",
        "answers_to_cookies",
        "enforce",
        "enforce_exempt",
        "exempt",
        "has_async_callables",
        "has_callables",
        "own_origins",
        "policies",
        "preflights",
        "refusals",
        "refused_preflights",
        "views",
    )

    def __init__(
        self,
        policies: Policies,
        enforce: Enforce,
        enforce_exempt: Iterable[str],
        own_origins: Iterable[str],
        views: tuple[tuple[str, Policy], ...] = (),
        compiled: Mapping[int, Engine] = MappingProxyType({}),
    ) -> None:
        found = ProblemCollector()
        if not (enforce is True or enforce is False or enforce == "report"):
            message = f"{show_value(enforce)} is neither a bool nor 'report'"
            meant = show_value(enforce, str).strip().lower()
            suggestion = (
                "'report'" if meant == "report" else str(meant in {"true", "1", "yes", "on"})
            )
            found.add("type-invalid", "enforce", enforce, message, suggestion)
        self.enforce: Enforce = enforce
        self.enforce_exempt = validate_strings(found, "enforce_exempt", enforce_exempt)
        found.problems.extend(prefix_problems("enforce_exempt", self.enforce_exempt))
        self.exempt = Routes(dict.fromkeys(self.enforce_exempt))
        self.own_origins = validate_own_origins(found, "own_origins", own_origins)
        table = _by_prefix(policies)
        if isinstance(policies, Mapping) and is_table_of_fields(table, (Policy,)):
            message = f"{show_value(policies)} is a table of fields, not of policies by path prefix"
            found.add("type-invalid", "policy", policies, message, _A_POLICY)
            table = {}
        if isinstance(policies, Mapping):
            found.problems.extend(prefix_problems("routes", table))
        found.problems.extend(_no_policies(table))
        guarded = _guarded(table, self.exempt) if enforce else {}
        if enforce:
            found.problems.extend(_unenforceable(guarded))
            for place, policy in views:
                found.problems.extend(problem.within(place) for problem in find_exposure(policy))
        if found.problems:
            raise PolicyError(found.problems)

        self.policies: Policies = (
            MappingProxyType(table) if isinstance(policies, Mapping) else policies
        )
        self.views = views
        given = [policy for policy in table.values() if policy is not None]
        given += [policy for _, policy in views]
        callables = [entry for policy in given for entry in _callables(policy)]
        self.has_callables = bool(callables)
        self.has_async_callables = any(map(is_async, callables))
        # By identity: a callable need not be hashable, and the engine keeps its policy alive.
        enforced = {*map(id, guarded.values()), *(id(policy) for _, policy in views if enforce)}
        self._engines = {
            id(policy): self._engine(policy, id(policy) in enforced, compiled) for policy in given
        }
        by_prefix = {prefix: self._engines.get(id(policy)) for prefix, policy in table.items()}
        self._everywhere = by_prefix.pop(_EVERYWHERE, None)
        self._routes = Routes(by_prefix)
        # Where one engine decides everything, so do its answers.
        engine = None if enforce else self._everywhere
        self.answers: Answers = engine.answers if engine else {}
        self.answers_to_cookies: Answers = engine.answers_to_cookies if engine else {}
        self.preflights: Preflights = engine.preflights if engine else {}
        self.refused_preflights: Preflights = engine.refused_preflights if engine else {}
        self.refusals: BoundedCache[str | None, Decision] = BoundedCache()

    def _engine(self, policy: Policy, enforced: bool, compiled: Mapping[int, Engine]) -> Engine:
        engine = compiled.get(id(policy))
        if engine is None or engine.enforced is not enforced:
            engine = Engine(policy, own_origins=self.own_origins, enforced=enforced)
        return engine

    def with_policies(self, policies: Policies) -> Snapshot:
        """The same options over other policies.

        Only the engines of views go on: what others have refused was logged for other routes.
        """
        listed = set(map(id, _by_prefix(policies).values()))
        kept = {id(policy) for _, policy in self.views} - listed
        compiled = {each: self._engines[each] for each in kept}
        return self._with(policies, self.views, compiled)

    def with_views(self, views: Iterable[tuple[str, Policy]]) -> Snapshot:
        """The same with engines for the policies of views as well; itself where it has them."""
        known = {id(policy) for _, policy in self.views}
        new = [(place, policy) for place, policy in views if id(policy) not in known]
        if not new:
            return self
        return self._with(self.policies, (*self.views, *new), self._engines)

    def _with(
        self,
        policies: Policies,
        views: tuple[tuple[str, Policy], ...],
        compiled: Mapping[int, Engine],
    ) -> Snapshot:
        return Snapshot(
            policies, self.enforce, self.enforce_exempt, self.own_origins, views, compiled
        )

    def find_view(self, view: View) -> tuple[str | None, Engine | None]:
        """The name and the engine of a view with a policy of its own."""
        return view.name, None if view.policy is None else self._engines[id(view.policy)]

    def find(self, path: str) -> tuple[str | None, Engine | None]:
        """The route that covers path and the engine that holds there; None for what is not."""
        if self._everywhere is not None:
            return None, self._everywhere
        return self._routes.find(path) or (None, None)

    def placed(self) -> Iterator[tuple[str, Policy]]:
        """Every policy, those of views included, and where it stands."""
        for prefix, policy in _by_prefix(self.policies).items():
            if policy is not None:
                yield _place(prefix), policy
        yield from self.views

    def find_warnings(self) -> Iterator[Problem]:
        """What the policies start with, but should be warned of: each where it stands first."""
        for place, policy in self._placed_once():
            enforced = self._engines[id(policy)].enforced
            yield from (
                warning.within(place) for warning in find_warnings(policy, enforced=enforced)
            )

    def warnings_of_enforcement(self) -> Iterator[Problem]:
        """Those of the routes that there are only because their policies are enforced."""
        views = {place for place, _ in self.views}
        for place, policy in self._placed_once():
            if place not in views and self._engines[id(policy)].enforced:
                known = set(map(str, find_warnings(policy)))
                for warning in find_warnings(policy, enforced=True):
                    if str(warning) not in known:
                        yield warning.within(place)

    def _placed_once(self) -> Iterator[tuple[str, Policy]]:
        places: dict[int, tuple[str, Policy]] = {}
        for place, policy in self.placed():
            places.setdefault(id(policy), (place, policy))
        yield from places.values()

    def require_sync(self) -> None:
        """Raise PolicyError where a callable of a policy can only be awaited."""
        problems = [
            Problem(
                "callable-async",
                "allow_origins",
                entry,
                f"{entry!r} is async, and nothing can await it here",
                "a callable that returns a bool at once, or an ASGI application",
            ).within(place)
            for place, policy in self.placed()
            for entry in _callables(policy)
            if is_async(entry)
        ]
        if problems:
            raise PolicyError(problems)


_A_POLICY = "Policy(allow_origins=[...]), or Guard.from_mapping for a table of fields"
_EVERYWHERE = ""
"""The prefix of a policy that holds for every path, whatever the path looks like."""


def _by_prefix(policies: Policies) -> dict[str, Policy | None]:
    if isinstance(policies, Mapping):
        return dict(policies)  # whoever gave it may change theirs
    return {} if policies is None else {_EVERYWHERE: policies}


def _callables(policy: Policy) -> list[Predicate]:
    return [entry for entry in policy.allow_origins if not isinstance(entry, (str, Pattern))]


def _place(prefix: str) -> str:
    return f'routes."{show_value(prefix, str)}"' if prefix else ""


def _no_policies(table: Mapping[str, object]) -> Iterator[Problem]:
    """What stands in the place of a policy and is none."""
    for prefix, policy in table.items():
        if policy is not None and not isinstance(policy, Policy):
            message = f"{show_value(policy)} is not a Policy"
            suggestion = "None" if prefix and policy is False else _A_POLICY
            yield Problem("type-invalid", _place(prefix) or "policy", policy, message, suggestion)


def _guarded(table: Mapping[str, Policy | None], exempt: Routes[None]) -> dict[str, Policy]:
    """The policies on the routes that are not exempt; what is no policy is a problem already."""
    return {
        prefix: policy
        for prefix, policy in table.items()
        if isinstance(policy, Policy) and isinstance(prefix, str)
        if not (prefix and exempt.find(prefix))
    }


def _unenforceable(guarded: Mapping[str, Policy]) -> Iterator[Problem]:
    """What must not be in a policy under `enforce`."""
    for prefix, policy in guarded.items():
        if "*" in policy.allow_origins:
            yield Problem(
                "enforce-with-wildcard",
                "allow_origins",
                "*",
                "`*` lets every site do everything, which leaves nothing to enforce",
                "list the origins, or exempt the path",
            ).within(_place(prefix))
        if not policy.allow_credentials:  # with credentials, these have been checked
            yield from (problem.within(_place(prefix)) for problem in find_exposure(policy))
