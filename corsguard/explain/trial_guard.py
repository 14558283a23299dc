"""A guard that tries policies out before anyone puts them into a configuration."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from corsguard.engine.decision import Decision
from corsguard.engine.engine import Caller, Engine, Waiter
from corsguard.engine.request import CORSRequest, Methods
from corsguard.explain.place import Place, PlaceKey
from corsguard.guard import Guard
from corsguard.guard.options import Policies
from corsguard.guard.policy_list import PolicyOrList
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.runtime import Case, GuardRuntime
from corsguard.guard.snapshot import Snapshot
from corsguard.guard.view_descriptions import describe_view
from corsguard.guard.view_policies import View
from corsguard.policy import Policy

__all__ = ["TrialGuard"]


class _QuietLog(RefusalLog):
    """A log of refusals that no browser sent: all of it is at DEBUG."""

    def _find_level(self, group: tuple[str, str], item: str) -> int:  # noqa: ARG002  # the base's
        return logging.DEBUG


_ViewPolicies = dict[PlaceKey, tuple[str, PolicyOrList]]
"""Place of a view -> (name of the view, policy or list of policies to try there)."""


class _TrialRuntime(GuardRuntime):
    """A runtime that records the place and the decision of the last request.

    It calls no subscriber, caches nothing and logs nothing above DEBUG.
    """

    def __init__(self, snapshot: Snapshot, views: _ViewPolicies) -> None:
        super().__init__(snapshot.switch_caches(is_cached=False), _QuietLog())
        self.views = views
        self.place: Place | None = None
        self.decision: Decision | None = None

    def decide(
        self,
        request: CORSRequest,
        view: View | None = None,
        methods: Methods = None,
        wait: Waiter | None = None,
    ) -> Decision:
        """Return what GuardRuntime.decide does, and record the place and the decision."""
        view = self._locate(request.path, view)
        self.decision = super().decide(request, view, methods, wait)
        return self.decision

    async def decide_async(
        self,
        request: CORSRequest,
        view: View | None = None,
        methods: Methods = None,
        call: Caller | None = None,
    ) -> Decision:
        """Return what GuardRuntime.decide_async does, and record the place and the decision."""
        view = self._locate(request.path, view)
        self.decision = await super().decide_async(request, view, methods, call)
        return self.decision

    def conclude(
        self, case: Case, engine: Engine | None, evaluation: Decision, *, is_asked: bool
    ) -> Decision:
        """Return what GuardRuntime.conclude does, and record which policy of a list decides."""
        if self.place is not None and engine is not None:
            self.place = self.place._replace(policy=engine.policy)
        return super().conclude(case, engine, evaluation, is_asked=is_asked)

    def _locate(self, path: str, view: View | None) -> View | None:
        """Record the place of a request, and return its view with the policy to try there."""
        if view is None:
            place = self._locate_path(path or "/")
            self.place = place._replace(enforced=self._enforces(place.name))
            return None
        place = Place(
            "view",
            view.name,
            None,
            given=id(view.policy),
            enforced=self._enforces(path),
            holder=view.holder or describe_view(view.name),
        )
        _, policy = self.views.get(place.key, (view.name, view.policy))
        self.place = place.with_policies(policy)
        return view._replace(policy=policy)

    def _enforces(self, path: str) -> bool:
        return self.snapshot.enforce is True and not self.snapshot.is_exempt(path)

    def _locate_path(self, path: str) -> Place:
        policies = self.snapshot.policies
        if isinstance(policies, (Policy, tuple)):
            return Place("everywhere", "", None).with_policies(policies)
        applied = self.snapshot.find(path)
        route = applied.route
        if applied.engines and isinstance(policies, Mapping):
            return Place("route", route or "", None).with_policies(policies[route or ""])
        # The narrowest place for a policy is the path itself; `/api` and `/api/` are the same.
        is_route = route is not None and route.rstrip("/") == path.rstrip("/")
        return Place("route", route if is_route and route else path, None, route)


class TrialGuard(Guard):
    """A copy of a guard, with its policies and options, that policies are tried out on.

    It calls no subscriber, and logs nothing above DEBUG. The original guard is not changed.
    """

    def __init__(self, guard: Guard) -> None:
        self._set_runtime(_TrialRuntime(guard.adapter.snapshot, {}))

    def _set_runtime(self, runtime: _TrialRuntime) -> None:
        self.adapter: GuardRuntime = runtime
        self._runtime = runtime

    @property
    def place(self) -> Place | None:
        """The place of the policy of the last request. None before the first one."""
        return self._runtime.place

    @property
    def decision(self) -> Decision | None:
        """The decision on the last request. None before the first one."""
        return self._runtime.decision

    def with_policy(self, place: Place, policy: Policy) -> TrialGuard:
        """Return a copy with policy in that place. Raises PolicyError."""
        policies: Policies = self.policies
        views = dict(self._runtime.views)
        replaced = place.replace_policy(policy)
        if place.kind == "view":
            views[place.key] = place.name, replaced
        elif place.kind == "everywhere":
            policies = replaced
        else:
            routes = policies if isinstance(policies, Mapping) else {}
            policies = {**routes, place.name: replaced}
        snapshot = self._runtime.snapshot.replace_policies(policies)
        view_policies = ((f"views.{name}", own) for name, own in views.values())
        other = TrialGuard(self)
        other._set_runtime(_TrialRuntime(snapshot.add_views(view_policies), views))
        return other
