"""CORS for Python services: a policy that is checked, a decision that can say why."""

from corsguard.checks import OriginEntry
from corsguard.decision import Decision, Kind, Reason
from corsguard.engine import Engine
from corsguard.guard import Facts, Guard
from corsguard.origin import Origin, OriginError, OriginPattern
from corsguard.policy import Policy, PolicyError, PolicyWarning, Problem
from corsguard.state import Policies

__all__ = [
    "Decision",
    "Engine",
    "Facts",
    "Guard",
    "Kind",
    "Origin",
    "OriginEntry",
    "OriginError",
    "OriginPattern",
    "Policies",
    "Policy",
    "PolicyError",
    "PolicyWarning",
    "Problem",
    "Reason",
]
