"""The Flask extension."""

from __future__ import annotations

from flask import Blueprint, Flask

from corsguard import Guard, Policies, Policy, PolicyError
from corsguard.problem import NO_POLICY
from corsguard_flask.cli import cors
from corsguard_flask.middleware import FlaskMiddleware
from corsguard_flask.views import BlueprintPolicies

__all__ = ["CORSGuard"]


class CORSGuard:
    """Answers the CORS protocol in front of Flask applications.

    `policy` is a Policy for every path, policies by route prefix, or a Guard. Without one, it is
    read from `app.config["CORSGUARD"]`: a Policy, a Guard, or a mapping in the shape of a
    configuration file. No routes, `{}` here and `{"routes": {}}` there, means that only views and
    blueprints have policies.
    Each application's guard is `app.extensions["corsguard"].guard`.

    Raises PolicyError: `no-policy` without any, `callable-async` with one that must be awaited;
    TypeError where something else stands in the place of the application.
    """

    def __init__(self, app: Flask | None = None, policy: Guard | Policies = None) -> None:
        self._policy = policy
        self._blueprints = BlueprintPolicies()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, policy: Guard | Policies = None) -> None:
        """Put the protocol in front of app; `policy` wins over the one given before."""
        if not isinstance(app, Flask):
            kind = type(app).__name__
            raise TypeError(f"a Flask application comes first, not a {kind}: CORSGuard(policy=...)")
        if "corsguard" in app.extensions:
            raise RuntimeError(f"{app.name} has a CORSGuard already")
        given = self._policy if policy is None else policy
        setting = app.config.get("CORSGUARD") if given is None else None
        guard = _guard_of(given) if setting is None else Guard.configured(setting)
        middleware = FlaskMiddleware(app, guard, self._blueprints, setting)
        app.extensions["corsguard"] = middleware
        app.wsgi_app = middleware  # type: ignore[method-assign]  # the way that Flask documents
        app.cli.add_command(cors)

    def set_policy(self, blueprint: Blueprint, policy: Policy | None) -> None:
        """Give the views of a blueprint, and of those nested in it, a policy; None for no CORS."""
        self._blueprints.set(blueprint, policy)


def _guard_of(given: Guard | Policies) -> Guard:
    guard = given if isinstance(given, Guard) else Guard(given)
    if guard.policies is None and not guard.enforce:
        raise PolicyError([NO_POLICY])
    return guard
