"""Which callable of a policy decided about an origin."""

from __future__ import annotations

import warnings

from corsguard.browser.rehearsal import Rehearsal
from corsguard.checks import CHECKS
from corsguard.decision import Decision, Reason
from corsguard.engine import Engine
from corsguard.escape import escaped
from corsguard.policy import Policy
from corsguard.predicates import Predicate
from corsguard.problem import PolicyWarning

__all__ = ["decided_by_callable"]

_REFUSED = {Reason.ORIGIN_NOT_ALLOWED, Reason.CROSS_ORIGIN_REFUSED}


def decided_by_callable(rehearsal: Rehearsal, origin: str) -> str:
    """Return a sentence on the callable that decided the last request, which was from origin.

    Empty where no callable was asked: what is listed, and what no policy may allow, comes first.
    """
    place, decision = rehearsal.place, rehearsal.decision
    if place is None or place.policy is None or decision is None:
        return ""
    callables = [entry for entry in place.policy.allow_origins if callable(entry)]
    if not callables or not _is_asked(place.policy, origin, enforced=place.enforced):
        return ""
    names = ", ".join(map(_name, callables))
    words = "does not allow" if decision.reason in _REFUSED else "allows"
    return f"a callable of allow_origins decided: {names} {words} {escaped(origin)}{_why(decision)}"


def _is_asked(policy: Policy, origin: str, *, enforced: bool) -> bool:
    """Return True if an engine asks the callables of policy about origin."""
    asked: list[str] = []

    def ask(given: str) -> bool:
        asked.append(given)
        return False

    listed = [entry for entry in policy.allow_origins if not callable(entry)]
    fields = {field: getattr(policy, field) for field in CHECKS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PolicyWarning)  # the policy itself has them already
        asking = Policy.from_mapping({**fields, "allow_origins": [*listed, ask]})
    Engine(asking, enforced=enforced).decide(origin, "GET", {})
    return bool(asked)


def _name(predicate: Predicate) -> str:
    return getattr(predicate, "__qualname__", repr(predicate))


def _why(decision: Decision) -> str:
    faults = [f"{name} failed ({type(error).__name__}: {error})" for name, error in decision.faults]
    return f": {', '.join(faults)}" if faults else ""
