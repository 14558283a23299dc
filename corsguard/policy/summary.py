"""A policy in one line, for lists of what holds where. It needs no extra."""

from __future__ import annotations

from re import Pattern

from corsguard.policy import Policy
from corsguard.policy.validation import OriginEntry

__all__ = ["summarize_policy"]


def summarize_policy(policy: Policy | None) -> str:
    """The origins of a policy, and what of it is not the default; None is for no CORS."""
    if policy is None:
        return "no CORS"
    parts = [", ".join(map(_format_entry, policy.allow_origins))]
    if policy.allow_credentials:
        parts.append("credentials")
    for name, values in (("methods", policy.allow_methods), ("headers", policy.allow_headers)):
        if values:
            parts.append(f"{name} {', '.join(values)}")
    return "; ".join(parts)


def _format_entry(entry: OriginEntry) -> str:
    """An entry as the code has it, a callable by its name."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, Pattern):
        return repr(entry)
    return f"{getattr(entry, '__qualname__', type(entry).__qualname__)}()"
