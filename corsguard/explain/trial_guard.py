"""A guard that tries policies out before anyone puts them into a configuration."""

from __future__ import annotations

import logging

from corsguard.engine.decision import Decision
from corsguard.engine.engine import Caller, Waiter
from corsguard.engine.request import CORSRequest, Methods
from corsguard.explain.place import Place, PlaceKey
from corsguard.guard import Guard
from corsguard.guard.options import Policies
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.runtime import GuardRuntime
from corsguard.guard.snapshot import Snapshot
from corsguard.guard.view_descriptions import describe_view
from corsguard.guard.view_policies import View
from corsguard.policy import Policy

__all__ = ["TrialGuard"]


class _QuietLog(RefusalLog):
    """A log of refusals that no browser sent: all of it is at DEBUG."""

    def _find_level(self, group: tuple[str, str], item: str) -> int:  # noqa: ARG002  # the base's
        return logging.DEBUG


class _TrialRuntime(GuardRuntime):
    """A runtime that records the place and the decision of the last request.

    It calls no subscriber, caches nothing and logs nothing above DEBUG.
    """

    def __init__(self, snapshot: Snapshot, views: dict[PlaceKey, tuple[str, Policy]]) -> None:
        super().__init__(snapshot.remove_caches(), _QuietLog())
        self.views = views
        """place of a view -> (name of the view, policy to try there)"""
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

    def _locate(self, path: str, view: View | None) -> View | None:
        """Record the place of a request, and return its view with the policy to try there."""
        if view is None:
            place = self._locate_path(path or "/")
            self.place = place._replace(enforced=self._enforces(place.name))
            return None
        place = Place(
            "view",
            view.name,
            view.policy,
            given=id(view.policy),
            enforced=self._enforces(path),
            holder=view.holder or describe_view(view.name),
        )
        _, policy = self.views.get(place.key, (view.name, view.policy))
        self.place = place._replace(policy=policy)
        return view._replace(policy=policy)

    def _enforces(self, path: str) -> bool:
        return self.snapshot.enforce is True and not self.snapshot.is_exempt(path)

    def _locate_path(self, path: str) -> Place:
        policies = self.snapshot.policies
        if isinstance(policies, Policy):
            return Place("everywhere", "", policies)
        applied = self.snapshot.find(path)
        route = applied.route
        if applied.engine is not None:
            return Place("route", route or "", applied.engine.policy)
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
        if place.kind == "view":
            views[place.key] = place.name, policy
        elif place.kind == "everywhere":
            policies = policy
        else:
            routes = {} if isinstance(policies, Policy) else dict(policies or {})
            policies = {**routes, place.name: policy}
        snapshot = self._runtime.snapshot.replace_policies(policies)
        view_policies = ((f"views.{name}", own) for name, own in views.values())
        other = TrialGuard(self)
        other._set_runtime(_TrialRuntime(snapshot.add_views(view_policies), views))
        return other
