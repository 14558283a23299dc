"""The callable of a policy that decided about an origin."""

from __future__ import annotations

from corsguard.engine import Engine
from corsguard.engine.decision import Decision
from corsguard.escaping import escape_text
from corsguard.explain.place import Place
from corsguard.fetch_spec import ALLOW_ORIGIN
from corsguard.policy import Policy
from corsguard.policy.predicates import name_predicate
from corsguard.policy.validation import VALIDATORS
from corsguard.policy.warning_filter import ignore_policy_warnings

__all__ = ["describe_callable_decision"]


def describe_callable_decision(place: Place | None, decision: Decision | None, origin: str) -> str:
    """Return a sentence on the callable that decided about the origin of a request.

    `place` is where the policy of the request is configured, `decision` what was decided about it;
    None where it was never sent. Empty where no callable was called: listed origins, and those that
    no policy may allow, are decided before.
    """
    if place is None or place.policy is None or decision is None:
        return ""
    is_allowed = ALLOW_ORIGIN in dict(decision.headers)
    # Where a list allows no origin, the callables of all its policies have decided.
    policies = (place.policy,) if is_allowed else place.policies or (place.policy,)
    callables = [
        entry
        for policy in policies
        for entry in policy.allow_list.predicates
        if _calls_callables(policy, origin, enforced=place.enforced)
    ]
    if not callables:
        return ""
    names = ", ".join(map(name_predicate, callables))
    verb = "allows" if is_allowed else "does not allow"
    outcome = f"{names} {verb} {escape_text(origin)}"
    return f"a callable of allow_origins decided: {outcome}{_describe_faults(decision)}"


def _calls_callables(policy: Policy, origin: str, *, enforced: bool) -> bool:
    """Return True if an engine calls the callables of policy for origin."""
    calls: list[str] = []

    def record(given: str) -> bool:
        calls.append(given)
        return False

    listed = [entry for entry in policy.allow_origins if not callable(entry)]
    fields = {field: getattr(policy, field) for field in VALIDATORS}
    with ignore_policy_warnings():  # the policy itself has given them
        recording = Policy.from_mapping({**fields, "allow_origins": [*listed, record]})
    Engine(recording, enforced=enforced).decide(origin, "GET", {})
    return bool(calls)


def _describe_faults(decision: Decision) -> str:
    faults = [f"{name} failed ({type(error).__name__}: {error})" for name, error in decision.faults]
    return f": {', '.join(faults)}" if faults else ""
