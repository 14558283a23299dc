"""The Flask extension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from flask import Blueprint, Flask

from corsguard import Guard, Policies, PolicyError
from corsguard.errors import NO_POLICY, emit_warnings
from corsguard.guard import GuardFields
from corsguard.guard.arguments import build_configured_guard, build_guard, split_shadow
from corsguard.guard.policy_list import PolicyOrList
from corsguard_flask.cli import cors
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.outer_middleware import CONNEXION, is_inside_connexion
from corsguard_flask.unreachable_views import AUDIT
from corsguard_flask.view_policies import BlueprintPolicies

__all__ = ["CORSGuard"]


class CORSGuard:
    """The Flask extension that answers the CORS protocol in front of an application.

    `policy` is a Policy for every path, a mapping from route prefix to Policy, or a Guard. The
    fields of a policy and the options of a guard can be passed as keywords instead. Without either,
    the policy is read from `app.config["CORSGUARD"]`: a Policy, a Guard, or a mapping in the shape
    of a configuration file. If only views and blueprints have policies, pass `{}`, or configure
    `{"routes": {}}`.

    With `shadow=True` it changes nothing, and logs what would differ: see docs/shadow.md.

    The guard of an application is `app.extensions["corsguard"].guard`.

    Raises PolicyError: `no-policy` without any policy, `callable-async` if a callable must be
    awaited. Raises TypeError if `app` is not a Flask application.
    """

    def __init__(
        self,
        app: Flask | None = None,
        policy: Guard | Policies = None,
        **fields: Unpack[GuardFields],
    ) -> None:
        self._blueprints = BlueprintPolicies()
        if app is not None:
            _require_flask(app)
        fields_left, self._is_shadow = split_shadow(policy, fields)
        self._make_guard = _build_guard_factory(policy, fields_left)
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: Flask, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        """Install corsguard on app. A policy passed here wins over the one of the constructor."""
        _require_flask(app)
        if "corsguard" in app.extensions:
            raise RuntimeError(f"CORSGuard is already installed on {app.name}")
        fields_left, is_shadow = split_shadow(policy, fields)
        make = _build_guard_factory(policy, fields_left) or self._make_guard
        setting = None if make else app.config.get("CORSGUARD")
        guard = (
            make() if make else Guard(None) if setting is None else build_configured_guard(setting)
        )
        if setting is None and guard.policies is None and not guard.enforce:
            raise PolicyError([NO_POLICY])
        kind: type[FlaskMiddleware] = FlaskMiddleware
        if is_shadow or self._is_shadow or split_shadow(setting)[1]:
            from corsguard_flask.shadow import FlaskShadow

            kind = FlaskShadow
        middleware = kind(app, guard, self._blueprints, setting)
        app.extensions["corsguard"] = middleware
        app.wsgi_app = middleware  # type: ignore[method-assign]  # the way that Flask documents
        app.cli.add_command(cors)
        AUDIT.register(app)
        if is_inside_connexion(app):
            emit_warnings([CONNEXION])

    def set_policy(self, blueprint: Blueprint, policy: PolicyOrList | None) -> None:
        """Set the policy of all views of a blueprint and of nested ones; None for no CORS.

        In a list of policies, the first that covers an origin decides.
        """
        self._blueprints.set(blueprint, policy)


def _require_flask(app: object) -> None:
    if not isinstance(app, Flask):
        kind = type(app).__name__
        raise TypeError(f"`app`: not a Flask application, but a {kind}. Use CORSGuard(policy=...).")


def _build_guard_factory(
    given: Guard | Policies, fields: Mapping[str, Any]
) -> Callable[[], Guard] | None:
    """Return a function that builds the guard of one application, or None without a policy.

    Each application gets its own guard, unless a Guard was given, or the guard follows a source.
    Raises PolicyError here, and not only when the first application is installed.
    """
    if given is None and not fields:
        return None
    guard = build_guard(given, fields, requires_policy=False)
    if guard is given or guard.version is not None:
        return lambda: guard
    return lambda: Guard(
        guard.policies,
        enforce=guard.enforce,
        enforce_exempt=guard.enforce_exempt,
        own_origins=guard.own_origins,
    )
