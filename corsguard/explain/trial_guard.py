"""A guard that tries policies out before anyone puts them into a configuration."""

from __future__ import annotations

import logging
from collections.abc import Collection

from corsguard.engine.decision import Decision
from corsguard.engine.engine import Waiter
from corsguard.engine.headers import RequestHeaders
from corsguard.explain.place import Place, PlaceKey
from corsguard.guard import Guard
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.snapshot import Snapshot
from corsguard.guard.view_policies import View, describe_view
from corsguard.policy import Policy

__all__ = ["TrialGuard"]


class _DebugLog(RefusalLog):
    """A log of refusals that no browser sent: all of it is at DEBUG."""

    def _level(self, *_: object) -> int:
        return logging.DEBUG


class TrialGuard(Guard):
    """A copy of a guard, with its policies and options, that policies are tried out on.

    It records the place and the decision of the last request. It calls no subscriber, and logs
    nothing above DEBUG. The guard that it was made from is not changed.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__(
            guard.policies,
            enforce=guard.enforce,
            enforce_exempt=guard.enforce_exempt,
            own_origins=guard.own_origins,
        )
        self._log = _DebugLog()
        self._views: dict[PlaceKey, tuple[str, Policy]] = {}
        """place of a view -> (name of the view, policy to try there)"""
        self.place: Place | None = None
        """The place of the policy of the last request. None before the first one."""
        self.decision: Decision | None = None
        """The decision on the last request. None before the first one."""

    def _warn(self, state: Snapshot) -> None:
        """Warn of nothing: the original guard did."""

    def with_policy(self, place: Place, policy: Policy) -> TrialGuard:
        """Return a copy with policy in that place. Raises PolicyError."""
        other = TrialGuard(self)
        other._views = dict(self._views)
        if place.kind == "view":
            other._views[place.key] = place.name, policy
        elif place.kind == "everywhere":
            other.reconfigure(policy)
        else:
            routes = {} if isinstance(self.policies, Policy) else dict(self.policies or {})
            other.reconfigure({**routes, place.name: policy})
        other.adopt((f"views.{name}", own) for name, own in other._views.values())
        return other

    def decide(
        self,
        path: str,
        origin: str | None,
        method: str,
        request_headers: RequestHeaders,
        credentials: bool | None = None,
        *,
        view: View | None = None,
        methods: Collection[str] | None = None,
        wait: Waiter | None = None,
    ) -> Decision:
        """Return what Guard.decide does, and record the place and the decision."""
        view = self._locate(path, view)
        self.decision = super().decide(
            path,
            origin,
            method,
            request_headers,
            credentials,
            view=view,
            methods=methods,
            wait=wait,
        )
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
        _, policy = self._views.get(place.key, (view.name, view.policy))
        self.place = place._replace(policy=policy)
        return view._replace(policy=policy)

    def _enforces(self, path: str) -> bool:
        return self.enforce is True and not self._state.exempt.find(path)

    def _locate_path(self, path: str) -> Place:
        if isinstance(self.policies, Policy):
            return Place("everywhere", "", self.policies)
        route, engine = self._state.find(path)
        if engine is not None:
            return Place("route", route or "", engine.policy)
        # The narrowest place for a policy is the path itself; `/api` and `/api/` are the same.
        is_route = route is not None and route.rstrip("/") == path.rstrip("/")
        return Place("route", route if is_route and route else path, None, route)
