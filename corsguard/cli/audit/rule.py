"""A kind of misconfiguration: its name, its severity, what it leads to, and its fix."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Rule", "Severity"]


class Severity(StrEnum):
    """The severity of a misconfiguration, the worst first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NOTE = "note"


class Rule(NamedTuple):
    """One kind of misconfiguration."""

    code: str
    """The stable name, such as `origin-reflected`."""
    severity: Severity
    title: str
    impact: str
    """What an attacker could do with it, or what breaks."""
    fix: str
    opens: bool = False
    """True if it allows pages that should not be allowed: more severe with credentials."""
