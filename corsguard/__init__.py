"""CORS for Python services: dangerous policies don't start, and every refusal says why."""

from corsguard.engine import Engine
from corsguard.engine.decision import Decision, Kind, Reason
from corsguard.engine.request import CORSRequest
from corsguard.errors import PolicyError, PolicyWarning, Problem
from corsguard.guard import Guard
from corsguard.guard.options import Policies
from corsguard.origin import Origin, OriginError, OriginPattern
from corsguard.policy import Policy
from corsguard.policy.origin_entry import OriginEntry, dangerous
from corsguard.policy.origin_lookup import LookupStats, OriginLookup

__all__ = [
    "CORSRequest",
    "Decision",
    "Engine",
    "Guard",
    "Kind",
    "LookupStats",
    "Origin",
    "OriginEntry",
    "OriginError",
    "OriginLookup",
    "OriginPattern",
    "Policies",
    "Policy",
    "PolicyError",
    "PolicyWarning",
    "Problem",
    "Reason",
    "dangerous",
]
