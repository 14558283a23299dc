"""Which callable of a policy decided about an origin."""

from __future__ import annotations

import warnings

from corsguard.engine import Engine
from corsguard.engine.decision import Decision
from corsguard.errors import PolicyWarning
from corsguard.escaping import escape_text
from corsguard.explain.trial_guard import Rehearsal
from corsguard.fetch_spec import ALLOW_ORIGIN
from corsguard.policy import Policy
from corsguard.policy.predicates import Predicate
from corsguard.policy.validation import VALIDATORS

__all__ = ["callable_name", "decided_by_callable"]


def decided_by_callable(rehearsal: Rehearsal, origin: str) -> str:
    """Return a sentence on the callable that decided about origin, that of the last request.

    Empty where no callable was asked: what is listed, and what no policy may allow, comes first.
    """
    place, decision = rehearsal.place, rehearsal.decision
    if place is None or place.policy is None or decision is None:
        return ""
    callables = [entry for entry in place.policy.allow_origins if callable(entry)]
    if not callables or not _is_asked(place.policy, origin, enforced=place.enforced):
        return ""
    names = ", ".join(map(callable_name, callables))
    words = "allows" if ALLOW_ORIGIN in dict(decision.headers) else "does not allow"
    verdict = f"{names} {words} {escape_text(origin)}"
    return f"a callable of allow_origins decided: {verdict}{_why(decision)}"


def _is_asked(policy: Policy, origin: str, *, enforced: bool) -> bool:
    """Return True if an engine asks the callables of policy about origin."""
    asked: list[str] = []

    def ask(given: str) -> bool:
        asked.append(given)
        return False

    listed = [entry for entry in policy.allow_origins if not callable(entry)]
    fields = {field: getattr(policy, field) for field in VALIDATORS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)  # the policy itself has them already
        asking = Policy.from_mapping({**fields, "allow_origins": [*listed, ask]})
    Engine(asking, enforced=enforced).decide(origin, "GET", {})
    return bool(asked)


def callable_name(predicate: Predicate) -> str:
    """Return what a callable of a policy is called."""
    return getattr(predicate, "__qualname__", repr(predicate))


def _why(decision: Decision) -> str:
    faults = [f"{name} failed ({type(error).__name__}: {error})" for name, error in decision.faults]
    return f": {', '.join(faults)}" if faults else ""
