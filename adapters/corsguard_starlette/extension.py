"""The extension for Starlette and FastAPI."""

from __future__ import annotations

from inspect import currentframe
from typing import Unpack

from starlette.applications import Starlette

from corsguard import Guard, Policies, Policy, PolicyError, Problem
from corsguard.errors import NO_POLICY, is_own_module
from corsguard.guard import GuardFields
from corsguard.guard.arguments import build_guard, split_shadow
from corsguard.guard.policy_list import PolicyOrList
from corsguard_starlette.middleware import StarletteMiddleware
from corsguard_starlette.unreachable_views import register_application
from corsguard_starlette.view_policies import Target, TargetPolicies

__all__ = ["CORSGuard"]

_CALL = "call CORSGuard(app, allow_origins=[...]) with the FastAPI or Starlette object itself"


class CORSGuard:
    """The extension that answers the CORS protocol in front of a Starlette or FastAPI application.

    `policy` is a Policy for every path, a mapping from route prefix to Policy, or a Guard. The
    fields of a policy and the options of a guard can be passed as keywords instead. If only views
    and routers have policies, pass `{}`.

    With `shadow=True` it changes nothing, and logs what would differ: see docs/shadow.md.

    It is outside all middleware of the application, also of what `add_middleware` adds later. `app`
    itself stays what you serve. `guard` is also `app.state.corsguard.guard`.

    Raises PolicyError: `no-policy` without any policy, `type-invalid` if `app` is not such an
    application. Raises RuntimeError if the application has a CORSGuard, or has started.
    """

    guard: Guard

    def __init__(
        self, app: Starlette, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        _require_starlette(app)
        fields_left, is_shadow = split_shadow(policy, fields)
        guard = build_guard(policy, fields_left, requires_policy=False)
        if guard.policies is None and not guard.enforce:
            raise PolicyError([NO_POLICY])
        self.guard = guard
        self._targets = TargetPolicies()
        kind: type[StarletteMiddleware] = StarletteMiddleware
        if is_shadow:
            from corsguard_starlette.shadow import StarletteShadow

            kind = StarletteShadow
        middleware = kind(app, guard, self._targets, dict(fields) or None)
        middleware.install()
        app.state.corsguard = middleware
        register_application(app, _find_caller())

    def set_policy(self, target: Target, policy: PolicyOrList | None) -> None:
        """Set the policy of all views of a target; None for no CORS.

        In a list of policies, the first that covers an origin decides.

        A target is a router, before or after it is included; a mount, a host route or the
        application in it; one route; or an endpoint.
        """
        self._targets.set(target, policy)


def _require_starlette(app: Starlette) -> None:
    if not isinstance(app, Starlette):
        kind = type(app).__name__
        message = f"not a FastAPI or Starlette application, but a {kind}"
        if callable(app) and not isinstance(app, Policy):
            message += "; CORSGuard is not a middleware, and not for add_middleware"
        raise PolicyError([Problem("type-invalid", "app", app, message, _CALL)])
    if isinstance(getattr(app.state, "corsguard", None), StarletteMiddleware):
        raise RuntimeError(  # noqa: TRY004  # it is of the right type, but has a guard
            "CORSGuard is already installed on this application. Remove one of the two calls"
        )
    if app.middleware_stack is not None:
        raise RuntimeError(
            "the application has started without CORSGuard. Call CORSGuard(app, ...) where the "
            "application is created, before its first request"
        )


def _find_caller() -> str:
    """Return the name of the module that called an adapter."""
    frame = currentframe()
    while frame and is_own_module(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")) if frame else ""
