"""The Flask extension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from flask import Blueprint, Flask

from corsguard import Guard, Policies, Policy, PolicyError
from corsguard.errors import NO_POLICY, emit_warnings
from corsguard.guard import GuardFields
from corsguard.guard.arguments import build_configured_guard, build_guard
from corsguard_flask.cli import cors
from corsguard_flask.front import CONNEXION, is_of_connexion
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.reach import register
from corsguard_flask.views import BlueprintPolicies

__all__ = ["CORSGuard"]


class CORSGuard:
    """Answers the CORS protocol in front of Flask applications.

    `policy` is a Policy for every path, policies by route prefix, or a Guard; the fields of a
    policy, and the options of a guard, may stand as keywords in its place. Without any, it is
    read from `app.config["CORSGUARD"]`: a Policy, a Guard, or a mapping in the shape of a
    configuration file. No routes, `{}` here and `{"routes": {}}` there, means that only views and
    blueprints have policies.
    Each application's guard is `app.extensions["corsguard"].guard`.

    Raises PolicyError: `no-policy` without any, `callable-async` with one that must be awaited;
    TypeError where something else stands in the place of the application.
    """

    def __init__(
        self,
        app: Flask | None = None,
        policy: Guard | Policies = None,
        **fields: Unpack[GuardFields],
    ) -> None:
        self._blueprints = BlueprintPolicies()
        if app is not None:
            _check_application(app)
        self._make_guard = _maker(policy, fields)
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: Flask, policy: Guard | Policies = None, **fields: Unpack[GuardFields]
    ) -> None:
        """Put the protocol in front of app; a policy here wins over the one given before."""
        _check_application(app)
        if "corsguard" in app.extensions:
            raise RuntimeError(f"{app.name} has a CORSGuard already")
        make = _maker(policy, fields) or self._make_guard
        setting = None if make else app.config.get("CORSGUARD")
        guard = (
            make() if make else Guard(None) if setting is None else build_configured_guard(setting)
        )
        if setting is None and guard.policies is None and not guard.enforce:
            raise PolicyError([NO_POLICY])
        middleware = FlaskMiddleware(app, guard, self._blueprints, setting)
        app.extensions["corsguard"] = middleware
        app.wsgi_app = middleware  # type: ignore[method-assign]  # the way that Flask documents
        app.cli.add_command(cors)
        register(app)
        if is_of_connexion(app):
            emit_warnings([CONNEXION])

    def set_policy(self, blueprint: Blueprint, policy: Policy | None) -> None:
        """Give the views of a blueprint, and of those nested in it, a policy; None for no CORS."""
        self._blueprints.set(blueprint, policy)


def _check_application(app: object) -> None:
    if not isinstance(app, Flask):
        kind = type(app).__name__
        raise TypeError(f"a Flask application comes first, not a {kind}: CORSGuard(policy=...)")


def _maker(given: Guard | Policies, fields: Mapping[str, Any]) -> Callable[[], Guard] | None:
    """Return what makes the guard of an application, or None where nothing was given.

    Each application has a guard of its own, unless it is a Guard that was given. Raises
    PolicyError at once, not only where the first application comes.
    """
    if given is None and not fields:
        return None
    guard = build_guard(given, fields, requires_policy=False)
    if guard is given:
        return lambda: guard
    return lambda: Guard(
        guard.policies,
        enforce=guard.enforce,
        enforce_exempt=guard.enforce_exempt,
        own_origins=guard.own_origins,
    )
