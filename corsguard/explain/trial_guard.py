"""A guard to try policies out on, before anybody writes them into a configuration."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Literal, NamedTuple

from corsguard.engine.decision import Decision
from corsguard.engine.engine import Waiter
from corsguard.engine.request import CORSRequest
from corsguard.guard import Guard
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.runtime import GuardRuntime
from corsguard.guard.snapshot import Policies, Snapshot
from corsguard.guard.view_policies import View, describe_view
from corsguard.policy import Policy

__all__ = ["Place", "Rehearsal"]


class Place(NamedTuple):
    """Where the policy that holds for a request stands, or would have to stand."""

    kind: Literal["everywhere", "route", "view"]
    name: str
    """The route prefix, or what the framework calls the view; empty for every path."""
    policy: Policy | None
    """What stands there; None for no CORS."""
    closed_by: str | None = None
    """The prefix of the route that says that there is no CORS, where one does."""
    given: int = 0
    """The identity of a view's policy as the application has it."""
    enforced: bool = False
    """Whether what no policy allows is refused there."""
    holder: str = ""
    """What has a view's policy, in words: the view, or what it shares the policy with."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells one place from another."""
        return self.kind, self.holder or self.name, self.given


class _QuietLog(RefusalLog):
    """A log of refusals that no browser sent: all of it is at DEBUG."""

    def _level(self, *_: object) -> int:
        return logging.DEBUG


class TrialRuntime(GuardRuntime):
    """Decides as another guard would, with other policies in some places, and records the place.

    It calls no subscriber, caches nothing and logs nothing above DEBUG.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot.remove_caches(), _QuietLog())
        self.views: dict[tuple[str, str, int], tuple[str, Policy]] = {}
        """Key of a place -> the name of the view there, and the policy to try."""
        self.place: Place | None = None
        self.decision: Decision | None = None

    def decide(
        self,
        request: CORSRequest,
        view: View | None = None,
        methods: Collection[str] | None = None,
        wait: Waiter | None = None,
    ) -> Decision:
        """Return the decision on a request; see GuardRuntime.decide."""
        view = self._record_place(request.path, view)
        self.decision = super().decide(request, view, methods, wait)
        return self.decision

    def _record_place(self, path: str, view: View | None) -> View | None:
        """Record where the policy of a request is configured; return the view with its policy."""
        snapshot = self.snapshot
        if view is None:
            place = self._place_of_path(path or "/")
            enforced = snapshot.enforce is True and not snapshot.is_exempt(place.name)
            self.place = place._replace(enforced=enforced)
            return None
        place = Place(
            "view",
            view.name,
            view.policy,
            given=id(view.policy),
            enforced=snapshot.enforce is True and not snapshot.is_exempt(path),
            holder=view.holder or describe_view(view.name),
        )
        _, policy = self.views.get(place.key, (view.name, view.policy))
        self.place = place._replace(policy=policy)
        return view._replace(policy=policy)

    def _place_of_path(self, path: str) -> Place:
        policies = self.snapshot.policies
        if isinstance(policies, Policy):
            return Place("everywhere", "", policies)
        applied = self.snapshot.find(path)
        if applied.engine is not None:
            return Place("route", applied.route or "", applied.engine.policy)
        # The narrowest place for a policy is the path itself; `/api` and `/api/` are the same.
        route = applied.route
        is_route = route is not None and route.rstrip("/") == path.rstrip("/")
        return Place("route", route if is_route and route else path, None, route)


class Rehearsal(Guard):
    """A guard with the policies and the options of another one, which stays as it is."""

    adapter: TrialRuntime

    def __init__(self, guard: Guard) -> None:
        self.adapter = TrialRuntime(guard.adapter.snapshot)

    @property
    def place(self) -> Place | None:
        """Where the policy of the last request is configured; None before the first one."""
        return self.adapter.place

    @property
    def decision(self) -> Decision | None:
        """The decision on the last request; None before the first one."""
        return self.adapter.decision

    def with_policy(self, place: Place, policy: Policy) -> Rehearsal:
        """Return the same with policy in that place. Raises PolicyError."""
        policies: Policies = self.policies
        views = dict(self.adapter.views)
        if place.kind == "view":
            views[place.key] = place.name, policy
        elif place.kind == "everywhere":
            policies = policy
        else:
            routes = {} if isinstance(policies, Policy) else dict(policies or {})
            policies = {**routes, place.name: policy}
        snapshot = self.adapter.snapshot.replace_policies(policies)
        added = ((f"views.{name}", own) for name, own in views.values())
        other = Rehearsal(self)
        other.adapter = TrialRuntime(snapshot.add_views(added))
        other.adapter.views = views
        return other
