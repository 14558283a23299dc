"""A guard to try policies out on, before anybody writes them into a configuration."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Literal, NamedTuple

from corsguard.engine.decision import Decision
from corsguard.engine.engine import Waiter
from corsguard.engine.headers import RequestHeaders
from corsguard.guard import Guard
from corsguard.guard.refusal_log import RefusalLog
from corsguard.guard.snapshot import Snapshot
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


class _Quiet(RefusalLog):
    """Nobody asked for it, so it is no news."""

    def _level(self, *_: object) -> int:
        return logging.DEBUG


class Rehearsal(Guard):
    """A guard with the policies and the options of another one, which stays as it is.

    It knows where the policy of the last request stands, can be had with another policy there,
    calls no subscriber, and logs nothing above DEBUG.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__(
            guard.policies,
            enforce=guard.enforce,
            enforce_exempt=guard.enforce_exempt,
            own_origins=guard.own_origins,
        )
        self._log = _Quiet()
        self._views: dict[tuple[str, str, int], tuple[str, Policy]] = {}
        self.place: Place | None = None
        """Where the policy of the last request stands; None before the first one."""
        self.decision: Decision | None = None
        """What was decided about that request."""

    def _warn(self, state: Snapshot) -> None:
        """Say nothing: the guard that it is made from has said it."""

    def with_policy(self, place: Place, policy: Policy) -> Rehearsal:
        """The same with policy in that place. Raises PolicyError."""
        other = Rehearsal(self)
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
        """See Guard.decide."""
        view = self._placed(path, view)
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

    def _placed(self, path: str, view: View | None) -> View | None:
        """The view with the policy that it has here; where that stands is kept."""
        if view is None:
            place = self._of_path(path or "/")
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

    def _of_path(self, path: str) -> Place:
        if isinstance(self.policies, Policy):
            return Place("everywhere", "", self.policies)
        route, engine = self._state.find(path)
        if engine is not None:
            return Place("route", route or "", engine.policy)
        # The narrowest place for a policy is the path itself; `/api` and `/api/` are the same.
        is_route = route is not None and route.rstrip("/") == path.rstrip("/")
        return Place("route", route if is_route and route else path, None, route)
